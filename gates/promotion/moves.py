"""The move of an alias, in a turn of its own: recorded before, and ended after.

What a history says and where an alias is never part for good. Whoever moves it next first adds what
a killed process could not say, and what somebody did past the gate (an event `foreign`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from gates.errors import PromotionRefused, RegistryError, UsageError
from gates.promotion.turns import HeldTurn, take_turn
from gates.registry import Event, Registry
from gates.registry.chain import event_digest, last_move
from gates.registry.turns import Ending

__all__ = ["Overtaken", "demand", "found_moved", "move", "record_found"]

UNKNOWN = "unknown"
"""Who set an alias past the gate: MLflow does not keep it."""


class Overtaken(PromotionRefused):
    """The history went on since the caller looked at it."""


def demand(**texts: str) -> None:
    """Refuse a move without a reason or a name.

    Raises:
        UsageError: One of the texts is empty, or longer than the history keeps.
    """
    for name, text in texts.items():
        if not text.strip() or len(text) > 2000:
            raise UsageError(
                f"'{name}' is {'longer than 2000 characters' if text.strip() else 'empty'}",
                advice=f"say {name} in a sentence: the history keeps it",
            )


def found_moved(events: tuple[Event, ...], model: str, alias: str, now: str) -> Event | None:
    """What is to be added to a history for an alias that is elsewhere than its last move says.

    Args:
        events: The history, newest first.
        now: The version under the alias; empty when it is not set.

    Returns:
        An event `foreign`; None when the alias is where it should be, or nothing is known of it.
    """
    last = last_move(events, alias)
    if last is None or last.version == now:
        return None
    return _foreign(model, alias, now, last.version)


def _foreign(model: str, alias: str, now: str, before: str) -> Event:
    return Event(
        datetime.now(UTC),
        "foreign",
        model,
        now,
        previous_version=before,
        by=UNKNOWN,
        why="found moved: nothing in the history did it, so when and by whom is not known",
        alias=alias,
        state="begun",
    )


def move(registry: Registry, event: Event, events: tuple[Event, ...]) -> Event:
    """Move an alias as an event says, and record the event.

    Args:
        registry: Where; the caller holds its lock for the model.
        event: What is to be done, in the state `begun`.
        events: The history that the caller decided on.

    Returns:
        The event as it was recorded.

    Raises:
        Overtaken: The history went on meanwhile: decide again.
        PromotionRefused: Somebody moved the alias past the gate meanwhile.
        RegistryError: The registry failed; it says so if that was after the alias had moved.
    """
    model, alias = event.model, event.alias
    held = take_turn(registry, model, event.by)
    with _given_up(held):
        now = registry.aliases(model).get(alias, "")
        foreign = found_moved(held.events, model, alias, now)
        if foreign:
            _record(held, foreign)
        if foreign or _newest(held.events) != _newest(events) or now != event.previous_version:
            raise Overtaken(
                f"the alias '{alias}' of '{model}' was moved meanwhile: expected "
                f"{event.previous_version or 'none'}, it is at {now or 'none'}",
                advice="look at gates history, then decide again",
            )
        event = held.chained(replace(event, when=datetime.now(UTC)))
        event = replace(event, run_id=registry.log_event(event))
        held.confirm()
    try:
        registry.set_alias(model, alias, event.version, expected=event.previous_version or None)
    except PromotionRefused:
        held.end(Ending("failed", event.run_id, event_digest(event)))
        _mirror(registry, replace(event, state="failed"))
        raise  # any other error may have come after the move: its turn goes on
    return _completed(held, event)


def record_found(registry: Registry, model: str, alias: str, by: str, why: str) -> Event | None:
    """Add to a history that an alias was moved past the gate; None when it was not.

    Also where nothing is known of it at all.

    Args:
        by: Who says so.
        why: What they say of it.

    Raises:
        RegistryError: The registry failed.
    """
    demand(why=why, by=by)
    with registry.exclusive(model):
        held = take_turn(registry, model, by)
        with _given_up(held):
            now = registry.aliases(model).get(alias, "")
            found = found_moved(held.events, model, alias, now)
            if found is None and now and last_move(held.events, alias) is None:
                found = _foreign(model, alias, now, "")
            if found:
                return _record(held, replace(found, why=f"{found.why}; {by} says: {why}"))
            held.end(Ending("void"))
    return None


def _record(held: HeldTurn, event: Event) -> Event:
    """Record what has happened already: nothing is moved."""
    event = held.chained(event)
    event = replace(event, run_id=held.registry.log_event(event))
    return _completed(held, event)


def _completed(held: HeldTurn, event: Event) -> Event:
    done = replace(event, state="done")
    _mirror(held.registry, done)  # first: whose turn has ended has nothing left to write
    try:
        if not held.end(Ending("done", event.run_id, event_digest(event))):
            raise RegistryError(
                f"the alias '{event.alias}' of '{event.model}' was moved to version "
                f"{event.version} after somebody else had taken over",
                advice=f"see where it is and what put it there: gates guard {event.model}",
            )
    except RegistryError as problem:
        raise RegistryError(
            f"the alias '{event.alias}' of '{event.model}' moved to version {event.version}, but "
            f"the history could not be completed: {problem.what}",
            advice="whoever moves it next completes the history; nothing else is missing",
        ) from problem
    return done


def _mirror(registry: Registry, event: Event) -> None:
    """Note the state on the event's run, for MLflow's pages: what holds is how its turn ends."""
    with contextlib.suppress(RegistryError):
        registry.log_event(event)


def _newest(events: tuple[Event, ...]) -> str:
    return next((one.run_id for one in events if one.alias and one.kind != "refused"), "")


@contextlib.contextmanager
def _given_up(held: HeldTurn) -> Iterator[None]:
    """End a turn in which nothing was moved, whatever it was that went wrong."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(RegistryError):
            held.end(Ending("void"))
        raise
