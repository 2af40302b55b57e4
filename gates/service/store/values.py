"""What the service keeps: jobs and deliveries."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

__all__ = [
    "ACTIVE",
    "Job",
    "JobLine",
    "JobState",
    "Origin",
    "Page",
    "Step",
    "WebhookDelivery",
    "new_job_id",
]

JobState = Literal["queued", "running", "done", "parked", "cancelled", "skipped"]
"""`parked` waits for a person: trouble that will not pass. `skipped`: gated before, unchanged."""

ACTIVE: tuple[JobState, ...] = ("queued", "running")

Step = Literal["", "resolve", "environments", "score", "judge", "record", "promote"]
Origin = Literal["webhook", "reconciler", "api", "page", "hand", "ci", "elsewhere", "unknown"]
"""What asked for a gate; from `hand` on, where a gate ran that is not the service's own."""


@dataclass(frozen=True, slots=True)
class Job:
    """One gate that was asked for.

    Attributes:
        id: 24 hexadecimal digits that sort by time of asking.
        version: Its version under test, a number.
        origin: What asked.
        requested_by: Who asked, as the history shall say.
        forced: Whether to gate although the same digests were gated before.
        created_at: When it was asked for.
        started_at: When it was first begun.
        finished_at: When it came to its end, whichever.
        state: Where it is.
        step: The step it is in, or ended in.
        progress: What is being done right now, in a few words.
        judged: How many bounds are judged so far.
        bounds: How many there are; 0 until it is known.
        attempts: How often it was put off so far: because of trouble, or for another gate.
        troubles: How often that was for passing trouble.
        next_attempt_at: When it is tried again, after passing trouble.
        reason: Why it is parked, skipped or cancelled, or is being tried again.
        cancel: Whether somebody asked to stop it.
        executor: The process that works on it.
        candidate_digest: The candidate's artifact digest, once resolved.
        champion: The champion's version number, once resolved; empty when there is none.
        key: Digest over candidate, champion, card and golden set, once resolved.
        same_as: The earlier job with the same key, when skipped.
        verdict: `PASS`, `FAIL` or `UNDECIDED`, once done.
        evidence_digest: The digest of its evidence, once done.
        mlflow_run: The MLflow run that holds the evidence, once recorded.
        summary: What overviews show of its evidence, without reading it.
        told: The state that the version's tags in MLflow tell.
    """

    id: str
    model: str
    version: str
    origin: Origin
    requested_by: str
    forced: bool
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    state: JobState = "queued"
    step: Step = ""
    progress: str = ""
    judged: int = 0
    bounds: int = 0
    attempts: int = 0
    troubles: int = 0
    next_attempt_at: datetime | None = None
    reason: str = ""
    cancel: bool = False
    executor: str = ""
    candidate_digest: str = ""
    champion: str = ""
    key: str = ""
    same_as: str = ""
    verdict: str = ""
    evidence_digest: str = ""
    mlflow_run: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""

    @property
    def uri(self) -> str:
        """The candidate, as `models:/name/7`."""
        return f"models:/{self.model}/{self.version}"

    @property
    def place(self) -> str:
        """Where it stands among all gates: the later, the larger."""
        return self.id


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """A webhook delivery that was let in.

    Attributes:
        id: MLflow's delivery id; a retry has the same.
        received_at: When it came.
        body: What it said.
        state: `new` until it was read; `used` when it asked for a gate, else `ignored`.
        outcome: What became of it, in words.
        job_id: The job it asked for.
    """

    id: str
    received_at: datetime
    body: bytes
    state: Literal["new", "used", "ignored"] = "new"
    outcome: str = ""
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class JobLine:
    """One line of a job's journal; `place` counts from 1."""

    place: int
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, newest first.

    Attributes:
        older: What to ask the next page with (`before`); empty when there is none.
    """

    jobs: tuple[Job, ...]
    older: str = ""


def new_job_id() -> str:
    """An id that nobody has, and that sorts after those made before it, to the millisecond."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
