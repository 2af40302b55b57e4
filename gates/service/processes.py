"""The gates' processes of this service: at most one a job, within its time."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from gates.run.request import RunRequest
from gates.service.running import Running
from gates.service.store.values import Job
from gates.settings import Settings

__all__ = ["Processes"]


class Processes:
    """The processes, each with the moment when its time is up.

    Args:
        settings: Where the project, the cache and MLflow are.
        limit: How long a gate may take.
    """

    def __init__(self, settings: Settings, limit: timedelta) -> None:
        self._settings = settings
        self.limit = limit
        self._running: dict[str, tuple[Running, float]] = {}

    def folder(self, job_id: str) -> Path:
        """The run's folder of a job."""
        return self._settings.output / job_id

    def of(self, job_id: str) -> tuple[Running, float] | None:
        """The process of a job, and when its time is up on the monotonic clock, if it has one."""
        return self._running.get(job_id)

    def start(self, job: Job, card: Path) -> tuple[Running, float]:
        """Start the process of a job; it takes over what an earlier one left in the folder.

        Args:
            card: The model's card.

        Returns:
            As `of` does.

        Raises:
            OSError: It could not be started.
        """
        folder = self.folder(job.id)
        folder.mkdir(parents=True, exist_ok=True)
        request = RunRequest(
            self._settings,
            card,
            job.uri,
            champion=f"models:/{job.model}/{job.champion}" if job.champion else None,
            folder=folder,
            logged=False,
        )
        until = time.monotonic() + self.limit.total_seconds()
        running = Running(request, self._aside(job.id, "lock"), self._aside(job.id, "log"))
        started = running, until
        self._running[job.id] = started
        return started

    def forget(self, job_id: str) -> None:
        """Forget the process of a job: it has ended, or was ended."""
        self._running.pop(job_id, None)

    def clean(self, job_id: str) -> None:
        """Remove what lay beside the folder of a job while it was worked on."""
        for kind in ("log", "lock"):
            self._aside(job_id, kind).unlink(missing_ok=True)

    def _aside(self, job_id: str, kind: str) -> Path:
        return self._settings.output / f".{job_id}.{kind}"
