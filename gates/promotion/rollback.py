"""`gates rollback`: an alias back to a version that was under it before."""

from __future__ import annotations

from datetime import UTC, datetime

from gates.errors import PromotionRefused
from gates.promotion.moves import demand, move
from gates.registry import Event, Registry

__all__ = ["rollback"]


def rollback(
    registry: Registry, model: str, alias: str, *, why: str, by: str, to: str | None = None
) -> Event:
    """Move an alias back to the version it pointed at before its last promotion or rollback.

    Rolling back twice so returns to where the first rollback began; `to` goes further back.

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
    with registry.exclusive(model):
        current = registry.aliases(model).get(alias)
        target = _target(registry, model, alias, current, to)
        version = registry.resolve(f"models:/{model}/{target}")
        event = Event(
            datetime.now(UTC),
            "rollback",
            model,
            version.version,
            previous_version=current or "",
            by=by,
            why=why,
            alias=alias,
            state="begun",
        )
        return move(registry, event)


def _target(registry: Registry, model: str, alias: str, current: str | None, to: str | None) -> str:
    """The version that a rollback goes back to."""
    if current is None:
        raise PromotionRefused(
            f"the alias '{alias}' of '{model}' is not set: there is nothing to roll back",
            advice="promote a version first: gates promote",
        )
    moves = [one for one in registry.events(model) if one.alias == alias and one.state != "failed"]
    target = to or _before(moves, current, model, alias)
    if target == current:
        raise PromotionRefused(f"models:/{model}/{target} already is the {alias}")
    reached = {one.version for one in moves if one.state == "done"}
    served = reached | {one.previous_version for one in moves}
    if target not in served:
        raise PromotionRefused(
            f"version {target} of '{model}' was never the {alias}",
            advice="a rollback goes back only; to go elsewhere, gate that version and promote it",
        )
    return target


def _before(moves: list[Event], current: str, model: str, alias: str) -> str:
    # An event that was begun and never completed counts if the alias is where it was to go.
    last = next((one for one in moves if one.state == "done" or one.version == current), None)
    if last is None or last.version != current:
        raise PromotionRefused(
            f"the {alias} of '{model}' is version {current}, which no promotion put there",
            advice="somebody moved the alias by hand; say where to: gates rollback --to VERSION",
        )
    if not last.previous_version:
        raise PromotionRefused(
            f"version {current} was the first {alias} of '{model}': there is none before it",
            advice="gate and promote another version instead",
        )
    return last.previous_version
