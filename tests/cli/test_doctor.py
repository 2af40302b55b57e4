"""`gates doctor`: every line is well, or says what to do."""

from __future__ import annotations

import importlib
import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gates.doctor import machine
from gates.registry.mlflow import MlflowRegistry
from gates.registry.webhooks import Webhooks
from gates.service.app import create_app
from gates.service.config import ServiceConfig
from tests.conftest import CommandLine
from tests.registry.stores import embedded
from tests.servers import HOOKS, Between, MlflowServer
from tests.service.parts import app_parts, open_service
from tests.service.serving import Served
from tests.toys import make_project

SECRET = "a-secret-that-is-long-enough"
CREATED = "model_version.created"


class Doctor:
    """Runs `gates doctor` and gives its findings."""

    def __init__(self, gates: CommandLine, project: Path, uri: str) -> None:
        self.project = project
        self.uri = uri
        self._gates = gates

    def __call__(self, *options: str) -> dict[str, Mapping[str, str]]:
        where = ["--project", str(self.project), "--cache", str(self.project / "cache")]
        where += ["--tracking-uri", self.uri]
        answer = self._gates("doctor", *options, *where, "--json")
        assert SECRET not in answer.out + answer.err
        assert "Traceback" not in answer.err
        said = json.loads(answer.out)
        findings = said["findings"]
        wrong = [one for one in findings if one["state"] == "wrong"]
        assert answer.code == (1 if wrong else 0)
        assert said["wrong"] == len(wrong)
        for one in findings:
            assert bool(one["advice"]) >= (one["state"] == "wrong"), one
        # A mended question may have a second, worse line: the worst is what counts.
        order = ("ok", "note", "wrong")
        return {
            one["what"]: one for one in sorted(findings, key=lambda one: order.index(one["state"]))
        }


@pytest.fixture
def doctor(
    gates: CommandLine,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Doctor:
    """A doctor for the toy project and a file database."""
    embedded(tmp_path, tmp_path_factory)
    for name in ("MLFLOW_TRACKING_URI", "GATES_SIGNING_KEY", "GATES_VERIFY_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GATES_SERVE_PORT", str(_closed_port()))
    return Doctor(
        gates, make_project(tmp_path / "shop"), f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}"
    )


@pytest.fixture
def with_server(doctor: Doctor, server: str, tmp_path: Path) -> Iterator[Doctor]:
    """A doctor for the toy project and a real server, whose webhooks are removed afterwards."""
    doctor.uri = server
    yield doctor
    hooks = Webhooks(server, tmp_path)
    for one in hooks.all():
        hooks.remove(one.name)


