"""A thousand webhook deliveries at once against a real `gates serve`, good ones and bad ones.

The peer is the same handler in the same server that checks every signature and keeps nothing.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uvicorn
from starlette.applications import Starlette

from benchmarks.timing import machine
from gates.service.config import WEBHOOK_PATH, ServiceConfig
from gates.service.receiving import Receiver, webhook_routes
from gates.service.store.values import WebhookDelivery
from tests.toys import MODEL, make_project

SECRET = "a secret of the benchmark's own"  # noqa: S105 - it guards nothing
ROUNDS = 5
SINGLE = 200
MIX = {"new": 700, "duplicate": 100, "bad signature": 80, "old": 70, "oversized": 50}
EXPECTED = {
    "new": {202, 200},  # its duplicate may be the first to arrive
    "duplicate": {202, 200},
    "bad signature": {401},
    "old": {401},
    "oversized": {413},
}
_LIMIT = ServiceConfig().body_limit
_OF_THE_MODEL = 10  # of each round's new deliveries, so many ask for a gate


@dataclass(frozen=True)
class Sent:
    """A delivery as it goes over the wire."""

    kind: str
    delivery_id: str
    data: bytes


@dataclass(frozen=True)
class Answered:
    """What came of one."""

    sent: Sent
    status: int
    seconds: float


def main() -> None:
    """Send, in turn to the service and to the peer, and print how they answered."""
    with tempfile.TemporaryDirectory() as scratch:
        project = make_project(Path(scratch) / "shop")
        ours: list[Answered] = []
        theirs: list[Answered] = []
        single: dict[str, list[float]] = {}
        spans: dict[str, list[float]] = {"ours": [], "theirs": []}
        with _service(project) as port, _peer() as other:
            for number in range(-1, ROUNDS):  # the first does not count
                burst = deliveries(number + 1)
                for name, where, kept in (("ours", port, ours), ("theirs", other, theirs)):
                    began = time.perf_counter()
                    answers = asyncio.run(send_all(where, burst))
                    if number >= 0:
                        spans[name].append(time.perf_counter() - began)
                        kept += answers
                    elif name == "ours":
                        first = answers
            _await_read(project / ".gates" / "service.db")
            quiet = [one for one in deliveries(ROUNDS + 1) if one.kind == "new"][:SINGLE]
            for name, where in (("ours", port), ("theirs", other)):
                single[name] = [asyncio.run(send_all(where, [one]))[0].seconds for one in quiet]
        _check(
            [*first, *ours], {one.delivery_id for one in quiet}, project / ".gates" / "service.db"
        )
    _print(ours, theirs, spans, single)


def deliveries(number: int) -> list[Sent]:
    """A thousand deliveries of each kind of `MIX`, shuffled; `number` makes their versions new."""
    rng = random.Random(number)  # noqa: S311 - an order, no secret
    made = []
    for place in range(MIX["new"]):
        model = MODEL if place < _OF_THE_MODEL else f"model-{place % 50}"
        made.append(_delivery("new", model, number * 1_000 + place + 1))
    made += [Sent("duplicate", one.delivery_id, one.data) for one in made[: MIX["duplicate"]]]
    for place in range(MIX["bad signature"]):
        made.append(_delivery("bad signature", MODEL, 500_000 + place, secret="not the secret"))  # noqa: S106
    made += [_delivery("old", MODEL, 600_000 + one, age=301) for one in range(MIX["old"])]
    made += [
        _delivery("oversized", MODEL, 700_000 + one, padding=_LIMIT)
        for one in range(MIX["oversized"])
    ]
    rng.shuffle(made)
    return made


async def send_all(port: int, burst: list[Sent]) -> list[Answered]:
    """Open a connection for each, then send all at once; what is answered with 503 is sent again.

    Args:
        port: Where, on this machine.
        burst: The deliveries.
    """
    opened = await asyncio.gather(*(_connect(port) for _ in burst))
    began = time.perf_counter()

    async def one(sent: Sent, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> int:
        status = await _exchange(sent, *streams)
        while status == 503:  # as MLflow does
            await asyncio.sleep(0.5)
            status = await _exchange(sent, *await _connect(port))
        return status

    async def timed(
        sent: Sent, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> Answered:
        return Answered(sent, await one(sent, streams), time.perf_counter() - began)

    return await asyncio.gather(*map(timed, burst, opened))


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def _exchange(sent: Sent, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    try:
        writer.write(sent.data)
        line = await reader.readline()
        return int(line.split()[1])
    finally:
        writer.close()


def _delivery(
    kind: str, model: str, version: int, *, secret: str = SECRET, age: int = 0, padding: int = 0
) -> Sent:
    said = {"name": model, "version": str(version), "description": "x" * padding}
    body = json.dumps({"entity": "model_version", "action": "created", "data": said}).encode()
    delivery_id, at = str(uuid.uuid4()), int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{delivery_id}.{at}.".encode() + body, hashlib.sha256)
    head = (
        f"POST {WEBHOOK_PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"x-mlflow-delivery-id: {delivery_id}\r\nx-mlflow-timestamp: {at}\r\n"
        f"x-mlflow-signature: v1,{base64.b64encode(digest.digest()).decode()}\r\n\r\n"
    )
    return Sent(kind, delivery_id, head.encode() + body)


def _await_read(database: Path) -> None:
    """Wait until the service has read all that it stored."""
    end = time.monotonic() + 300
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        while connection.execute("SELECT 1 FROM gates_deliveries WHERE state = 'new'").fetchone():
            assert time.monotonic() < end, "deliveries were stored and never read"
            time.sleep(0.2)


def _check(answers: list[Answered], quiet: set[str], database: Path) -> None:
    """None lost, none kept or run twice, none let in: or the benchmark fails."""
    wrong = Counter(
        (one.sent.kind, one.status) for one in answers if one.status not in EXPECTED[one.sent.kind]
    )
    assert not wrong, wrong
    good = {one.sent.delivery_id for one in answers if one.sent.kind == "new"}
    assert sum(one.status == 202 for one in answers) == len(good)
    rounds = len(answers) // sum(MIX.values())
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        kept = dict(connection.execute("SELECT id, state FROM gates_deliveries"))
        asked = Counter(
            (model, version)
            for model, version in connection.execute("SELECT model, version FROM gates_jobs")
            if int(version) < 1_000 * (ROUNDS + 1)
        )
    assert set(kept) == good | quiet
    kept = {one: state for one, state in kept.items() if one in good}
    assert set(kept.values()) == {"used", "ignored"}, Counter(kept.values())
    assert len(asked) == rounds * _OF_THE_MODEL, asked
    assert set(asked.values()) == {1}, asked


def _print(
    ours: list[Answered],
    theirs: list[Answered],
    spans: dict[str, list[float]],
    single: dict[str, list[float]],
) -> None:
    count = sum(MIX.values())
    print(f"\n### {count:,} deliveries at once ({machine()})\n")
    print("| milliseconds until answered | p50 | p95 | p99 | deliveries a second |")
    print("| --- | --- | --- | --- | --- |")
    rows = []
    for name, answers, key in (
        ("`gates serve`", ours, "ours"),
        ("the same handler, keeping nothing", theirs, "theirs"),
    ):
        taken = [1_000 * one.seconds for one in answers if one.sent.kind in {"new", "duplicate"}]
        row = [*np.percentile(taken, [50, 95, 99]), count / float(np.median(spans[key]))]
        rows.append(row)
        print(f"| {name} | {row[0]:.0f} | {row[1]:.0f} | {row[2]:.0f} | {row[3]:,.0f} |")
    ratio = [our / their for our, their in zip(*rows, strict=True)]
    print(f"| ratio | {ratio[0]:.2f} | {ratio[1]:.2f} | {ratio[2]:.2f} | {ratio[3]:.2f} |")
    print("\n| milliseconds, one after another | p50 | p95 | p99 |\n| --- | --- | --- | --- |")
    for name, key in (("`gates serve`", "ours"), ("the same handler, keeping nothing", "theirs")):
        row = [1_000 * value for value in np.percentile(single[key], [50, 95, 99])]
        print(f"| {name} | {row[0]:.1f} | {row[1]:.1f} | {row[2]:.1f} |")
    print("\nEach kind in each round: " + ", ".join(f"{n} {kind}" for kind, n in MIX.items()))


@contextmanager
def _service(project: Path) -> Iterator[int]:
    environ = {**os.environ, "GATES_WEBHOOK_SECRETS": SECRET, "GATES_SERVE_POLL": "1h"}
    environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{project / 'mlflow.db'}"
    command = [sys.executable, "-m", "gates", "serve", "--json", "--port", "0"]
    with _started(command, environ, project) as line:
        yield int(json.loads(line)["serving"].rpartition(":")[2])


@contextmanager
def _peer() -> Iterator[int]:
    with _started([sys.executable, "-m", __spec__.name], dict(os.environ), Path.cwd()) as line:
        yield int(line)


@contextmanager
def _started(command: list[str], environ: dict[str, str], folder: Path) -> Iterator[str]:
    with subprocess.Popen(
        command,
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()


class _Forgetful(Receiver):
    """Takes everything in, and keeps nothing."""

    async def store(self, delivery: WebhookDelivery) -> bool:  # noqa: ARG002 - it is kept nowhere
        return True


def _serve_peer() -> None:
    import socket

    config = ServiceConfig(secrets=(SECRET,))
    receiver = _Forgetful(None, lambda: None)  # type: ignore[arg-type]  # it never asks for it
    app = Starlette(routes=webhook_routes(config, receiver, lambda _: None))
    with socket.create_server(("127.0.0.1", 0), backlog=2_048) as bound:
        print(bound.getsockname()[1], flush=True)
        settings = uvicorn.Config(app, log_config=None, access_log=False, ws="none")
        uvicorn.Server(settings).run([bound])


if __name__ == "__main__":
    _serve_peer()
