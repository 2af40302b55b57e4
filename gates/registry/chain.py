"""The moves of a model's aliases in one order, and what keeps them from being one chain.

Each move stands in its own turn and names the move before, so their order rests neither on clocks
nor on when somebody began.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gates.registry import Event
from gates.registry._events import event_tags
from gates.registry.turns import Ending, Turn

__all__ = ["Fault", "FaultKind", "event_digest", "faults_of", "in_order", "last_move", "moves_of"]


FaultKind = Literal["unfinished", "lost", "altered", "fork", "outside"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that keeps a history from being one chain.

    Attributes:
        kind: `unfinished`: a turn goes on, or its holder was killed; `lost`: the run of a move is
            gone; `altered`: it was edited; `fork`: it claims another's turn; `outside`: it was
            recorded in no turn, after turns had begun.
        event: The MLflow run; empty when there is none.
        what: A sentence about it.
    """

    kind: FaultKind
    event: str
    what: str


def event_digest(event: Event) -> str:
    """`sha256:…` of what does not change about an event: all but its state, and its run."""
    kept = event_tags(replace(event, state="done"))
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def in_order(events: Sequence[Event], turns: Sequence[Turn]) -> tuple[Event, ...]:
    """Events, newest first: those in turns by their turns, the others by when they began.

    A turn's ending says what became of its move: the process that moved it may have been killed
    before it could say so itself.
    """
    endings = {one.number: one.ending for one in turns}
    told = sorted((_ended(one, endings) for one in events), key=lambda one: one.when, reverse=True)
    chained = iter(
        sorted((one for one in told if one.sequence), key=lambda one: one.sequence, reverse=True)
    )
    return tuple(next(chained) if one.sequence else one for one in told)


def _ended(event: Event, endings: Mapping[int, Ending | None]) -> Event:
    if event.sequence not in endings:
        return event
    ending = endings[event.sequence]
    if ending is None or ending.state == "void":
        return replace(event, state="begun" if ending is None else "failed")
    return replace(event, state=ending.state if ending.event == event.run_id else "failed")


def moves_of(events: Sequence[Event], alias: str) -> tuple[Event, ...]:
    """The moves of an alias that were done or begun, newest first, but none that is `outside`."""
    outside = {one.run_id for one in _outside(events)}
    return tuple(
        one
        for one in events
        if one.alias == alias and one.kind != "refused" and one.state != "failed"
        if one.run_id not in outside
    )


def last_move(events: Sequence[Event], alias: str) -> Event | None:
    """The newest event that moved an alias; None when none did."""
    return next((one for one in moves_of(events, alias) if one.state == "done"), None)


def _outside(events: Sequence[Event]) -> tuple[Event, ...]:
    """Moves that were recorded in no turn after turns had begun."""
    began = min((one.when for one in events if one.sequence), default=None)
    unordered = (one for one in events if one.alias and one.kind != "refused" and not one.sequence)
    return tuple(one for one in unordered if began and one.when > began)


def faults_of(events: Sequence[Event], turns: Sequence[Turn]) -> Iterator[Fault]:
    """What keeps the whole history of a model from being one chain, oldest turn first."""
    moves: dict[int, list[Event]] = {}
    for one in events:
        moves.setdefault(one.sequence, []).append(one)
    for turn in turns:
        yield from _faults_of_turn(turn, moves.get(turn.number, []))
    taken = {one.number for one in turns}
    for number, claiming in sorted(moves.items()):
        if number and number not in taken:
            for one in claiming:
                yield Fault(
                    "fork", one.run_id, f"{_named(one)} claims turn {number}: nobody took it"
                )
    for one in _outside(events):
        yield Fault("outside", one.run_id, f"{_named(one)} was recorded in no turn")


def _faults_of_turn(turn: Turn, claiming: Sequence[Event]) -> Iterator[Fault]:
    ending = turn.ending
    if ending is None:
        whose = f"{turn.by or 'somebody'} on {turn.host or 'an unknown machine'}"
        run = claiming[0].run_id if claiming else ""
        yield Fault("unfinished", run, f"turn {turn.number} of {whose} has not ended")
        return
    own = next((one for one in claiming if one.run_id == ending.event), None)
    if ending.event and own is None:
        yield Fault("lost", ending.event, f"the run {ending.event} of turn {turn.number} is gone")
    elif own is not None and event_digest(own) != ending.digest:
        yield Fault("altered", own.run_id, f"{_named(own)} was edited after it was recorded")
    for one in claiming:
        if one is not own and ending.state != "void":
            whose = f"turn {turn.number}, which is that of run {ending.event or 'none'}"
            yield Fault("fork", one.run_id, f"{_named(one)} claims {whose}")


def _named(event: Event) -> str:
    return f"the {event.kind} to version {event.version or 'none'} (run {event.run_id})"
