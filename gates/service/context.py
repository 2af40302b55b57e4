"""What every part of the service is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gates.project import Project
from gates.registry import Registry
from gates.service.config import ServiceConfig
from gates.service.last_seen import LastSeenRegistry
from gates.service.store.inbox import Inbox
from gates.service.store.jobs import Jobs
from gates.service.store.leases import Leases
from gates.service.store.sessions import EndedSessions
from gates.service.tries import Tries

__all__ = ["Resources", "Service", "Work"]


class Work(Protocol):
    """The durable way of jobs; `gates.service.work` goes it on DBOS."""

    def enqueue(self, job_id: str) -> None:
        """Have a queued job worked on, by this process or another; once, however often called."""

    def cancel(self, job_id: str) -> None:
        """Stop a job: at once while it is queued, else at the end of the gate's process."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What durable work rests on.

    Attributes:
        config: What the service was told.
        project: Its folder, settings and cards.
        jobs: Gates that were asked for.
        leases: What only one may do at a time.
        registry: Opens the registry; each thread opens its own.
    """

    config: ServiceConfig
    project: Project
    jobs: Jobs
    leases: Leases
    registry: Callable[[], Registry]


@dataclass(frozen=True, slots=True)
class Service:
    """One service, open.

    Attributes:
        config: What it was told.
        project: Its folder, settings and cards.
        jobs: Gates that were asked for.
        inbox: Deliveries.
        leases: What only one may do at a time.
        registry: Opens the registry; each thread opens its own.
        work: The durable way of jobs.
        last_seen: What MLflow holds, as it was seen last.
        ended: Sessions that were signed out of.
        tries: Tries at tokens.
        key: A key that this service and its other hosts share.
    """

    config: ServiceConfig
    project: Project
    jobs: Jobs
    inbox: Inbox
    leases: Leases
    registry: Callable[[], Registry]
    work: Work
    last_seen: LastSeenRegistry
    ended: EndedSessions
    tries: Tries
    key: bytes = field(repr=False)
