"""`gates guard`: does the history know how an alias came to be where it is; and putting it back.

Looking changes nothing. Aliases and history are read one after the other, so what looks wrong is
looked at again before anybody is told: a promotion may just have been between the two.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from gates.errors import PromotionRefused
from gates.promotion.moves import Overtaken, demand, move
from gates.registry import Event, Registry
from gates.registry.chain import moves_of
from gates.registry.history import ModelHistory, read_history

__all__ = ["Standing", "State", "look", "put_back", "standing_in"]

State = Literal["accounted", "unset", "moving", "recorded", "foreign", "unrecorded"]
_PAUSE, _LOOKS = 0.5, 8  # seconds, and how often


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alias came to be where it is.

    Attributes:
        model: The registered model.
        alias: The alias.
        version: The version under it; empty when it is not set.
        state: `accounted`: a move of ours put it there; `unset`: nothing is there and nothing
            was; `moving`: a move that has not ended was to put it there; `recorded`: it was moved
            past the gate, and the history says so; `foreign`: nothing in the history put it there;
            `unrecorded`: the history knows no move of it at all.
        last: The newest move of it that was done; None when there is none.
        registered_by: Who registered the version, for `foreign` and `unrecorded`; empty when
            nobody knows. Who moved the alias MLflow does not keep.
    """

    model: str
    alias: str
    version: str
    state: State
    last: Event | None = None
    registered_by: str = ""

    @property
    def is_calm(self) -> bool:
        """Whether nobody has to look at it."""
        return self.state not in {"foreign", "unrecorded"}


def standing_in(history: ModelHistory, model: str, alias: str) -> Standing:
    """How an alias came to be where it is, by a history that was read."""
    now, last = history.aliases.get(alias, ""), history.last_move(alias)
    state: State
    if last is not None and last.version == now:
        state = "recorded" if last.kind == "foreign" else "accounted"
    elif last is None and not now:
        state = "unset"
    elif any(
        one.state == "begun" and one.version == now for one in moves_of(history.events, alias)
    ):
        state = "moving"
    else:
        state = "unrecorded" if last is None else "foreign"
    return Standing(model, alias, now, state, last)


def look(
    registry: Registry, model: str, alias: str, wait: Callable[[float], object] = time.sleep
) -> Standing:
    """How an alias came to be where it is, now.

    Args:
        wait: Waits some seconds between two looks at what looks wrong.

    Raises:
        RegistryError: There is no such model, or the registry failed.
    """
    before: tuple[str, str] | None = None
    for _ in range(_LOOKS):
        history = read_history(registry, model)
        found = standing_in(history, model, alias)
        if found.is_calm:
            return found
        seen = found.version, found.last.run_id if found.last else ""
        goes_on = bool(history.turns) and history.turns[-1].ending is None
        if seen == before and not goes_on:
            break
        before = seen
        wait(_PAUSE)
    packaged = (one for one in history.events if one.kind == "package")
    by = next((one.by for one in packaged if one.version == found.version), "")
    return replace(found, registered_by=by)


def put_back(registry: Registry, model: str, alias: str, *, why: str, by: str) -> Event | None:
    """Put an alias that was moved past the gate back to where a move of ours had put it.

    Args:
        why: Why, for the history.
        by: Who, for the history.

    Returns:
        The recorded event; None when it was not moved past the gate.

    Raises:
        PromotionRefused: No move of ours ever put it anywhere.
        IntegrityError: The artifact of that version changed since it was packaged.
        RegistryError: The registry failed.
        UsageError: There is no reason or no name.
    """
    demand(why=why, by=by)
    with registry.exclusive(model):
        while True:
            history = read_history(registry, model)
            found = standing_in(history, model, alias)
            if found.state not in {"foreign", "recorded", "unrecorded"}:
                return None
            ours = (one for one in moves_of(history.events, alias) if one.kind != "foreign")
            target = next((one.version for one in ours if one.state == "done"), "")
            if not target:
                raise PromotionRefused(
                    f"no promotion ever put the {alias} of '{model}' anywhere: there is nothing to "
                    "put it back to",
                    advice="gate a version and promote it",
                )
            event = Event(
                datetime.now(UTC),
                "put-back",
                model,
                registry.resolve(f"models:/{model}/{target}").version,
                previous_version=found.version,
                by=by,
                why=why,
                alias=alias,
                state="begun",
            )
            with contextlib.suppress(Overtaken):
                return move(registry, event, history.events)
