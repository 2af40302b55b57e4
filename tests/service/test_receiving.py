"""Deliveries over a real socket: none lost, none taken twice, none let in that should not be."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import requests
import sqlalchemy as sa
from starlette.applications import Starlette

from gates.service.config import ServiceConfig
from gates.service.receiving import WEBHOOK_PATH, Receiver, webhook_routes
from gates.service.store.database import open_database
from gates.service.store.inbox import Inbox
from tests.service.deliveries import SECRET, Sent, delivery
from tests.service.serving import Served


class Webhook(Served):
    """A server with the webhook alone."""

    def __init__(self, engine: sa.Engine, config: ServiceConfig) -> None:
        self.inbox = Inbox(engine)
        self.counts: Counter[str] = Counter()
        self.told = threading.Event()
        self.receiver = Receiver(self.inbox, self.told.set)
        routes = webhook_routes(config, self.receiver, lambda what: self.counts.update([what]))
        super().__init__(Starlette(routes=list(routes)))
        self.address = self.url + WEBHOOK_PATH

    def __enter__(self) -> Self:
        self.receiver.start()
        return super().__enter__()

    def __exit__(self, *problem: object) -> None:
        super().__exit__(*problem)
        self.receiver.stop()

    def send(self, sent: Sent) -> requests.Response:
        return requests.post(self.address, data=sent.body, headers=sent.headers, timeout=30)

    async def send_raw(self, sent: Sent) -> int:
        """Send on a connection of its own, and give the status of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = {**sent.headers, "host": "gates", "connection": "close"}
        head["content-length"] = str(len(sent.body))
        lines = "".join(f"{key}: {value}\r\n" for key, value in head.items())
        writer.write(f"POST {WEBHOOK_PATH} HTTP/1.1\r\n{lines}\r\n".encode() + sent.body)
        status = int((await reader.readline()).split()[1])
        writer.close()
        return status


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    opened = open_database(f"sqlite:///{tmp_path / 'service.db'}")
    yield opened
    opened.dispose()


@pytest.fixture
def served(engine: sa.Engine) -> Iterator[Webhook]:
    with Webhook(engine, ServiceConfig(secrets=(SECRET,), body_limit=4_096)) as running:
        yield running


def test_a_delivery_is_on_disk_before_it_is_answered(served: Webhook) -> None:
    sent = delivery()
    assert served.send(sent).status_code == 202
    assert [one.body for one in served.inbox.waiting()] == [sent.body]
    assert served.told.wait(10)
    again = served.send(sent)
    assert (again.status_code, again.json()) == (200, {"detail": "it was stored before"})


def test_a_replay_is_known_after_a_restart(engine: sa.Engine) -> None:
    config, sent = ServiceConfig(secrets=(SECRET,)), delivery()
    for expected in (202, 200):
        with Webhook(engine, config) as served:
            assert served.send(sent).status_code == expected


def test_refusals_say_why_and_nothing_that_was_sent(served: Webhook) -> None:
    answer = served.send(delivery(secret="the wrong secret, long enough"))
    assert answer.status_code == 401
    assert "signature" in answer.json()["error"]
    assert requests.get(served.address, timeout=30).status_code == 405
    assert served.inbox.waiting() == ()


def test_a_body_without_end_is_cut_off_at_the_limit(served: Webhook) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b"x" * 1_024

    sent = delivery()
    with contextlib.suppress(requests.ConnectionError):
        answer = requests.post(served.address, data=endless(), headers=sent.headers, timeout=30)
        assert answer.status_code == 413
    assert served.send(delivery(padding=5_000)).status_code == 413
    assert served.inbox.waiting() == ()


def test_without_a_secret_nothing_is_let_in_and_it_may_be_sent_again(engine: sa.Engine) -> None:
    with Webhook(engine, ServiceConfig()) as served:
        assert served.send(delivery()).status_code == 503


def test_when_the_database_cannot_keep_it_the_answer_is_503(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Webhook(engine, ServiceConfig(secrets=(SECRET,))) as served:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gates_deliveries RENAME TO away")
        sent = delivery()
        answer = served.send(sent)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO gates_deliveries")
        assert served.send(sent).status_code == 202


def test_a_thousand_at_once_with_the_bad_among_them(served: Webhook) -> None:
    good = [delivery(version=str(number)) for number in range(600)]
    twice = random.Random(1).choices(good, k=200)  # noqa: S311
    forged = [delivery(secret="the wrong secret, long enough") for _ in range(80)]
    old = [delivery(age=3_600) for _ in range(60)]
    large = [delivery(padding=10_000) for _ in range(60)]
    everything = [*good, *twice, *forged, *old, *large]
    random.Random(2).shuffle(everything)  # noqa: S311

    async def flood() -> Counter[int]:
        return Counter(await asyncio.gather(*map(served.send_raw, everything)))

    answers = asyncio.run(flood())
    assert answers == {202: 600, 200: 200, 401: 140, 413: 60}
    stored = [one.id for one in served.inbox.waiting(2_000)]
    assert sorted(stored) == sorted(one.headers["x-mlflow-delivery-id"] for one in good)
    deadline = time.monotonic() + 10
    while sum(served.counts.values()) < 1_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served.counts == {"stored": 600, "duplicate": 200, "refused": 200}
