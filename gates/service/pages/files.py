"""Style, script and icon, under the digest of what they hold: a browser keeps them for good."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["address", "file_routes"]

_TYPES = {
    "pages.css": "text/css; charset=utf-8",
    "pages.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def address(name: str) -> str:
    """Where a file is served, its digest with it.

    Args:
        name: Its name in `gates/service/static`.
    """
    return f"/static/{name}?v={_file(name)[1]}"


def file_routes() -> list[Route]:
    """The files, to anybody: the page to sign in needs them."""
    return [Route("/static/{name}", _serve)]


def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _TYPES:
        raise HTTPException(404, "there is no such file")
    content, digest = _file(name)
    tag = f'"{digest}"'
    kept = request.query_params.get("v") == digest
    headers = {
        "etag": tag,
        "cache-control": "public, max-age=31536000, immutable" if kept else "no-cache",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_TYPES[name], headers=headers)


@cache
def _file(name: str) -> tuple[bytes, str]:
    content = files("gates.service").joinpath("static", name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:16]
