"""The door of the service: by which name it is asked, by whom, and with how much.

Whoever writes a route need not remember any of this: without a known caller nothing is reached but
what `_OPEN` names, and the page to sign in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gates.service.auth import Caller, Denied, bearer_of, check_host, who_asks
from gates.service.config import WEBHOOK_PATH, ServiceConfig
from gates.service.store.sessions import EndedSessions
from gates.service.tries import Tries

__all__ = ["Door"]

_OPEN = frozenset({"/health", "/ready", WEBHOOK_PATH})
"""What answers anybody, by any name: probes know no name, and a delivery has its signature."""


_MOST_BODY = 1 << 20  # bytes


class Door:
    """Lets requests in, with `scope["state"]["caller"]`, or answers them itself.

    Args:
        app: What is behind it.
        config: Names, tokens, and whose word counts.
        tries: Tries at tokens.
        ended: Sessions that were signed out of.
        refuse: Answers what is not let in.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        config: ServiceConfig,
        tries: Tries,
        ended: EndedSessions,
        refuse: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        self._app = app
        self._config = config
        self._tries = tries
        self._ended = ended
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            if scope["path"] not in _OPEN:
                await self._let_in(request)
        except (Denied, HTTPException, SQLAlchemyError) as problem:
            answer = await self._refuse(request, problem)
            answer.headers["connection"] = "close"  # its body, which nobody reads, ends with it
            await answer(scope, receive, send)
            return
        try:
            await self._app(scope, _bounded(receive), send)
        except ClientDisconnect:
            return

    async def _let_in(self, request: Request) -> None:
        check_host(request, self._config)
        if int(request.headers.get("content-length", "0")[:18]) > _MOST_BODY:
            raise _too_long()
        caller = await self._caller(request)
        request.scope.setdefault("state", {})["caller"] = caller
        path = request.scope["path"]
        if caller is None and path != "/login" and not path.startswith("/static/"):
            raise Denied(401, "say who you are: a bearer token, or sign in")

    async def _caller(self, request: Request) -> Caller | None:
        secret = bearer_of(request)
        if secret is None:
            return await run_in_threadpool(who_asks, request, self._config, self._ended)
        token = await self._tries.token(secret, request)
        if token is None:
            raise Denied(401, "the token is not known here")
        return Caller(token.name, token.role, "token")


def _too_long() -> HTTPException:
    return HTTPException(413, f"it is longer than {_MOST_BODY} bytes")


def _bounded(receive: Receive) -> Receive:
    read = 0

    async def receive_some() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > _MOST_BODY:
            raise _too_long()
        return message

    return receive_some
