"""Gates that stand in MLflow and that no job of this service led to, as jobs that are done."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gates.registry import Event, GateOrigin
from gates.service.store.values import Job, Origin
from gates.system.json_files import json_value

__all__ = ["PlacedGate", "RecordedGate", "recorded_gate"]

_ORIGINS: Mapping[GateOrigin, Origin] = {
    "hand": "hand",
    "ci": "ci",
    "service": "elsewhere",
    "": "unknown",
}

_KINDS = {"verdict": str, "champion": str, "metrics": list, "reasons": list, "counts": dict}


@dataclass(frozen=True, slots=True)
class RecordedGate(Job):
    """A gate that was run by hand, in CI or by another service.

    Its id is that of its MLflow run, or its place among all gates where that run was deleted.

    Attributes:
        link: Its page there; empty when there is none.
        recorded_place: See `place`.
    """

    link: str = ""
    recorded_place: str = ""

    @property
    def place(self) -> str:
        """Where it stands among all gates, as the ids of jobs do."""
        return self.recorded_place


@dataclass(frozen=True, slots=True)
class PlacedGate:
    """A gate event of the registry, with its place among all gates.

    Attributes:
        place: 24 hexadecimal digits that sort by time as the ids of jobs do, and with them.
    """

    place: str
    event: Event

    @classmethod
    def of(cls, event: Event) -> PlacedGate:
        """The event with its place, which is always the same."""
        milliseconds = max(0, int(event.when.timestamp() * 1000))
        name = f"{event.run_id} {event.version} {event.evidence_digest}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        return cls(f"{milliseconds:012x}{digest[:12]}", event)

    @property
    def id(self) -> str:
        """The id of its MLflow run, or its place where that run was deleted."""
        return self.event.run_id or self.place


def recorded_gate(placed: PlacedGate) -> RecordedGate:
    """The gate that an event of the registry records.

    Args:
        placed: An event that no job of this service led to.
    """
    event = placed.event
    return RecordedGate(
        id=placed.id,
        model=event.model,
        version=event.version,
        origin=_ORIGINS[event.origin],
        requested_by=event.by,
        forced=False,
        created_at=event.when,
        state="done",
        verdict=event.verdict,
        champion=event.champion,
        evidence_digest=event.evidence_digest,
        mlflow_run=event.run_id,
        summary=_summary(event.summary),
        link=event.link,
        recorded_place=placed.place,
    )


def _summary(text: str) -> Mapping[str, Any]:
    """What the tag says, of the kinds that pages count on: anybody may write to MLflow."""
    try:
        found = json_value(text or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name, kind in _KINDS.items() if isinstance(found.get(name), kind)}
