"""`gates rollback`: an alias back to a version that was under it before."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from gates.errors import PromotionRefused
from gates.promotion.moves import Overtaken, demand, move
from gates.promotion.turns import settle_left
from gates.registry import Event, Registry
from gates.registry.chain import moves_of

__all__ = ["places_to_go_back", "rollback"]


def rollback(
    registry: Registry, model: str, alias: str, *, why: str, by: str, to: str | None = None
) -> Event:
    """Move an alias back to the version it pointed at before its last promotion or rollback.

    Rolling back twice so returns to where the first rollback began; `to` goes further back. One
    that was killed after the alias had moved is completed by the next, which does no more.

    Args:
        registry: Where versions and aliases are.
        why: Why, for the history.
        by: Who, for the history.
        to: A version number that the alias pointed at before; None takes the last one.

    Returns:
        The recorded event.

    Raises:
        PromotionRefused: There is no version to go back to, or it was never under the alias.
        IntegrityError: The artifact of that version changed since it was packaged.
        RegistryError: The registry failed, or there is no such model or version.
        UsageError: There is no reason or no name.
    """
    demand(why=why, by=by)
    seen = registry.aliases(model).get(alias, "")
    with registry.exclusive(model):
        left = settle_left(registry, model)
        if left and (left.kind, left.alias, left.state) == ("rollback", alias, "done"):
            return left  # it had been killed, and going back again would undo it
        while True:
            events = registry.events(model)
            current = registry.aliases(model).get(alias, "")
            if current != seen:  # going back once more would undo what somebody else just did
                raise Overtaken(
                    f"the alias '{alias}' of '{model}' was moved meanwhile, from version "
                    f"{seen or 'none'} to {current or 'none'}",
                    advice="look at gates history, then decide again",
                )
            target = _target(events, model, alias, current, to)
            event = Event(
                datetime.now(UTC),
                "rollback",
                model,
                registry.resolve(f"models:/{model}/{target}").version,
                previous_version=current,
                by=by,
                why=why,
                alias=alias,
                state="begun",
            )
            with contextlib.suppress(Overtaken):
                return move(registry, event, events)


def _target(events: tuple[Event, ...], model: str, alias: str, current: str, to: str | None) -> str:
    """The version that a rollback goes back to."""
    moves = moves_of(events, alias)
    vouched = _vouched(moves)
    if not current and not moves:
        raise PromotionRefused(
            f"the alias '{alias}' of '{model}' is not set: there is nothing to roll back",
            advice="promote a version first: gates promote",
        )
    if to is None:
        return _before(moves, vouched, current, model, alias)
    if to == current:
        raise PromotionRefused(f"models:/{model}/{to} already is the {alias}")
    if to not in vouched:
        raise PromotionRefused(
            f"version {to} of '{model}' was never the {alias}",
            advice="a rollback goes back only; to go elsewhere, gate that version and promote it",
        )
    return to


def places_to_go_back(events: tuple[Event, ...], alias: str, current: str) -> tuple[str, ...]:
    """The versions that an alias may be rolled back to, the newest number first.

    Args:
        events: The history, newest first.
        current: The version under the alias.
    """
    found = _vouched(moves_of(events, alias)) - {current}
    return tuple(sorted(found, key=lambda one: (len(one), one), reverse=True))


def _vouched(moves: tuple[Event, ...]) -> set[str]:
    """The versions that were under the alias by a move of ours, or that a promotion replaced.

    Not those that somebody put there past the gate and that were only moved away from.
    """
    ours = {one.version for one in moves if one.kind != "foreign" and one.state == "done"}
    return ours | {one.previous_version for one in moves if one.kind == "promote"} - {""}


def _before(
    moves: tuple[Event, ...], vouched: set[str], current: str, model: str, alias: str
) -> str:
    been = (version for one in moves for version in (one.version, one.previous_version))
    target = next((one for one in been if one in vouched and one != current), None)
    if target:
        return target
    if any(one.version == current for one in moves):
        raise PromotionRefused(
            f"version {current} was the first {alias} of '{model}': there is none before it",
            advice="gate and promote another version instead",
        )
    raise PromotionRefused(
        f"the {alias} of '{model}' is version {current}, which no promotion put there, and the "
        "history knows of none before it",
        advice="gate and promote another version instead",
    )
