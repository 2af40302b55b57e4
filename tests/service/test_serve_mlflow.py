"""The whole way: a real MLflow server, a real `gates serve`, versions registered by the client."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from mlflow import MlflowClient

from gates.environments.cache import EnvironmentCache
from gates.golden import golden_digest
from gates.packaging import package
from gates.registry.mlflow import MlflowRegistry
from tests.sealed import record_of
from tests.servers import Between, MlflowServer
from tests.service.processes import GATES, GatesServe, eventually
from tests.toys import MODEL, make_project, set_params

GOOD: dict[str, Any] = {"weights": {"good": 1.0, "noise": 0.0}}
WEAK: dict[str, Any] = {"weights": {"good": 0.3, "noise": 1.0}}
HANGS: dict[str, Any] = {"weights": {"good": 1.0}, "trick": "hangs"}


@dataclass
class Shop:
    """A project whose versions go to a server of its own."""

    project: Path
    server: MlflowServer
    cache: Path

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.server.uri, self.server.uri)

    @property
    def registry(self) -> MlflowRegistry:
        return MlflowRegistry(self.server.uri, self.cache)

    def register(self, **params: Any) -> str:
        """Package a version; gives its number."""
        set_params(self.project, **params)
        made = package(
            MODEL,
            models=self.project / "models",
            registry=self.registry,
            environments=EnvironmentCache(self.cache),
            golden_digest=golden_digest(self.project / "golden" / MODEL),
            by="tests",
            progress=lambda _: None,
        )
        return made.version

    def tags(self, version: str) -> dict[str, str]:
        return dict(self.client.get_model_version(MODEL, version).tags)

    def champion(self) -> str | None:
        return self.registry.aliases(MODEL).get("champion")

    def gate_events(self, version: str) -> int:
        """How often a gate of a version was recorded."""
        events = self.registry.events(MODEL)
        return sum(one.kind == "gate" and one.version == version for one in events)

    def deliveries(self) -> list[tuple[str, str]]:
        """State and outcome of every delivery the service took in."""
        engine = sa.create_engine(f"sqlite:///{self.project / '.gates' / 'service.db'}")
        with closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT state, outcome FROM gates_deliveries")
            found = [tuple(row) for row in cursor.fetchall()]
        engine.dispose()
        return found


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with MlflowServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, started: MlflowServer, gates_cache: Path) -> Iterator[Shop]:
    """A shop with the weak version as champion, on a server that knew no model."""
    project = make_project(tmp_path / "shop")
    made = Shop(project, started, gates_cache)
    assert made.register(**WEAK) == "1"
    made.client.set_registered_model_alias(MODEL, "champion", "1")
    made.client.set_model_version_tag(MODEL, "1", "gates.verdict", "PASS")
    yield made
    for hook in made.client.list_webhooks():
        made.client.delete_webhook(hook.webhook_id)
    made.client.delete_registered_model(MODEL)
    # Events of one test are no history for the next.
    experiment = made.client.get_experiment_by_name(f"gates/{MODEL}")
    if experiment:
        made.client.rename_experiment(experiment.experiment_id, f"done/{tmp_path.name}")


@pytest.fixture
def promoting(shop: Shop) -> Shop:
    """The shop, its card promoting on PASS."""
    card = shop.project / "model_cards" / f"{MODEL}.md"
    card.write_text(card.read_text().replace("task: ranking", "task: ranking\npromote: on-pass"))
    return shop


@pytest.fixture
def serving(shop: Shop) -> Iterator[Callable[..., GatesServe]]:
    """Makes services of the shop, and ends those that still run."""
    made: list[GatesServe] = []

    def make(tracking_uri: str = "", **environ: str) -> GatesServe:
        where = tracking_uri or shop.server.uri
        made.append(GatesServe(shop.project, where, shop.cache, environ=environ))
        return made[-1]

    yield make
    for one in made:
        one.__exit__()


def _install(service: GatesServe, on: str) -> None:
    done = subprocess.run(
        [*GATES, "webhook", "install", "--url", service.url, "--on", on],
        env=service.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "a delivery was sent, signed and taken in" in done.stdout


def test_a_registered_version_is_gated_and_promoted_and_nothing_else_is_started(
    promoting: Shop, serving: Callable[..., GatesServe]
) -> None:
    on = "created,alias:candidate,tag:ready"
    service = serving(GATES_SERVE_ON=on)
    service.start()
    _install(service, on)
    version = promoting.register(**GOOD)
    job = service.job_when(version)
    assert (job["origin"], job["verdict"]) == ("webhook", "PASS")
    assert promoting.tags(version)["gates.verdict"] == "PASS"
    assert eventually(promoting.champion) == version
    eventually(lambda: promoting.tags(version)["gates.status"] == "done")
    tags = promoting.tags(version)
    assert tags["gates.link"] == f"{service.url}/gates/{job['id']}"
    record = record_of(service.get(f"/api/v1/gates/{job['id']}/evidence"))
    assert record["verdict"]["outcome"] == "PASS"

    # A delivery of a tag that asks comes after all of the service's own; then all were read.
    weak = promoting.register(**WEAK)
    assert service.job_when(weak)["verdict"] == "FAIL"
    assert promoting.champion() == version
    promoting.client.set_model_version_tag(MODEL, weak, "ready", "yes")
    eventually(lambda: sum(one["version"] == weak for one in service.jobs()) == 2)
    assert service.job_when(weak, ["skipped", "done"])
    assert [one["version"] for one in service.jobs()].count(version) == 1
    ignored = [outcome for state, outcome in promoting.deliveries() if state == "ignored"]
    assert any("says what is in production" in outcome for outcome in ignored)
    assert any("is written by mlgates itself" in outcome for outcome in ignored)
    assert promoting.gate_events(version) == 1
    assert service.terminate() == 0
    assert "Traceback" not in service.log


def test_a_service_killed_in_a_gate_goes_on_and_records_it_once(
    shop: Shop, serving: Callable[..., GatesServe]
) -> None:
    service = serving()
    service.start()
    _install(service, "created")
    version = shop.register(**HANGS)
    job = service.job_when(version, ["running"], ["score", "judge"])
    service.kill()
    service.start()
    ended = service.job_when(version)
    assert ended["id"] == job["id"]
    assert ended["verdict"] == "UNDECIDED"
    assert shop.gate_events(version) == 1
    assert [one["id"] for one in service.jobs() if one["version"] == version] == [job["id"]]
    places = [line["place"] for line in service.get(f"/api/v1/gates/{job['id']}/journal")]
    assert places == sorted(set(places))


def test_what_no_delivery_told_is_found_though_mlflow_was_away_and_is_slow(
    shop: Shop, serving: Callable[..., GatesServe]
) -> None:
    first = serving()
    first.start()
    _install(first, "created")
    assert first.terminate() == 0
    version = shop.register(**GOOD)  # its delivery finds nobody
    shop.server.kill()
    with Between(shop.server.uri) as between:
        between.delay = 0.1
        service = serving(between.uri, GATES_SERVE_POLL="1s")
        service.start()
        eventually(lambda: service.get("/ready")["registry"] == "away")
        assert service.get("/ready")["status"] == "ready"
        assert service.jobs() == []
        shop.server.start()
        job = service.job_when(version)
        assert (job["origin"], job["verdict"]) == ("reconciler", "PASS")
        eventually(lambda: service.get("/ready")["registry"] == "")
        assert shop.gate_events(version) == 1
        assert len([one for one in service.jobs() if one["version"] == version]) == 1
        assert service.terminate() == 0
