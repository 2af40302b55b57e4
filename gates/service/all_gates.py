"""Every gate: the service's jobs, and those that MLflow holds of gates run elsewhere, in one list.

A gate that both know is shown once, as the job. MLflow is never waited for longer than half a
second; while it is away, what was seen of it last counts, and `is_complete` says so.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gates.service.last_seen import Glimpse, LastSeenRegistry
from gates.service.recorded import PlacedGate, RecordedGate, recorded_gate
from gates.service.store.jobs import Jobs
from gates.service.store.values import Job, JobState, Page

__all__ = ["AllGates", "is_complete"]


def is_complete(glimpses: Mapping[str, Glimpse]) -> bool:
    """Whether MLflow was read for all of some models, so that no gate run elsewhere is missing."""
    return all(one.is_sure for one in glimpses.values())


class AllGates:
    """Every gate that the service or MLflow knows.

    Args:
        jobs: The service's own.
        last_seen: What MLflow holds.
    """

    def __init__(self, jobs: Jobs, last_seen: LastSeenRegistry) -> None:
        self._jobs = jobs
        self._last_seen = last_seen

    def find(self, gate_id: str, models: Iterable[str]) -> Job | None:
        """The gate with an id: a job's, or that of the MLflow run that records it.

        Args:
            models: The models that it may be of, where it is no job's.
        """
        is_job = len(gate_id) == 24
        job = self._jobs.job(gate_id) if is_job else None
        if job is not None:
            return job
        for glimpse in self._last_seen.of(models, 0.0 if is_job else 0.5).values():
            if gate_id in glimpse.own:
                return self._jobs.job(glimpse.own[gate_id])
            for one in glimpse.elsewhere:
                if gate_id == one.id:
                    return recorded_gate(one)
        return None

    def page(
        self,
        glimpses: Mapping[str, Glimpse],
        *,
        model: str | None = None,
        states: Sequence[JobState] = (),
        verdict: str | None = None,
        before: str = "",
        size: int = 50,
    ) -> Page:
        """Gates, newest first.

        Args:
            glimpses: What MLflow holds, of each model that is listed.
            model: See `Jobs.page`.
            states: See `Jobs.page`.
            verdict: See `Jobs.page`.
            before: Only those that stand behind this place (`Page.older`).
            size: How many.
        """
        own = self._jobs.page(model=model, states=states, verdict=verdict, before=before, size=size)
        if states and "done" not in states:
            return own
        shown = {job.mlflow_run for job in own.jobs}
        elsewhere = (
            one
            for name, glimpse in glimpses.items()
            if model in {None, name}
            for one in glimpse.elsewhere
            if verdict in {None, one.event.verdict}
            and (not before or one.place < before)
            and (not one.event.run_id or one.event.run_id not in shown)
        )
        newest = heapq.nlargest(size + 1, elsewhere, key=lambda one: one.place)
        both: list[Job] = [*own.jobs, *map(recorded_gate, newest)]
        both.sort(key=lambda job: job.place, reverse=True)
        more = len(both) > size or bool(own.older)
        return Page(tuple(both[:size]), both[size - 1].place if more else "")

    def latest(self, glimpses: Mapping[str, Glimpse]) -> Mapping[str, Job]:
        """The newest gate of each model that has any.

        Args:
            glimpses: What MLflow holds.
        """
        found: dict[str, Job] = {job.model: job for job in self._jobs.latest()}
        for name, glimpse in glimpses.items():
            if glimpse.elsewhere:
                newest = recorded_gate(glimpse.elsewhere[0])
                found[name] = _newer(found.get(name), newest)
        return found

    def latest_of(self, model: str, versions: Sequence[str], glimpse: Glimpse) -> Mapping[str, Job]:
        """The newest gate of each of some versions that has any.

        Args:
            versions: Their numbers.
            glimpse: What MLflow holds.
        """
        found = dict(self._jobs.latest_of(model, versions))
        for one in _newest_of_versions(glimpse):
            version = one.event.version
            if version in versions:
                found[version] = _newer(found.get(version), recorded_gate(one))
        return found

    def trends(
        self, size: int, glimpses: Mapping[str, Glimpse], model: str | None = None
    ) -> Mapping[str, tuple[Job, ...]]:
        """The newest verdict on each of the versions gated last, oldest version first.

        Args:
            size: How many versions of each model.
            glimpses: What MLflow holds.
            model: Of this model only.
        """
        found = dict(self._jobs.trends(size, model))
        for name, glimpse in glimpses.items():
            versions: dict[str, Job] = {job.version: job for job in found.get(name, ())}
            for one in itertools.islice(_newest_of_versions(glimpse), size):
                version = one.event.version
                versions[version] = _newer(versions.get(version), recorded_gate(one))
            last = heapq.nlargest(size, versions.values(), key=lambda job: job.place)
            if last:
                last.sort(key=lambda job: (len(job.version), job.version))
                found[name] = tuple(last)
        return found


def _newer(job: Job | None, recorded: RecordedGate) -> Job:
    if job is None:
        return recorded
    is_same = bool(recorded.mlflow_run) and job.mlflow_run == recorded.mlflow_run
    return job if is_same or job.place > recorded.place else recorded


def _newest_of_versions(glimpse: Glimpse) -> Iterator[PlacedGate]:
    seen: set[str] = set()
    for one in glimpse.elsewhere:
        if one.event.version not in seen:
            seen.add(one.event.version)
            yield one
