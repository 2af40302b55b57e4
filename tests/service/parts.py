"""A service for tests: its parts are real; its work is noted instead of done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gates.project import Project
from gates.registry import Registry
from gates.service.app import AppParts
from gates.service.config import ServiceConfig
from gates.service.context import Service
from gates.service.last_seen import LastSeenRegistry
from gates.service.metrics import Metrics
from gates.service.receiving import Receiver
from gates.service.store.database import open_database, service_key
from gates.service.store.inbox import Inbox
from gates.service.store.jobs import Jobs
from gates.service.store.leases import Leases
from gates.service.store.sessions import EndedSessions
from gates.service.tries import Tries
from gates.settings import load_settings


class Noted:
    """Work that notes what it was given."""

    def __init__(self) -> None:
        self.enqueued: list[str] = []
        self.cancelled: list[str] = []

    def enqueue(self, job_id: str) -> None:
        self.enqueued.append(job_id)

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)


@contextmanager
def open_service(
    project: Path,
    database: str,
    config: ServiceConfig,
    registry: Callable[[], Registry],
) -> Iterator[Service]:
    """A service over a project, with noted work."""
    engine = open_database(database)
    jobs = Jobs(engine)
    yield Service(
        config,
        Project(load_settings(project, environ={})),
        jobs,
        Inbox(engine),
        Leases(engine),
        registry,
        Noted(),
        LastSeenRegistry(registry, jobs.recorded),
        EndedSessions(engine),
        Tries(config),
        service_key(engine),
    )
    engine.dispose()


@contextmanager
def app_parts(service: Service) -> Iterator[AppParts]:
    """What an app is made of, its receiver running."""
    receiver = Receiver(service.inbox, lambda: None)
    receiver.start()
    yield AppParts(receiver, _metrics(service), lambda: "")
    receiver.stop()


def _metrics(service: Service) -> Metrics:
    return Metrics(service.jobs, service.last_seen, service.project.models)
