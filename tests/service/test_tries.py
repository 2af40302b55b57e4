"""Wrong tokens are slowed by where they come from; who has the right one is not shut out."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from gates.service.auth import Denied
from gates.service.config import ServiceConfig, Token
from gates.service.tries import Tries, source_of

ANN = Token("ann", "operator", "ann's token, long enough")
BOB = Token("bob", "viewer", "bob's token, long enough")
CONFIG = ServiceConfig(tokens=(ANN, BOB), proxies=(ipaddress.ip_network("10.0.0.0/8"),))


class Clock:
    """A clock that is set."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def connection(client: str, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    return HTTPConnection({"type": "http", "client": (client, 1), "headers": headers})


class Trying:
    """Tries at tokens from addresses, at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.slept = Clock(), list[float]()
        self.tries = Tries(CONFIG, self.clock)

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        monkeypatch.setattr("gates.service.tries.asyncio.sleep", sleep)

    def __call__(self, secret: str, client: str = "192.0.2.1") -> Any:
        """The token, None for a wrong one, or the seconds to wait."""
        try:
            return asyncio.run(self.tries.token(secret, connection(client)))
        except Denied as problem:
            return problem.retry


@pytest.fixture
def trying(monkeypatch: pytest.MonkeyPatch) -> Trying:
    return Trying(monkeypatch)


def test_wrong_tokens_cost_pauses_that_grow_and_are_forgotten(trying: Trying) -> None:
    assert [trying(f"wrong {n}") for n in range(6)] == [None] * 6
    pauses = []
    for n in range(8):
        pauses.append(trying("wrong again"))
        trying.clock.now += pauses[-1]
        assert trying(f"wrong {n}") is None
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    trying.clock.now += 700
    assert [trying(f"wrong {n}") for n in range(5)] == [None] * 5


def test_in_a_pause_not_even_the_right_token_is_told(trying: Trying) -> None:
    for n in range(6):
        trying(f"wrong {n}")
    assert trying(ANN.secret) == 1
    trying.clock.now += 1
    assert trying(ANN.secret) == ANN


def test_nobody_is_shut_out_by_the_tries_of_others(trying: Trying) -> None:
    assert trying(ANN.secret) == ANN
    for n in range(30):
        trying(f"wrong {n}")
    assert trying(ANN.secret) == ANN  # it was right from there before
    assert trying(BOB.secret) > 0  # as a guess would be
    assert trying(BOB.secret, "198.51.100.7") == BOB


def test_a_right_token_of_ones_own_buys_no_tries_at_others(trying: Trying) -> None:
    answers = []
    for n in range(10):
        answers.append(trying(f"wrong {n}"))
        assert trying(BOB.secret) == BOB
    assert answers[-1] == 1


def test_tries_from_many_addresses_slow_newcomers_and_refuse_none(trying: Trying) -> None:
    assert trying(ANN.secret, "198.51.100.7") == ANN
    for n in range(400):
        trying("wrong", f"203.0.{n // 200}.{n % 200}")
    assert trying.tries.delay() == 5.0
    trying.slept.clear()
    assert trying(BOB.secret, "198.51.100.8") == BOB
    assert trying.slept == [5.0]
    assert trying(ANN.secret, "198.51.100.7") == ANN
    assert trying.slept == [5.0]
    trying.clock.now += 600
    assert trying.tries.delay() == 0.0


def test_what_is_kept_is_bounded(trying: Trying) -> None:
    for n in range(5_000):
        trying("wrong", f"203.{n // 62_500}.{n // 250}.{n % 250}")
    assert len(trying.tries._wrong) == 4_096


@pytest.mark.parametrize(
    ("client", "forwarded", "source"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.1",), "192.0.2.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.1", "10.0.0.2"), "198.51.100.1"),
        ("10.0.0.1", ("made up",), "an unknown address"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("2001:db8::1:2:3:4", (), "2001:db8::/64"),
        ("::ffff:192.0.2.1", (), "192.0.2.1"),
    ],
)
def test_an_address_is_believed_of_trusted_proxies(
    client: str, forwarded: tuple[str, ...], source: str
) -> None:
    assert source_of(connection(client, *forwarded), CONFIG) == source
