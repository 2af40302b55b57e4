"""What the service must not forget, in SQLite as in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gates.errors import ServiceError, UsageError
from gates.service.store.database import open_database, service_key
from gates.service.store.inbox import Inbox
from gates.service.store.jobs import Jobs, QueueFull
from gates.service.store.leases import Leases
from gates.service.store.schema import schema
from gates.service.store.values import WebhookDelivery, new_job_id


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    opened = open_database(database)
    yield opened
    opened.dispose()


@pytest.fixture
def jobs(engine: sa.Engine) -> Jobs:
    return Jobs(engine)


def test_a_version_has_one_active_job_whoever_asks_and_however_many_at_once(jobs: Jobs) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: jobs.ask("shop", "7", "webhook", "mlflow"), range(24)))
    assert len({job.id for job, _ in answers}) == 1
    assert sum(new for _, new in answers) == 1
    job = answers[0][0]
    assert jobs.end(job.id, "done", verdict="PASS") is not None
    again, new = jobs.ask("shop", "7", "api", "ann", forced=True)
    assert new
    assert again.id > job.id


def test_what_ended_stays_as_it_ended(jobs: Jobs) -> None:
    job, _ = jobs.ask("shop", "1", "api", "ann")
    running = jobs.change(job.id, state="running", step="resolve", progress="x" * 1_000)
    assert running is not None
    assert (running.state, len(running.progress)) == ("running", 300)
    cancelled = jobs.end(job.id, "cancelled", "no longer wanted")
    assert cancelled is not None
    assert cancelled.finished_at is not None
    assert cancelled.finished_at.tzinfo
    assert jobs.change(job.id, progress="late") is None
    assert jobs.end(job.id, "done", verdict="PASS") is None
    found = jobs.job(job.id)
    assert found == cancelled


def test_a_full_queue_takes_no_more(jobs: Jobs) -> None:
    for version in range(3):
        jobs.ask("shop", str(version), "webhook", "mlflow", most_waiting=3)
    with pytest.raises(QueueFull, match="3 gates are queued"):
        jobs.ask("shop", "9", "webhook", "mlflow", most_waiting=3)
    assert jobs.ask("shop", "1", "webhook", "mlflow", most_waiting=3)[1] is False


def test_pages_lead_through_all_jobs_newest_first(jobs: Jobs) -> None:
    ids = [jobs.ask("shop", str(version), "api", "ann")[0].id for version in range(5)]
    jobs.ask("other", "1", "api", "ann")
    first = jobs.page(model="shop", size=3)
    second = jobs.page(model="shop", size=3, before=first.older)
    assert [one.id for one in (*first.jobs, *second.jobs)] == sorted(ids, reverse=True)
    assert second.older == ""
    assert [one.model for one in jobs.latest()] == ["other", "shop"]
    assert jobs.counts() == {"queued": 6}
    assert jobs.known_versions("shop") == frozenset("01234")


def test_what_overviews_show_of_many_models_is_found_at_once(jobs: Jobs) -> None:
    for model in ("lamps", "shop"):
        for version, verdict in (("1", "PASS"), ("2", "FAIL"), ("3", "PASS"), ("2", "PASS")):
            job, _ = jobs.ask(model, version, "api", "ann")
            jobs.end(job.id, "done", verdict=verdict)
            while new_job_id()[:12] == job.id[:12]:  # ids sort to the millisecond
                pass
    waits, _ = jobs.ask("shop", "4", "api", "ann")
    runs, _ = jobs.ask("shop", "5", "api", "ann")
    jobs.change(runs.id, state="running")
    assert jobs.waiting() == {"shop": {"queued": 1, "running": 1}}
    trends = jobs.trends(2)
    assert list(trends) == ["lamps", "shop"]
    found = [(job.version, job.verdict) for job in trends["shop"]]
    assert found == [("2", "PASS"), ("3", "PASS")]
    assert jobs.trends(5, "lamps").keys() == {"lamps"}
    assert [job.version for job in jobs.trends(5, "lamps")["lamps"]] == ["1", "2", "3"]
    newest = jobs.latest_of("shop", ["2", "4", "9"])
    assert {version: job.verdict for version, job in newest.items()} == {"2": "PASS", "4": ""}
    assert newest["4"].id == waits.id


def test_the_same_digests_are_found_again(jobs: Jobs) -> None:
    first, _ = jobs.ask("shop", "1", "api", "ann")
    jobs.change(first.id, key="sha256:a")
    second, _ = jobs.ask("shop", "2", "api", "ann")
    assert jobs.same("sha256:a", second.id) is None
    jobs.end(first.id, "done", verdict="PASS")
    same = jobs.same("sha256:a", second.id)
    assert same is not None
    assert same.id == first.id
    assert jobs.same("sha256:a", first.id) is None


def test_a_journal_keeps_its_order_from_many_threads(jobs: Jobs) -> None:
    job, _ = jobs.ask("shop", "1", "api", "ann")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda place: jobs.note(job.id, f"line {place}"), range(40)))
    lines = jobs.lines(job.id)
    assert [line.place for line in lines] == list(range(1, 41))
    assert {line.text for line in lines} == {f"line {place}" for place in range(40)}
    assert [line.place for line in jobs.lines(job.id, after=38)] == [39, 40]


def test_a_delivery_is_taken_once(engine: sa.Engine) -> None:
    inbox, now = Inbox(engine), datetime.now(UTC)
    one, two = (
        WebhookDelivery("a", now, b"{}"),
        WebhookDelivery("b", now + timedelta(seconds=1), b"[]"),
    )
    assert inbox.take([one, two, one]) == (True, True, False)
    assert inbox.take([one]) == (False,)
    assert [delivery.id for delivery in inbox.waiting()] == ["a", "b"]
    inbox.settle("a", "used", "asked for a gate", "job")
    assert [delivery.id for delivery in inbox.waiting()] == ["b"]
    assert inbox.forget(timedelta(days=1)) == 0
    assert inbox.forget(timedelta(0)) == 1
    assert inbox.take([two]) == (False,)


def test_a_lease_has_one_holder_until_it_runs_out(engine: sa.Engine) -> None:
    leases = Leases(engine)
    minute = timedelta(minutes=1)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda who: leases.take("gate:x", str(who), minute), range(16)))
    assert sum(taken) == 1
    holder = str(taken.index(True))
    assert leases.take("gate:x", holder, minute)
    assert leases.held("gate:") == {"gate:x": holder}
    leases.give_back("gate:x", "another")
    assert not leases.take("gate:x", "another", minute)
    leases.give_back("gate:x", holder)
    assert leases.take("gate:x", "another", timedelta(seconds=-1))
    assert leases.take("gate:x", holder, minute)


def test_a_store_of_another_version_is_refused_with_advice(
    database: str, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(schema.update().values(version=99))
    with pytest.raises(ServiceError, match="version 99"):
        open_database(database)


def test_hosts_that_start_at_once_make_one_store_and_share_its_key(database: str) -> None:
    def opened(_: int) -> bytes:
        engine = open_database(database)
        try:
            return service_key(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(opened, range(6)))) == 1


@pytest.mark.requires_postgres
def test_a_server_that_refuses_is_said_without_its_password(cluster: str) -> None:
    with pytest.raises(ServiceError, match="cannot be opened") as caught:
        open_database(f"{cluster}/no_such_database")
    assert "p:ss" not in str(caught.value)
    assert "p%3Ass" not in str(caught.value)
    assert "no_such_database" in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://host/x", "sqlite://", "nonsense", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        open_database(url)


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "service.db").write_text("not a database, but a text of some length\n" * 100)
    with pytest.raises(ServiceError, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path / 'service.db'}")
