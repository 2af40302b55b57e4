"""The service as JSON: what it gives, to whom, and that nothing makes it fall over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from gates.errors import RegistryError
from gates.evidence.evidence import evidence_digest
from gates.registry import Registry
from gates.service.app import create_app
from gates.service.config import ServiceConfig, Token
from gates.service.context import Service
from gates.service.store.values import Job
from tests.service.held import Held
from tests.service.parts import Noted, app_parts, open_service
from tests.service.serving import Served
from tests.toys import MODEL, make_project

ANN = Token("ann", "operator", "ann's token, long enough")
BOB = Token("bob", "viewer", "bob's token, long enough")


@dataclass(frozen=True)
class Api:
    """A running API, and the service behind it."""

    service: Service
    url: str

    def __call__(
        self, method: str, path: str, token: Token | None = ANN, **more: Any
    ) -> requests.Response:
        headers: Mapping[str, str] = more.pop("headers", {})
        if token:
            headers = {"authorization": f"Bearer {token.secret}", **headers}
        return requests.request(method, self.url + path, headers=headers, timeout=30, **more)

    def ask(self, version: str = "2", **more: Any) -> requests.Response:
        return self("POST", "/api/v1/gates", json={"model": MODEL, "version": version, **more})


def away() -> Registry:
    raise RegistryError("could not open the registry: it does not answer")


@contextmanager
def running(
    folder: Path, config: ServiceConfig, registry: Callable[[], Registry] = away
) -> Iterator[Api]:
    database = f"sqlite:///{folder / 'service.db'}"
    project = make_project(folder / "shop")
    with (
        open_service(project, database, config, registry) as service,
        app_parts(service) as parts,
        Served(create_app(service, parts)) as served,
    ):
        yield Api(service, served.url)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path, ServiceConfig(tokens=(ANN, BOB), queue=3)) as opened:
        yield opened


def done(api: Api, evidence: bytes = b'{"schema": 1}') -> Job:
    """A job that ended in PASS and left evidence."""
    job, _ = api.service.jobs.ask(MODEL, "2", "api", "ann")
    folder = api.service.project.settings.output / job.id
    folder.mkdir(parents=True)
    (folder / "evidence.json").write_bytes(evidence)
    (folder / "report.html").write_text("<!doctype html><title>report</title>")
    ended = api.service.jobs.end(
        job.id, "done", verdict="PASS", evidence_digest=evidence_digest(evidence)
    )
    assert ended
    return ended


def test_a_gate_is_asked_for_once_and_followed(api: Api) -> None:
    first = api.ask()
    assert first.status_code == 202
    job = first.json()
    assert (job["state"], job["requested_by"]) == ("queued", "ann")
    assert api.ask().status_code == 200
    assert cast(Noted, api.service.work).enqueued == [job["id"]] * 2
    assert api("GET", f"/api/v1/gates/{job['id']}").json()["id"] == job["id"]
    (line,) = api("GET", f"/api/v1/gates/{job['id']}/journal").json()
    assert line["text"] == "asked for by ann"
    assert api("GET", f"/api/v1/gates/{job['id']}/journal?after=1").json() == []


def test_gates_are_listed_a_page_at_a_time(api: Api) -> None:
    for version in "123":
        api.ask(version)
    first = api("GET", "/api/v1/gates?size=2").json()
    second = api("GET", f"/api/v1/gates?size=2&before={first['older']}").json()
    assert [one["version"] for one in (*first["gates"], *second["gates"])] == ["3", "2", "1"]
    assert second["older"] == ""
    assert api("GET", "/api/v1/gates?state=done&state=parked").json()["gates"] == []
    models = api("GET", "/api/v1/models").json()
    assert [(one["name"], one["latest"]["version"]) for one in models] == [(MODEL, "3")]


def test_a_full_queue_says_when_to_come_again(api: Api) -> None:
    for version in "123":
        api.ask(version)
    full = api.ask("4")
    assert (full.status_code, full.headers["retry-after"]) == (503, "60")


def test_what_waits_is_cancelled_and_what_ended_is_not(api: Api) -> None:
    job = api.ask().json()["id"]
    assert api("POST", f"/api/v1/gates/{job}/cancel").status_code == 202
    assert cast(Noted, api.service.work).cancelled == [job]
    api.service.jobs.end(job, "cancelled")
    assert api("POST", f"/api/v1/gates/{job}/cancel").status_code == 409


def test_evidence_is_given_byte_for_byte_and_only_as_it_was_recorded(api: Api) -> None:
    job = done(api, b'{"schema":  1}')
    evidence = api("GET", f"/api/v1/gates/{job.id}/evidence")
    assert evidence.content == b'{"schema":  1}'
    report = api("GET", f"/api/v1/gates/{job.id}/report")
    assert "sandbox" in report.headers["content-security-policy"]
    (api.service.project.settings.output / job.id / "evidence.json").write_text("{}")
    assert api("GET", f"/api/v1/gates/{job.id}/evidence").status_code == 404


def test_what_only_mlflow_has_is_503_while_it_is_away(api: Api) -> None:
    job, _ = api.service.jobs.ask(MODEL, "2", "api", "ann")
    api.service.jobs.end(job.id, "done", verdict="PASS", mlflow_run="r", evidence_digest="sha256:")
    answer = api("GET", f"/api/v1/gates/{job.id}/evidence")
    assert (answer.status_code, "does not answer" in answer.json()["detail"]) == (503, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"model": MODEL},
        {"model": MODEL, "version": "champion"},
        {"model": "../cards", "version": "1"},
        {"model": MODEL, "version": "1", "unknown": 1},
        {"model": MODEL, "version": 1},
    ],
)
def test_a_wrong_request_is_said_to_be_wrong(api: Api, body: dict[str, Any]) -> None:
    answer = api("POST", "/api/v1/gates", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_model_without_a_card_is_not_found(api: Api) -> None:
    answer = api("POST", "/api/v1/gates", json={"model": "other", "version": "1"})
    assert (answer.status_code, "no card" in answer.json()["detail"]) == (404, True)


CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,response_headers_conformance,missing_required_header"
)
PATHS = (
    "/api/v1/gates",
    "/api/v1/models",
    "/metrics",
    "/api/v1/gates/" + "0" * 24,
    "/api/v1/gates/" + "0" * 24 + "/evidence",
)


@pytest.mark.parametrize("path", PATHS)
def test_who_says_nothing_sees_nothing(api: Api, path: str) -> None:
    answer = api("GET", path, token=None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    wrong = Token("x", "operator", "a token of nobody")
    assert api("GET", path, token=wrong).status_code == 401


def test_a_viewer_looks_and_changes_nothing(api: Api) -> None:
    assert api("GET", "/api/v1/gates", token=BOB).status_code == 200
    body = {"model": MODEL, "version": "2"}
    assert api("POST", "/api/v1/gates", token=BOB, json=body).status_code == 403
    job = done(api)
    assert api("POST", f"/api/v1/gates/{job.id}/cancel", token=BOB).status_code == 403


def test_a_page_elsewhere_cannot_ask_through_a_browser_on_this_machine(tmp_path: Path) -> None:
    body = {"model": MODEL, "version": "2"}
    with running(tmp_path, ServiceConfig()) as api:
        evil = {"origin": "http://evil.example.com"}
        asked = api("POST", "/api/v1/gates", None, json=body, headers=evil)
        assert asked.status_code == 403
        rebound = api("GET", "/api/v1/gates", None, headers={"host": "evil.example.com"})
        assert rebound.status_code == 421
        assert api("POST", "/api/v1/gates", None, json=body).status_code == 202


def test_health_needs_nobody_and_readiness_says_what_is_away(api: Api) -> None:
    assert api("GET", "/health", token=None).json()["status"] == "ok"
    ready = api("GET", "/ready", token=None)
    assert (ready.status_code, ready.json()["database"]) == (200, True)


def test_numbers_are_for_prometheus(api: Api) -> None:
    api.ask()
    done(api)
    text = api("GET", "/metrics").text
    assert 'gates_jobs{state="done"} 1.0' in text
    assert 'gates_verdicts{verdict="PASS"} 1.0' in text
    assert 'gates_request_seconds_count{area="api"}' in text


def test_browsers_are_told_to_be_careful(api: Api) -> None:
    headers = api("GET", "/health", token=None).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers or "uvicorn" in headers["server"]


def test_whatever_is_asked_the_answer_is_one_the_schema_names(tmp_path: Path) -> None:
    config = ServiceConfig(tokens=(ANN, BOB), queue=1_000_000)
    with running(tmp_path, config, Held().opened) as api:
        done(api)
        assert api("GET", "/api/v1/gates").json()["complete"]
        (tmp_path / "schemathesis.toml").write_text("")  # whatever stands above is not ours
        ran = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                *("run", f"{api.url}/api/openapi.json"),
                *("--header", f"Authorization: Bearer {ANN.secret}"),
                *("--checks", CHECKS),
                *("--mode", "all", "--max-examples", "15", "--seed", "1"),
                *("--generation-database", "none", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=250,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Tested: 11" in ran.stdout
