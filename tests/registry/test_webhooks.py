"""Webhooks of a real MLflow server: made, changed, tried and removed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gates.errors import RegistryError, UsageError
from gates.registry.probing import Probe
from gates.registry.webhooks import Hook, Webhooks
from tests.servers import HOOKS, MlflowServer

CREATED, ALIAS = "model_version.created", "model_version_alias.created"
SECRET = "a secret that is long enough"


@pytest.fixture
def hooks(server: str, tmp_path: Path) -> Iterator[Webhooks]:
    found = Webhooks(server, tmp_path)
    yield found
    for one in found.all():
        found.remove(one.name)


class _Answers(BaseHTTPRequestHandler):
    """Answers as its server was told to."""

    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.came.append((dict(self.headers.items()), body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.said)

    def log_message(self, *_: object) -> None:
        pass


class Receiver(HTTPServer):
    """Whoever a webhook delivers to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.status, self.said = 200, b""
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/mlflow"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_webhook_is_made_once_and_then_changed(hooks: Webhooks) -> None:
    first, new = hooks.install(
        "mlgates", "https://gates.example/webhooks/mlflow", [CREATED], SECRET
    )
    assert new
    assert (first.events, first.active) == ((CREATED,), True)
    changed, new = hooks.install("mlgates", "https://b.example/x", [CREATED, ALIAS], SECRET)
    assert not new
    assert (changed.id, changed.url, set(changed.events)) == (
        first.id,
        "https://b.example/x",
        {CREATED, ALIAS},
    )
    assert [one.id for one in hooks.all()] == [first.id]
    assert hooks.remove("mlgates")
    assert not hooks.remove("mlgates")
    assert hooks.all() == ()


def test_all_webhooks_are_found_beyond_the_first_page(hooks: Webhooks) -> None:
    for place in range(3):
        hooks.install(f"hook-{place}", "https://gates.example/", [CREATED], SECRET)
    assert {one.name for one in hooks.all()} == {"hook-0", "hook-1", "hook-2"}


def test_a_test_delivery_arrives_signed(hooks: Webhooks, receiver: Receiver) -> None:
    from gates.service.webhook import Headers, read_event, signature

    hook, _ = hooks.install("mlgates", receiver.url, [ALIAS], SECRET)
    came = hooks.test(hook)
    assert (came.success, came.status, came.reason) == (True, 200, "")
    ((sent, body),) = receiver.came
    headers = Headers.read({name.lower(): value for name, value in sent.items()})
    expected = signature(SECRET, headers.delivery_id, headers.timestamp, body)
    assert headers.signatures == (expected,)
    assert read_event(body).entity == "model_version_alias"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b'{"error": "it is not signed"}', "it is not signed"),
        (b"<h1>Sign in</h1>\nto see more", "<h1>Sign in</h1>"),
        (b"", ""),
    ],
)
def test_a_refused_delivery_says_so_in_the_receivers_words(
    hooks: Webhooks, receiver: Receiver, said: bytes, reason: str
) -> None:
    receiver.status, receiver.said = 401, said
    hook, _ = hooks.install("mlgates", receiver.url, [CREATED], SECRET)
    came = hooks.test(hook)
    assert (came.success, came.status, came.reason) == (False, 401, reason)


def test_a_delivery_that_nobody_takes_says_why_in_plain_words(hooks: Webhooks) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    hook, _ = hooks.install("mlgates", f"http://127.0.0.1:{port}/", [CREATED], SECRET)
    came = hooks.test(hook)
    assert (came.success, came.status, came.reason) == (False, None, "Connection refused")


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    hook = Hook("1", "mlgates", "https://ann:pass@gates.example/x?token=abc", (CREATED,), True)
    assert hook.shown == "https://gates.example/x"


def test_a_file_database_has_no_webhooks(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="emits no events") as caught:
        Webhooks(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path)
    assert "polling" in caught.value.advice


def test_a_server_that_lost_its_key_says_which_and_keeps_its_rules(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    strict = {key: value for key, value in HOOKS.items() if "SCHEMES" not in key}
    with MlflowServer(folder, strict) as server:
        hooks = Webhooks(server.uri, tmp_path)
        with pytest.raises(RegistryError) as refused:
            hooks.install("mlgates", "http://127.0.0.1:1/", [CREATED], SECRET)
        assert "MLFLOW_WEBHOOK_ALLOWED_SCHEMES" in refused.value.advice
        assert SECRET not in str(refused.value)
        hooks.install("mlgates", "https://127.0.0.1/", [CREATED], SECRET)
        server.kill()
        server.environ = {k: v for k, v in HOOKS.items() if "KEY" not in k}
        server.start()
        with pytest.raises(RegistryError, match="fails to read its own webhooks") as caught:
            hooks.all()
        assert "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY" in caught.value.advice


def test_a_probe_writes_reads_and_leaves_no_run(server: str, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    probe = Probe(server, tmp_path)
    found = probe.answer()
    assert found.is_server
    assert found.version.startswith("3.")
    assert found.clock is not None
    probe.write()
    probe.write()
    client = MlflowClient(server, server)
    experiment = client.get_experiment_by_name("gates/doctor")
    assert experiment is not None
    assert client.search_runs([experiment.experiment_id]) == []


def test_a_probe_says_that_its_experiment_was_deleted(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    probe = Probe(uri, tmp_path)
    found = probe.answer()
    assert (found.is_server, found.version, found.clock) == (False, "", None)
    probe.write()
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("gates/doctor")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    with pytest.raises(RegistryError, match="was deleted") as caught:
        probe.write()
    assert "mlflow experiments restore" in caught.value.advice


def test_an_address_of_no_mlflow_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a file database nor a server"):
        Probe("ftp://mlflow", tmp_path)
