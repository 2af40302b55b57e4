"""`gates serve` as a process: how it starts, how it ends, and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import CommandLine
from tests.service.processes import SECRET, GatesServe
from tests.toys import make_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "shop")


@pytest.fixture
def serve(project: Path, tmp_path: Path) -> Iterator[GatesServe]:
    """A service over a file database that is not there yet."""
    with GatesServe(project, f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "cache") as running:
        yield running


def test_it_says_where_it_serves_on_one_line_and_ends_well_on_sigterm(
    serve: GatesServe, project: Path
) -> None:
    assert serve.get("/health")["status"] == "ok"
    assert serve.get("/ready")["status"] == "ready"
    assert requests.get(f"{serve.url}/api/v1/gates", timeout=30).status_code == 401
    with sqlite3.connect(project / ".gates" / "service.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
    assert serve.terminate() == 0
    assert "Traceback" not in serve.log
    assert SECRET not in serve.log
    serve.start()
    assert serve.get("/health")["status"] == "ok"


def test_a_connection_that_stays_open_does_not_keep_it_from_ending(serve: GatesServe) -> None:
    port = int(serve.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as idle, requests.Session() as session:
        session.get(f"{serve.url}/health", timeout=30)
        idle.sendall(b"POST /webhooks/mlflow HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{")
        assert serve.terminate() == 0


def test_a_port_that_is_taken_is_said(gates: CommandLine, project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = gates("serve", "--port", port, "--project", str(project))
    assert answer.code == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in answer.err
    assert "gates serve --port" in answer.err


@pytest.mark.parametrize(
    "database",
    ["postgresql://gates:hidden@127.0.0.1:1/gates", "mysql://a/b", "sqlite:////dev/null"],
)
def test_a_database_that_cannot_be_used_is_said_without_its_password(
    gates: CommandLine, project: Path, database: str
) -> None:
    answer = gates("serve", "--port", "0", "--database", database, "--project", str(project))
    assert answer.code == 2
    assert "database" in answer.err or "cannot keep its work" in answer.err
    assert "hidden" not in answer.err
    assert "Traceback" not in answer.err


def test_an_address_that_others_reach_needs_somebody_to_say_who_they_are(
    gates: CommandLine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATES_SERVE_TOKENS", raising=False)
    everywhere = "0.0.0.0"  # noqa: S104 - what is refused
    answer = gates("serve", "--host", everywhere, "--project", str(project), "--json")
    assert answer.code == 2
    error = json.loads(answer.out)["error"]
    assert "GATES_SERVE_TOKENS" in error["advice"]


def test_without_what_serving_needs_it_says_what_to_install(project: Path) -> None:
    blocked = (
        "import sys; sys.modules['dbos'] = None; sys.modules['fastapi'] = None;"
        "from gates.cli.main import run; sys.argv = ['gates', 'serve']; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked],
        cwd=project,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'mlgates[serve]'" in done.stderr
    assert "Traceback" not in done.stderr