@pytest.fixture
def service(
    with_server: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    """The service's app, listening, told the secret that the environment names."""
    monkeypatch.setenv("GATES_WEBHOOK_SECRETS", SECRET)
    uri = with_server.uri
    with ExitStack() as stack:
        opened = stack.enter_context(
            open_service(
                with_server.project,
                f"sqlite:///{tmp_path / 'service.db'}",
                ServiceConfig(secrets=(SECRET,)),
                lambda: MlflowRegistry(uri, tmp_path / "cache"),
            )
        )
        parts = stack.enter_context(app_parts(opened))
        served = stack.enter_context(Served(create_app(opened, parts)))
        monkeypatch.setenv("GATES_SERVE_URL", served.url)
        yield served


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def _install(doctor: Doctor, url: str, *events: str, name: str = "mlgates") -> None:
    hooks = Webhooks(doctor.uri, doctor.project / "cache")
    hooks.install(name, f"{url}/webhooks/mlflow", events or (CREATED,), SECRET)


def _keys(folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    key = Ed25519PrivateKey.generate()
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    private.chmod(0o600)
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public


def test_a_project_without_a_server_needs_nothing_more(doctor: Doctor) -> None:
    found = doctor()
    assert {name: one["state"] for name, one in found.items()} == {
        "cards": "ok",
        "signing key": "note",
        "uv": "ok",
        "Docker": "ok",
        "disk": "ok",
        "cache": "note",
        "MLflow": "ok",
        "write access": "ok",
        "clock": "ok",
        "secrets": "note",
        "callers": "note",
        "webhook": "ok",
        "service": "note",
    }


def test_a_person_sees_a_sign_the_finding_and_what_to_do(
    doctor: Doctor, gates: CommandLine
) -> None:
    (doctor.project / "model_cards" / "toy-ranker.md").unlink()
    where = ["--project", str(doctor.project), "--tracking-uri", doctor.uri]
    answer = gates("doctor", "--read-only", where)
    assert answer.code == 1
    lines = answer.out.splitlines()
    assert lines[0].startswith("✗ cards         there is no model card in ")
    assert lines[1].strip().startswith("→ make one: gates init ")
    assert lines[-1].startswith("1 to mend, ")
    assert any(line.startswith("! write access  not tried") for line in lines)


def test_a_broken_card_and_a_broken_golden_set_are_named(doctor: Doctor) -> None:
    cards = doctor.project / "model_cards"
    (cards / "broken.md").write_text("---\nmodel: broken\ntask: dancing\n---\n")
    found = doctor("--read-only")
    assert found["cards"]["state"] == "wrong"
    assert "broken.md" in found["cards"]["said"]
    (cards / "broken.md").unlink()
    (doctor.project / "golden" / "toy-ranker" / "queries.csv").unlink()
    found = doctor("--read-only")
    assert found["cards"]["state"] == "wrong"
    assert "queries" in found["cards"]["said"]


def test_keys_are_well_only_as_a_pair(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = _keys(tmp_path / "keys")
    monkeypatch.setenv("GATES_SIGNING_KEY", str(private))
    assert "does not ask for the signature" in doctor("--read-only")["signing key"]["said"]
    monkeypatch.setenv("GATES_VERIFY_KEY", str(public))
    assert doctor("--read-only")["signing key"]["state"] == "ok"
    monkeypatch.setenv("GATES_VERIFY_KEY", str(_keys(tmp_path / "others")[1]))
    found = doctor("--read-only")["signing key"]
    assert found["state"] == "wrong"
    assert "is not the public half of" in found["said"]
    monkeypatch.setenv("GATES_SIGNING_KEY", str(tmp_path / "nowhere.pem"))
    assert doctor("--read-only")["signing key"]["state"] == "wrong"


def test_a_card_that_asks_for_containers_needs_an_engine(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = doctor.project / "model_cards" / "toy-ranker.md"
    image = f"python@sha256:{64 * '0'}"
    asking = card.read_text().replace(
        "environment: {start_seconds",
        f"environment: {{kind: docker, image: {image}, start_seconds",
    )
    card.write_text(asking)
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{_closed_port()}")
    found = doctor("--read-only")["Docker"]
    assert found["state"] == "wrong"


@pytest.mark.parametrize(("free", "state"), [(10**8, "wrong"), (10**9, "note"), (10**11, "ok")])
def test_little_disk_is_said_before_a_gate_fails_for_it(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    usage = shutil.disk_usage(doctor.project)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    assert doctor("--read-only")["disk"]["state"] == state


def test_uv_that_does_not_run_is_said(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "find_uv", lambda: str(tmp_path / "uv"))
    assert doctor("--read-only")["uv"]["state"] == "wrong"


def test_a_limited_cache_is_well(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATES_CACHE_MAX_SIZE", "50GB")
    assert doctor("--read-only")["cache"]["state"] == "ok"


def test_a_secret_that_is_too_short_is_said_and_not_shown(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATES_WEBHOOK_SECRETS", "hunter2")
    found = doctor("--read-only")
    assert found["secrets"]["state"] == "wrong"
    assert "hunter2" not in json.dumps(found)
    # What rests on the same thing is not complained of twice.
    assert found["service"]["said"] == "could not be looked at: mend 'secrets' first"


def test_a_service_that_cannot_be_run_here_says_what_to_install(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = importlib.import_module("gates.doctor.service")
    monkeypatch.setattr(service, "find_spec", lambda name: None if name == "dbos" else name)
    found = doctor("--read-only")["serving"]
    assert (found["state"], found["advice"]) == ("note", "pip install 'mlgates[serve]'")


def test_a_server_that_is_away_is_said_once(doctor: Doctor) -> None:
    doctor.uri = f"http://127.0.0.1:{_closed_port()}"
    found = doctor()
    assert found["MLflow"]["state"] == "wrong"
    assert "Connection refused" in found["MLflow"]["said"]
    assert found["webhook"]["said"] == "could not be looked at: mend 'MLflow' first"


def test_an_old_server_and_clocks_apart_are_said(with_server: Doctor) -> None:
    with Between(with_server.uri) as between:
        with_server.uri = between.uri
        between.version = "2.14.1"
        found = with_server("--read-only")
        assert found["MLflow"]["state"] == "wrong"
        assert "2.14.1" in found["MLflow"]["said"]
        between.version, between.ahead = None, timedelta(minutes=10)
        found = with_server("--read-only")
        assert found["MLflow"]["state"] == "ok"
        assert found["clock"]["state"] == "wrong"
        assert "ahead of ours" in found["clock"]["said"]
        between.ahead = -timedelta(seconds=30)
        found = with_server("--read-only")
        assert found["clock"]["state"] == "note"
        assert "behind ours" in found["clock"]["said"]


def test_a_webhook_that_is_registered_and_fires_is_well(
    with_server: Doctor, service: Served
) -> None:
    assert "gates webhook install" in with_server("--read-only")["webhook"]["advice"]
    _install(with_server, service.url)
    assert "was not tried" in with_server("--read-only")["webhook"]["said"]
    found = with_server()
    assert found["webhook"]["state"] == "ok"
    assert "sent, signed and taken in" in found["webhook"]["said"]
    assert found["write access"]["state"] == "ok"
    assert found["service"]["state"] == "ok"


def test_a_webhook_that_misses_events_or_differs_in_secret_is_wrong(
    with_server: Doctor, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(with_server, service.url)
    monkeypatch.setenv("GATES_SERVE_ON", "created,alias:candidate,tag:ready=yes")
    found = with_server("--read-only")["webhook"]
    assert found["state"] == "wrong"
    assert "model_version_alias.created, model_version_tag.set" in found["said"]
    assert found["advice"] == f"gates webhook install --url {service.url}"
    monkeypatch.delenv("GATES_SERVE_ON")
    hooks = Webhooks(with_server.uri, with_server.project / "cache")
    hooks.install("mlgates", f"{service.url}/webhooks/mlflow", [CREATED], "some other secret")
    found = with_server()["webhook"]
    assert found["state"] == "wrong"
    assert "answered with 401" in found["said"]
    assert "GATES_WEBHOOK_SECRETS" in found["advice"]


def test_a_webhook_that_is_off_or_leads_nowhere_is_wrong(with_server: Doctor) -> None:
    from mlflow import MlflowClient

    address = f"http://127.0.0.1:{_closed_port()}"
    _install(with_server, address)
    found = with_server()["webhook"]
    assert found["state"] == "wrong"
    assert found["said"].endswith("a delivery did not arrive: Connection refused")
    assert "is gates serve running there" in found["advice"]
    client: Any = MlflowClient(with_server.uri, with_server.uri)
    (hook,) = client.list_webhooks()
    client.update_webhook(hook.webhook_id, status="DISABLED")
    found = with_server()["webhook"]
    assert (found["state"], found["said"]) == ("wrong", "'mlgates' is off")
    assert found["advice"] == f"gates webhook install --url {address}"


def test_a_server_restarted_without_its_key_says_which_key(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with MlflowServer(folder) as server:
        doctor.uri = server.uri
        _install(doctor, "http://127.0.0.1:1")
        server.kill()
        server.environ = {key: value for key, value in HOOKS.items() if "_KEY" not in key}
        server.start()
        found = doctor("--read-only")["webhook"]
    assert found["state"] == "wrong"
    assert "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY" in found["advice"]


def test_something_else_at_the_address_of_the_service_is_wrong(
    with_server: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATES_SERVE_URL", with_server.uri)
    found = with_server("--read-only")["service"]
    assert found["state"] == "wrong"
    assert "is not gates serve" in found["said"]
