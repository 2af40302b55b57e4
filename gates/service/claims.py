"""Who gates an artifact: one job at a time, on one host."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from gates.service.store.leases import Leases
from gates.service.store.values import Job

__all__ = ["Claims"]


class Claims:
    """The claims of one process on artifacts; a claim is good for twice the time of a takeover.

    Args:
        leases: What only one may do at a time.
        executor: This process, by a name that it has again after a restart.
        takeover: After how long of silence another host takes over.
    """

    def __init__(self, leases: Leases, executor: str, takeover: timedelta) -> None:
        self._leases = leases
        self._executor = executor
        self._span = 2 * takeover

    def take(self, job: Job, candidate_digest: str) -> bool:
        """Claim an artifact for a job, or hold on to it.

        Args:
            candidate_digest: Of the artifact.

        Returns:
            Whether the job has it now; else another one gates it.
        """
        return self._leases.take(_name(job, candidate_digest), self._holder(job), self._span)

    def give_back(self, job: Job) -> None:
        """Let others gate the artifact of a job."""
        if job.candidate_digest:
            self._leases.give_back(_name(job, job.candidate_digest), self._holder(job))

    def _holder(self, job: Job) -> str:
        return f"{job.id}@{self._executor}"[:64]


def _name(job: Job, candidate_digest: str) -> str:
    about = "\n".join((candidate_digest, job.model))
    return f"gate:{hashlib.sha256(about.encode()).hexdigest()}"
