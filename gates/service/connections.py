"""Connections, bounded in number and in the time each may take to ask and to be answered.

uvicorn bounds how long a connection idles between requests, and how long a header may be. For a
header or a body that trickles in, or an answer that nobody fetches, it waits without end: here a
connection has `seconds` for each. Where all are taken, a new one takes the place of the one that
has been asking for longest, so that who asks in one go never waits for those who do not.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

__all__ = ["Connections"]

_LOG = logging.getLogger("gates.service")
_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections of one server.

    Attributes:
        most: How many there may be.
        seconds: How long a header, a body, and the fetching of an answer may take, each.
        asking: Those whose request is not complete, that of the longest first.
    """

    most: int
    seconds: float
    asking: dict[_BoundedProtocol, None] = field(default_factory=dict)

    @property
    def protocol(self) -> Any:  # noqa: ANN401 - uvicorn calls it, and names no type
        """What uvicorn makes for each connection."""
        return partial(_BoundedProtocol, self)


class _BoundedProtocol(H11Protocol):
    def __init__(
        self,
        bounds: Connections,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = bounds
        self._awaited: object = None
        self._clock: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._bounds.most:
            _LOG.warning("all %d connections are taken", self._bounds.most)
            oldest = next(iter(self._bounds.asking), self)
            oldest.end(_FULL)
            if oldest is self:
                return
        self._follow()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._follow()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None)
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self._bounds.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._follow()

    def _follow(self) -> None:
        """Set the clock by what the client has yet to send."""
        if self.transport.is_closing():
            self._await(None)
            # Closed is a connection only when its answer was fetched.
            self.loop.call_later(self._bounds.seconds, self.transport.abort)
        elif self.conn.their_state in {h11.IDLE, h11.SEND_BODY}:
            self._await((self.conn.their_state, self.cycle))
        else:
            self._await(None)

    def _await(self, awaited: object) -> None:
        if awaited == self._awaited:
            return
        self._awaited = awaited
        self._bounds.asking.pop(self, None)
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        if awaited is not None:
            self._bounds.asking[self] = None
            self._clock = self.loop.call_later(self._bounds.seconds, self._late)

    def _late(self) -> None:
        began = self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]
        self.end(_LATE if began else b"")

    def end(self, answer: bytes) -> None:
        state = self.conn.their_state
        if state is h11.IDLE or (state is h11.SEND_BODY and not self.cycle.response_started):
            self.transport.write(answer)
        self.transport.close()
        self._follow()
