"""Signing in with a token, which is then no longer needed; and out."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gates.service.auth import (
    SESSION_COOKIE,
    SESSION_SECONDS,
    Denied,
    caller_of,
    from_our_own_page,
    new_session,
    session_of,
)
from gates.service.pages.forms import sent, sent_by
from gates.service.pages.site import Site, rendered

__all__ = ["sign_in_path", "sign_in_routes"]

_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def sign_in_path(request: Request) -> str:
    """Where to sign in, and come back from to what was asked for.

    Args:
        request: What was asked for.
    """
    if request.method not in {"GET", "HEAD"}:
        return "/login"
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(asked, safe='/')}"


def sign_in_routes(site: Site) -> list[Route]:
    """Signing in and out."""
    config = site.service.config

    def shown(request: Request, *, to: str, status: int = 200) -> Response:
        values = {
            "to": to,
            "wrong": status != 200,
            "tokens": bool(config.tokens),
            "header": config.identity_header,
        }
        return rendered(site.service, caller_of(request), "login.html", values, status)

    def form(request: Request) -> Response:
        return shown(request, to=_local(request.query_params.get("next", "/")))

    async def sign_in(request: Request) -> Response:
        if not from_our_own_page(request, config):
            raise Denied(403, "it was sent from a page that is not ours")
        fields = await sent(request)
        to = _local(fields.get("next", "/"))
        token = await site.service.tries.token(fields.get("token", "").strip(), request)
        if token is None:
            return shown(request, to=to, status=401)
        answer = RedirectResponse(to, 303)
        answer.set_cookie(
            SESSION_COOKIE,
            new_session(token),
            max_age=SESSION_SECONDS,
            path="/",
            secure=config.url.startswith("https://"),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def sign_out(request: Request) -> Response:
        caller = caller_of(request)
        if caller:
            await sent_by(request, site.service, caller)
        session = session_of(request, config)
        if session:
            await run_in_threadpool(site.service.ended.end, session.id, session.until)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(
            SESSION_COOKIE,
            path="/",
            secure=config.url.startswith("https://"),
            httponly=True,
            samesite="strict",
        )
        return answer

    return [
        Route("/login", form, methods=["GET"]),
        Route("/login", sign_in, methods=["POST"]),
        Route("/logout", sign_out, methods=["POST"]),
    ]


def _local(path: str) -> str:
    """A path of this service; anything that could lead elsewhere becomes the overview."""
    return path if _LOCAL.fullmatch(path) else "/"
