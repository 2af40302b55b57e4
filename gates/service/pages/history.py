"""A model's history as its page shows it: what MLflow recorded, and the service's own jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gates.registry import Event
from gates.service.last_seen import Glimpse
from gates.service.recorded import PlacedGate
from gates.service.store.values import Job

__all__ = ["Entry", "history_entries"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done to a model.

    Attributes:
        event: What the registry recorded; None for a job that it holds nothing of.
        job: A job that the registry holds nothing of, or not yet.
        gate: The id of the gate's page; empty where there is none.
    """

    when: datetime
    event: Event | None = None
    job: Job | None = None
    gate: str = ""


def history_entries(glimpse: Glimpse, jobs: Sequence[Job], most: int) -> tuple[list[Entry], int]:
    """What was done to a model, newest first; a gate that both know stands once.

    Args:
        glimpse: What the registry says.
        jobs: The service's newest jobs of the model.
        most: How many entries.

    Returns:
        The entries, and how many older ones of the registry are left out.
    """
    recorded = {one.run_id for one in glimpse.events if one.run_id}
    own = {job for run, job in glimpse.own.items() if run in recorded}
    found = [Entry(one.when, one, gate=_page(one, glimpse)) for one in glimpse.events[:most]]
    for job in jobs:
        if job.id not in own and job.mlflow_run not in recorded:
            # The order of the events stands: moves are in that of their turns, whatever clocks say.
            place = next(
                (at for at, one in enumerate(found) if one.when < job.created_at), len(found)
            )
            found.insert(place, Entry(job.created_at, job=job, gate=job.id))
    shown = found[:most]
    return shown, len(glimpse.events) - sum(one.event is not None for one in shown)


def _page(event: Event, glimpse: Glimpse) -> str:
    if event.kind != "gate" or event.state == "failed":
        return ""
    return glimpse.own.get(event.run_id, "") or PlacedGate.of(event).id
