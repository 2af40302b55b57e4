"""One history of a model: every gate, promotion and rollback, whoever ran it and from wherever.

The command line, the service's pages, its API and its numbers all read it here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gates.registry import Event, Listed, Registry
from gates.registry.chain import Fault, faults_of, in_order, last_move
from gates.registry.turns import Turn
from gates.system.json_files import json_value

__all__ = ["ModelHistory", "read_history"]

_CLOCKS_APART = timedelta(minutes=10)
_LONGEST_RECORDING = timedelta(days=1)
_WITHOUT_VERDICT = {"queued", "running", "parked"}


@dataclass(frozen=True, slots=True)
class ModelHistory:
    """What the registry holds on a model, as it was read at one moment.

    Attributes:
        read_at: When that was.
        versions: Its versions, newest first.
        aliases: Alias → version number.
        events: All that was done to it, newest first; moves in the order of their turns.
        turns: The turns in which aliases were moved.
    """

    read_at: datetime
    versions: tuple[Listed, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    turns: tuple[Turn, ...] = ()

    @property
    def gates(self) -> tuple[Event, ...]:
        """Every gate that came to a verdict, newest first."""
        return tuple(one for one in self.events if one.kind == "gate" and one.state != "failed")

    @property
    def moves(self) -> tuple[Event, ...]:
        """All that moved an alias or was to, newest first."""
        return tuple(one for one in self.events if one.alias and one.kind != "refused")

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What keeps the moves from being one chain, where the whole history was read."""
        return tuple(faults_of(self.events, self.turns))

    def last_move(self, alias: str) -> Event | None:
        """The newest event that moved an alias; None when none did."""
        return last_move(self.events, alias)

    @property
    def in_service(self) -> tuple[tuple[str, str, str], ...]:
        """Version, state and page of each gate that the service has come to no verdict on."""
        return tuple(
            (one.version, status, one.tags.get("gates.link", ""))
            for one in self.versions
            if (status := one.tags.get("gates.status", "")) in _WITHOUT_VERDICT
        )

    def bar_moved(self, event: Event) -> tuple[str, ...]:
        """The bounds that moved after results of the same bytes were seen, in words.

        Args:
            event: A gate, or a promotion on the evidence of one.
        """
        gates = (one for one in self.events if one.kind == "gate" and one.summary)
        for one in gates:
            if one.evidence_digest and one.evidence_digest == event.evidence_digest:
                return _texts(one.summary, "bar_moved")
        return ()

    def since(self, alias: str) -> datetime | None:
        """When the version under an alias came there; None when no promotion put it there."""
        last = self.last_move(alias)
        return last.when if last and last.version == self.aliases.get(alias) else None


def _texts(summary: str, key: str) -> tuple[str, ...]:
    """A list of texts in the summary of a gate, which anybody may have written."""
    try:
        found = json_value(summary)
    except ValueError:
        return ()
    texts = found.get(key) if isinstance(found, dict) else None
    return tuple(one for one in texts or () if isinstance(one, str)) if texts else ()


def read_history(
    registry: Registry, model: str, last: ModelHistory | None = None, *, missing_ok: bool = False
) -> ModelHistory:
    """Read the history of a model.

    Args:
        registry: Where it is kept.
        last: What was read of it before: then only what may have changed since is read again. A
            run that somebody deleted in MLflow meanwhile is still in it.
        missing_ok: Whether a model that is not registered has an empty history.

    Raises:
        RegistryError: There is no such model, or the registry failed.
    """
    now = datetime.now(UTC)
    versions = registry.versions(model)
    if not versions and missing_ok:
        return ModelHistory(now)
    aliases = registry.aliases(model)
    since = _may_have_changed(last, now) if last else None
    events = registry.events(model, since)
    if last and since:
        read = {one.run_id for one in events}
        events += tuple(one for one in last.events if one.run_id not in read)
    events = (*(one for one in events if one.run_id), *_known_by_tags(model, versions, events))
    turns = registry.turns(model)
    return ModelHistory(now, versions, aliases, in_order(events, turns), turns)


def _may_have_changed(last: ModelHistory, now: datetime) -> datetime | None:
    """From when on events must be read again: those still open, and those a slow clock dated."""
    if not last.events:
        return None
    open_ones = [
        one.when
        for one in last.events
        if one.state == "begun" and now - one.when < _LONGEST_RECORDING
    ]
    newest = max(one.when for one in last.events)
    return min([last.read_at, newest, *open_ones]) - _CLOCKS_APART


def _known_by_tags(
    model: str, versions: tuple[Listed, ...], events: tuple[Event, ...]
) -> Iterator[Event]:
    """Gates whose runs were deleted: the version's tags still say what came of them."""
    recorded = {one.evidence_digest for one in events if one.kind == "gate"}
    for one in versions:
        verdict = one.tags.get("gates.verdict", "")
        digest = one.tags.get("gates.evidence_digest", "")
        if verdict and (not digest or digest not in recorded):
            yield Event(
                _moment(one.tags.get("gates.gated_at", "")) or one.created,
                "gate",
                model,
                one.version,
                verdict=verdict,
                evidence_digest=digest,
                champion=one.tags.get("gates.champion", ""),
            )


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
