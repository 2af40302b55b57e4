"""`gates webhook`: MLflow told where to deliver, from the command line."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates.registry.webhooks import Webhooks
from tests.conftest import CommandLine

SECRET = "a-secret-that-is-long-enough"


@pytest.fixture
def options(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    monkeypatch.setenv("GATES_WEBHOOK_SECRETS", SECRET)
    yield ["--project", str(tmp_path), "--tracking-uri", server, "--cache", str(tmp_path / "cache")]
    hooks = Webhooks(server, tmp_path)
    for one in hooks.all():
        hooks.remove(one.name)


@pytest.fixture
def address() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_a_webhook_is_installed_listed_changed_and_removed(
    gates: CommandLine, options: list[str], address: str
) -> None:
    answer = gates("webhook", "install", "--url", f"{address}/", options)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == "registered the webhook 'mlgates'"
    assert lines[1].strip() == "delivers model_version.created"
    assert f"to {address}/webhooks/mlflow" in lines[2]
    assert lines[3].strip() == "a delivery did not arrive: Connection refused"
    assert "gates doctor" in lines[4]
    assert SECRET not in answer.out + answer.err

    answer = gates(
        "webhook", "install", "--url", address, "--on", "created,alias:a,alias:b", options, "--json"
    )
    said = json.loads(answer.out)
    assert (said["new"], said["delivered"], said["reason"]) == (False, False, "Connection refused")
    assert sorted(said["events"]) == ["model_version.created", "model_version_alias.created"]

    answer = gates("webhook", "list", options)
    assert answer.out.startswith("mlgates: model_version")
    (listed,) = json.loads(gates("webhook", "list", options, "--json").out)["webhooks"]
    assert listed["url"] == f"{address}/webhooks/mlflow"

    assert gates("webhook", "remove", options).out.strip() == "removed the webhook 'mlgates'"
    answer = gates("webhook", "remove", options)
    assert answer.code == 2
    assert "MLflow has no webhook 'mlgates'" in answer.err
    assert gates("webhook", "list", options).out.strip() == "MLflow has no webhooks"


def test_deliveries_must_be_signed(
    gates: CommandLine, options: list[str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATES_WEBHOOK_SECRETS")
    answer = gates("webhook", "install", "--url", address, options)
    assert answer.code == 2
    assert "GATES_WEBHOOK_SECRETS is not set" in answer.err
    assert "openssl rand -hex 32" in answer.err


@pytest.mark.parametrize("url", ["gates.example.com", "ftp://gates.example.com", ""])
def test_an_address_must_be_one(gates: CommandLine, options: list[str], url: str) -> None:
    answer = gates("webhook", "install", "--url", url, options)
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_a_file_database_has_no_webhooks_to_install(
    gates: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("GATES_WEBHOOK_SECRETS", SECRET)
    where = ["--project", str(tmp_path), "--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    answer = gates("webhook", "install", "--url", address, where)
    assert answer.code == 2
    assert "emits no events" in answer.err
