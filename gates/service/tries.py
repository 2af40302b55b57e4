"""Tries at tokens: wrong ones cost the address they come from a pause, and newcomers a delay.

A token that was right from an address before is never held up there, whatever others try: who works
with the service goes on working. What an address has not shown before waits out the pauses that the
wrong ones from there have earned, unlooked at; and while many addresses try, each first try is
slowed, never refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import HTTPConnection

from gates.service.auth import Denied, token_of
from gates.service.config import ServiceConfig, Token

__all__ = ["Tries", "source_of"]

_LOG = logging.getLogger("gates.service")
_FREE = 5  # wrong tokens that cost nothing: people mistype
_LONGEST_PAUSE = 60.0  # seconds
_FORGOTTEN = 600.0  # seconds after the last wrong one
_MOST_KEPT = 4_096  # addresses, and pairs of address and token
_CALM = 30.0  # wrong tokens a minute, of all addresses, that slow nobody
_LONGEST_DELAY = 5.0  # seconds


Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class _Wrong:
    count: int = 0
    last: float = 0.0
    until: float = 0.0


class Tries:
    """Who tried which tokens, since the start of this process.

    Args:
        config: The tokens, and whose word on addresses counts.
        clock: Seconds that only grow.
    """

    def __init__(self, config: ServiceConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._wrong: OrderedDict[str, _Wrong] = OrderedDict()
        self._recent = 0.0  # wrong tokens of all addresses, each fading within a minute
        self._counted_at = clock()

    async def token(self, secret: str, connection: HTTPConnection) -> Token | None:
        """The token with this secret, looked at when its address may try.

        Args:
            secret: What was said.
            connection: The request that said it.

        Returns:
            None for a wrong one.

        Raises:
            Denied: 429, wrong ones came from there and the pause is not over.
        """
        source = source_of(connection, self._config)
        pair = hmac.new(self._key, f"{source}\0{secret}".encode(errors="replace"), hashlib.sha256)
        if pair.digest() not in self._right:
            self._paused(source)
            delay = self.delay()
            if delay:
                await asyncio.sleep(delay)
                self._paused(source)
        # From here on nothing waits, so that no two tries pass on one pause.
        token = token_of(secret, self._config)
        if token is None:
            self._note(source)
        else:
            _keep(self._right, pair.digest(), None)
        return token

    def delay(self) -> float:
        """Seconds that a first try waits now, of whatever address."""
        excess = self._faded() - _CALM
        return min(_LONGEST_DELAY, excess / _CALM) if excess > 0 else 0.0

    def _paused(self, source: str) -> None:
        wrong = self._wrong.get(source)
        left = wrong.until - self._clock() if wrong else 0.0
        if left > 0:
            raise Denied(429, "too many wrong tokens came from this address", retry=math.ceil(left))

    def _note(self, source: str) -> None:
        now = self._clock()
        self._recent = self._faded() + 1
        self._counted_at = now
        wrong = self._wrong.get(source) or _Wrong()
        if now - wrong.last > _FORGOTTEN:
            wrong.count = 0
        wrong.count, wrong.last = wrong.count + 1, now
        over = wrong.count - _FREE
        wrong.until = now + (min(2.0 ** min(over - 1, 10), _LONGEST_PAUSE) if over > 0 else 0.0)
        _keep(self._wrong, source, wrong)
        _LOG.warning("a wrong token was tried from %s", source)

    def _faded(self) -> float:
        return self._recent * math.exp((self._counted_at - self._clock()) / 60)


def source_of(connection: HTTPConnection, config: ServiceConfig) -> str:
    """The address a request comes from: as the last proxy says that is trusted.

    Returns:
        An IPv4 address, or the /64 network of an IPv6 address: one caller has all of it.
    """
    said = connection.headers.getlist("x-forwarded-for")
    hops = [hop.strip() for hop in ",".join(said).split(",") if hop.strip()]
    source = _address(connection.client.host if connection.client else "")
    while source is not None and hops and any(source in network for network in config.proxies):
        source = _address(hops.pop())
    if source is None:
        return "an unknown address"
    if source.version == 6:
        return str(ipaddress.ip_network((source, 64), strict=False))
    return str(source)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _keep(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
