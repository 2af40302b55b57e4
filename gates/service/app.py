"""All of the service behind one address."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gates import __version__
from gates.errors import GatesError
from gates.service.api import api_router, health_router
from gates.service.auth import Denied
from gates.service.context import Service
from gates.service.door import Door
from gates.service.metrics import Metrics
from gates.service.receiving import WEBHOOK_PATH, Receiver, webhook_routes

__all__ = ["AppParts", "create_app"]

_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'"
)
_JSON = ("/api/", "/health", "/ready", "/metrics", "/webhooks/")


@dataclass(frozen=True, slots=True)
class AppParts:
    """What the app is made of besides the service.

    Attributes:
        receiver: Stores deliveries.
        metrics: The numbers.
        registry_trouble: Why the registry could not be read the last time; empty when it could.
        pages: Routes of pages; none in a service that answers JSON alone.
        problem_page: Makes the page for a status and its reason.
    """

    receiver: Receiver
    metrics: Metrics
    registry_trouble: Callable[[], str]
    pages: Sequence[BaseRoute] = ()
    problem_page: Callable[[Request, int, str], Response] | None = None


def create_app(service: Service, parts: AppParts) -> FastAPI:
    """The service as an ASGI application.

    Args:
        parts: What else it is made of.
    """
    app = FastAPI(
        title="mlgates",
        version=__version__,
        summary="Gates for model versions: asked for, followed, judged.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
    )
    app.include_router(health_router(service, parts.metrics, parts.registry_trouble))
    app.include_router(api_router(service))
    app.routes.extend(webhook_routes(service.config, parts.receiver, parts.metrics.delivery))
    app.routes.extend(parts.pages)

    def answer(request: Request, status: int, why: str, headers: dict[str, str]) -> Response:
        if parts.problem_page is None or request.url.path.startswith(_JSON):
            return JSONResponse({"detail": why}, status, headers)
        page = parts.problem_page(request, status, why)
        page.headers.update(headers)
        return page

    async def denied(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Denied)  # noqa: S101 - registered for it
        return answer(request, problem.status, problem.why, problem.headers)

    async def http(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)  # noqa: S101 - registered for it
        return answer(request, problem.status_code, problem.detail, dict(problem.headers or {}))

    async def known(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, GatesError)  # noqa: S101 - registered for it
        return answer(request, 503, str(problem), {})

    async def database(request: Request, _: Exception) -> Response:
        return answer(request, 503, "the service's database does not answer", {"retry-after": "5"})

    async def invalid(_: Request, problem: Exception) -> Response:
        assert isinstance(problem, RequestValidationError)  # noqa: S101 - registered for it
        said = [
            {"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]}
            for one in problem.errors()
        ]
        return JSONResponse({"detail": said}, 422)

    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        Denied: denied,
        HTTPException: http,
        GatesError: known,
        SQLAlchemyError: database,
        RequestValidationError: invalid,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)

    async def refuse(request: Request, problem: Exception) -> Response:
        return await next(
            handler for kind, handler in handlers.items() if isinstance(problem, kind)
        )(request, problem)

    # Added last comes first: what the door refuses is given careful headers too.
    app.add_middleware(
        Door, config=service.config, tries=service.tries, ended=service.ended, refuse=refuse
    )
    app.add_middleware(_Careful, metrics=parts.metrics, secure=service.config.url)
    return app


class _Careful:
    """Headers that keep a browser careful, and the time each answer took."""

    def __init__(self, app: ASGIApp, metrics: Metrics, secure: str) -> None:
        self._app = app
        self._metrics = metrics
        self._secure = secure.startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", _PAGE_POLICY)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "same-origin"
                headers["cross-origin-opener-policy"] = "same-origin"
                headers.setdefault("cache-control", "no-store")
                if self._secure:
                    headers["strict-transport-security"] = "max-age=31536000"
                self._metrics.request(_area(scope["path"]), time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, sent)


def _area(path: str) -> str:
    if path == WEBHOOK_PATH:
        return "webhook"
    if path.startswith("/api/"):
        return "api"
    return "health" if path in {"/health", "/ready", "/metrics"} else "pages"
