"""Deliveries are stored before they are answered, many in one transaction when many come."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gates.service.config import WEBHOOK_PATH, ServiceConfig
from gates.service.store.inbox import Inbox
from gates.service.store.values import WebhookDelivery
from gates.service.webhook import Headers, Refused, read_event, verify

__all__ = ["WEBHOOK_PATH", "Receiver", "webhook_routes"]

_LOG = logging.getLogger("gates.service")
_BATCH = 256
_WAITING = 4_096
_PATIENCE = 5.0  # seconds; MLflow itself waits 30, and sends again on 503


@dataclass(frozen=True, slots=True)
class _Arrival:
    delivery: WebhookDelivery
    stored: Callable[[bool | Exception], None]


class Receiver:
    """Stores deliveries, from a thread of its own.

    Args:
        inbox: Where.
        told: Called after some were stored.
    """

    def __init__(self, inbox: Inbox, told: Callable[[], None]) -> None:
        self._inbox = inbox
        self._told = told
        self._arrivals: queue.Queue[_Arrival | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="gates-receiver", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Store what has arrived, then end."""
        self._arrivals.put(None)
        self._thread.join()

    async def store(self, delivery: WebhookDelivery) -> bool:
        """Store a delivery.

        Returns:
            Whether it is new, once that is on disk.

        Raises:
            Overloaded: It could not be stored, or not soon enough.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()

        def settle(result: bool | Exception) -> None:
            if future.done():  # whoever asked has given up
                return
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

        def stored(result: bool | Exception) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, result)

        try:
            self._arrivals.put_nowait(_Arrival(delivery, stored))
            return await asyncio.wait_for(future, _PATIENCE)
        except (queue.Full, TimeoutError):
            raise Overloaded from None

    def _run(self) -> None:
        while (first := self._arrivals.get()) is not None:
            batch = [first]
            ended = False
            with suppress(queue.Empty):
                while len(batch) < _BATCH and not ended:
                    following = self._arrivals.get_nowait()
                    if following is None:
                        ended = True
                    else:
                        batch.append(following)
            self._take(batch)
            if ended:
                return

    def _take(self, batch: list[_Arrival]) -> None:
        try:
            new = self._inbox.take([one.delivery for one in batch])
        except (SQLAlchemyError, OSError) as problem:
            _LOG.error("%d deliveries could not be stored: %s", len(batch), problem)
            for one in batch:
                one.stored(Overloaded())
            return
        for one, is_new in zip(batch, new, strict=True):
            one.stored(is_new)
        if any(new):
            self._told()


class Overloaded(Exception):
    """A delivery could not be stored now; it is worth sending again."""


def webhook_routes(
    config: ServiceConfig, receiver: Receiver, counted: Callable[[str], None]
) -> list[Route]:
    """The route MLflow delivers to.

    Args:
        config: Secrets, and limits.
        receiver: Where deliveries are stored.
        counted: Told what became of each: `stored`, `duplicate`, `refused` or `overloaded`.
    """

    async def receive(request: Request) -> Response:
        if not config.secrets:
            counted("refused")
            why = "no webhook secret is set here (GATES_WEBHOOK_SECRETS)"
            return _answer(503, why, retry=True)
        try:
            headers = Headers.read(request.headers)
            body = await _body(request, config.body_limit)
            now = datetime.now(UTC)
            verify(headers, body, config.secrets, now)
            read_event(body)
            new = await receiver.store(WebhookDelivery(headers.delivery_id, now, body))
        except Refused as problem:
            counted("refused")
            _LOG.warning("a delivery from %s was refused: %s", _sender(request), problem.why)
            return _answer(problem.status, problem.why)
        except ClientDisconnect:
            counted("refused")
            return Response(status_code=400)
        except Overloaded:
            counted("overloaded")
            return _answer(503, "it could not be stored now; send it again", retry=True)
        counted("stored" if new else "duplicate")
        return _answer(202, "stored") if new else _answer(200, "it was stored before")

    return [Route(WEBHOOK_PATH, receive, methods=["POST"], include_in_schema=False)]


def _sender(request: Request) -> str:
    return request.client.host if request.client else "an unknown address"


def _answer(status: int, words: str, *, retry: bool = False) -> Response:
    key = "detail" if status < 400 else "error"
    return JSONResponse({key: words}, status, {"retry-after": "2"} if retry else None)


async def _body(request: Request, limit: int) -> bytes:
    """The whole body, of which never more than the limit is read.

    Raises:
        Refused: It is longer.
    """
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said[:18]) > limit:
        raise Refused(413, f"it is longer than {limit} bytes")
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > limit:
            raise Refused(413, f"it is longer than {limit} bytes")
    return bytes(read)
