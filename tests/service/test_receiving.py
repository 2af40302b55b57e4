"""Deliveries over a real socket: none lost, none taken twice, none let in that should not be."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import requests
import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette

from gates.service.config import ServiceConfig
from gates.service.receiving import WEBHOOK_PATH, Receiver, webhook_routes
from gates.service.store.database import open_database
from gates.service.store.inbox import Inbox
from tests.service.deliveries import SECRET, Sent, delivery


class Served:
    """A server with the webhook alone."""

    def __init__(self, engine: sa.Engine, config: ServiceConfig) -> None:
        self.inbox = Inbox(engine)
        self.counts: Counter[str] = Counter()
        self.told = threading.Event()
        self.receiver = Receiver(self.inbox, self.told.set)
        routes = webhook_routes(config, self.receiver, lambda what: self.counts.update([what]))
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self._port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}{WEBHOOK_PATH}"
        settings = uvicorn.Config(Starlette(routes=list(routes)), log_level="error", ws="none")
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> Self:
        self.receiver.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.receiver.stop()
        self._socket.close()

    def send(self, sent: Sent) -> requests.Response:
        return requests.post(self.url, data=sent.body, headers=sent.headers, timeout=30)

    async def send_raw(self, sent: Sent) -> int:
        """Send on a connection of its own, and give the status of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
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
def served(engine: sa.Engine) -> Iterator[Served]:
    with Served(engine, ServiceConfig(secrets=(SECRET,), body_limit=4_096)) as running:
        yield running


def test_a_delivery_is_on_disk_before_it_is_answered(served: Served) -> None:
    sent = delivery()
    assert served.send(sent).status_code == 202
    assert [one.body for one in served.inbox.waiting()] == [sent.body]
    assert served.told.is_set()
    again = served.send(sent)
    assert (again.status_code, again.json()) == (200, {"detail": "it was stored before"})


def test_a_replay_is_known_after_a_restart(engine: sa.Engine) -> None:
    config, sent = ServiceConfig(secrets=(SECRET,)), delivery()
    for expected in (202, 200):
        with Served(engine, config) as served:
            assert served.send(sent).status_code == expected


def test_refusals_say_why_and_nothing_that_was_sent(served: Served) -> None:
    answer = served.send(delivery(secret="the wrong secret, long enough"))
    assert answer.status_code == 401
    assert "signature" in answer.json()["error"]
    assert requests.get(served.url, timeout=30).status_code == 405
    assert served.inbox.waiting() == ()


def test_a_body_without_end_is_cut_off_at_the_limit(served: Served) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b"x" * 1_024

    sent = delivery()
    with contextlib.suppress(requests.ConnectionError):
        answer = requests.post(served.url, data=endless(), headers=sent.headers, timeout=30)
        assert answer.status_code == 413
    assert served.send(delivery(padding=5_000)).status_code == 413
    assert served.inbox.waiting() == ()


def test_without_a_secret_nothing_is_let_in_and_it_may_be_sent_again(engine: sa.Engine) -> None:
    with Served(engine, ServiceConfig()) as served:
        assert served.send(delivery()).status_code == 503


def test_when_the_database_cannot_keep_it_the_answer_is_503(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Served(engine, ServiceConfig(secrets=(SECRET,))) as served:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gates_deliveries RENAME TO away")
        sent = delivery()
        answer = served.send(sent)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO gates_deliveries")
        assert served.send(sent).status_code == 202


def test_a_thousand_at_once_with_the_bad_among_them(served: Served) -> None:
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
