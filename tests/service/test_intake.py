"""Which events ask for a gate, and what the registry tells that no webhook told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from gates.errors import RegistryError
from gates.registry import Listed, Registry
from gates.service.config import ServiceConfig, Trigger
from gates.service.context import Service
from gates.service.intake import Intake, asks
from gates.service.reconciler import Reconciler, missed
from gates.service.store.values import WebhookDelivery
from gates.service.webhook import RegistryEvent
from tests.service.deliveries import Sent, delivery
from tests.service.parts import Noted, open_service
from tests.toys import MODEL, make_project

CREATED = Trigger("created")
ALL = (CREATED, Trigger("alias", "next"), Trigger("tag", "ready", "yes"), Trigger("tag", "gate"))


class Listing:
    """A registry that lists what it is told."""

    def __init__(self, versions: Mapping[str, tuple[Listed, ...]], **aliases: str) -> None:
        self._versions = versions
        self._aliases = aliases

    def versions(self, name: str) -> tuple[Listed, ...]:
        if name not in self._versions:
            raise RegistryError("it does not answer")
        return self._versions[name]

    def aliases(self, name: str) -> Mapping[str, str]:
        return self._aliases

    def events(self, _: str, __: datetime | None = None) -> tuple[()]:
        return ()

    def turns(self, _: str) -> tuple[()]:
        return ()


def listed(*numbers: int, **tags: str) -> tuple[Listed, ...]:
    when = datetime(2026, 11, 24, tzinfo=UTC)
    return tuple(Listed(MODEL, str(number), when, tags) for number in numbers)


@pytest.fixture
def service(tmp_path: Path) -> Any:
    project = make_project(tmp_path / "shop")
    registry = cast(Registry, Listing({MODEL: listed(3, 2, 1)}, champion="1"))
    database = f"sqlite:///{tmp_path / 'service.db'}"
    with open_service(project, database, ServiceConfig(queue=5), lambda: registry) as opened:
        yield opened


def arrive(service: Service, *sent: Sent) -> None:
    now = datetime.now(UTC)
    service.inbox.take(
        [WebhookDelivery(one.headers["x-mlflow-delivery-id"], now, one.body) for one in sent]
    )


def test_the_chosen_events_ask_and_the_others_say_why_not() -> None:
    def event(entity: str, action: str, **more: str) -> RegistryEvent:
        return RegistryEvent(entity, action, MODEL, "2", **more)

    assert asks(event("model_version", "created"), ALL, "champion") == ""
    assert asks(event("model_version", "created"), ALL[1:], "champion")
    assert asks(event("model_version_alias", "created", alias="next"), ALL, "champion") == ""
    assert asks(event("model_version_alias", "created", alias="other"), ALL, "champion")
    assert asks(event("model_version_alias", "deleted", alias="next"), ALL, "champion")
    tag = event("model_version_tag", "set", key="ready", value="yes")
    assert asks(tag, ALL, "champion") == ""
    assert asks(replace(tag, value="no"), ALL, "champion")
    assert asks(replace(tag, key="gate", value="whatever"), ALL, "champion") == ""


def test_what_the_service_writes_itself_asks_for_nothing() -> None:
    triggers = (*ALL, Trigger("alias", "champion"), Trigger("tag", "gates.status"))
    own = [
        RegistryEvent("model_version_tag", "set", MODEL, "2", key="gates.status", value="done"),
        RegistryEvent("model_version_alias", "created", MODEL, "2", alias="champion"),
    ]
    assert all(asks(event, triggers, "champion") for event in own)


def test_a_delivery_becomes_one_job_however_often_it_is_told(service: Service) -> None:
    arrive(service, delivery(version="2"), delivery(version="2"), delivery(version="3"))
    assert Intake(service).once() is False
    jobs = service.jobs.page().jobs
    assert sorted(job.version for job in jobs) == ["2", "3"]
    assert set(cast(Noted, service.work).enqueued) == {job.id for job in jobs}
    assert service.inbox.waiting() == ()
    assert "delivery" in service.jobs.lines(jobs[0].id)[0].text


@pytest.mark.parametrize(
    "data",
    [
        {"name": "example_model", "version": "1"},
        {"name": "../../etc/passwd"},
        {"name": "toy-ranker\x00"},
        {"version": "1; drop"},
        {"version": ""},
        {"name": None},
        {"version": True},
    ],
)
def test_what_names_no_model_of_ours_is_ignored_with_a_reason(
    service: Service, data: dict[str, Any]
) -> None:
    arrive(service, delivery(**data))
    Intake(service).once()
    assert service.jobs.page().jobs == ()
    assert service.inbox.waiting() == ()


def test_what_a_full_queue_cannot_take_waits_and_is_taken_later(service: Service) -> None:
    arrive(service, *(delivery(version=str(number)) for number in range(1, 8)))
    intake = Intake(service)
    intake.once()
    assert len(service.jobs.page().jobs) == 5
    assert len(service.inbox.waiting()) == 2
    for job in service.jobs.page().jobs:
        service.jobs.end(job.id, "done", verdict="PASS")
    intake.once()
    assert service.inbox.waiting() == ()


def test_one_host_at_a_time_reads(service: Service) -> None:
    arrive(service, delivery())
    first, second = Intake(service), Intake(service)
    first.once()
    arrive(service, delivery(version="3"))
    second.once()
    assert len(service.inbox.waiting()) == 1
    first.stop()
    second.once()
    assert service.inbox.waiting() == ()


def test_the_registry_tells_what_no_webhook_told(service: Service) -> None:
    reconciler = Reconciler(service)
    first = reconciler.once()
    assert [service.jobs.job(one).version for one in first] == ["3"]  # type: ignore[union-attr]
    assert [service.jobs.job(one).version for one in reconciler.once()] == ["2"]  # type: ignore[union-attr]
    for job in service.jobs.page().jobs:
        service.jobs.end(job.id, "done", verdict="FAIL")
    assert reconciler.once() == ()


def test_jobs_nobody_works_on_are_handed_out_again(service: Service) -> None:
    job, _ = service.jobs.ask(MODEL, "9", "api", "ann")
    Reconciler(service).once()
    assert job.id in cast(Noted, service.work).enqueued


def test_a_registry_that_is_away_is_said_so(service: Service) -> None:
    away = replace(service, registry=lambda: cast(Registry, Listing({})))
    with pytest.raises(RegistryError):
        Reconciler(away).once()


def test_only_what_is_newer_than_production_was_missed() -> None:
    def found(
        versions: tuple[Listed, ...], known: frozenset[str] = frozenset({"1"}), **aliases: str
    ) -> list[str]:
        return [one.version for one, _ in missed(versions, dict(aliases), "champion", known, ALL)]

    assert found(listed(5, 4, 3, 2, 1), champion="3") == ["5", "4"]
    assert found(listed(5, 4, 3), frozenset(), champion="3") == ["5"]
    assert found(listed(5, 4), frozenset({"5"}), champion="3") == ["4"]
    assert found(listed(5, **{"gates.verdict": "PASS"}), champion="3") == []
    assert found(listed(2), champion="3") == []
    assert found(listed(2), champion="3", next="2") == ["2"]
    assert found(listed(2, ready="yes"), champion="3") == ["2"]
    assert found(listed(2, ready="no"), champion="3") == []
    assert found(listed(3, ready="yes"), champion="3") == []
    assert found(listed(2, 1), frozenset()) == ["2"]
