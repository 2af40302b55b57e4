"""Taking turns: one promotion, rollback or put-back of a model at a time, from whichever machine.

The lock of `Registry.exclusive` keeps those of one machine apart, and is free when its holder dies.
A turn keeps all apart. Whoever holds one and dies elsewhere has it for `LEASE` seconds more, by the
clock of the one who waits, for no two machines have the same time. MLflow cannot refuse a write of
the alias that comes too late, so a holder begins its write within `START_WITHIN` seconds or gives
up: a request that is on its way has the rest of the lease to arrive or to be given up.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace

from gates.errors import RegistryError
from gates.registry import Event, Registry
from gates.registry.chain import event_digest
from gates.registry.turns import Ending, Turn
from gates.system.interruption import checkpoint

__all__ = ["LEASE", "START_WITHIN", "HeldTurn", "settle", "settle_left", "take_turn"]

LEASE, START_WITHIN = 120.0, 30.0  # seconds; a request is given up after at most 61
_PATIENCE = 900.0
_LOOK = 0.05, 0.2


@dataclass(frozen=True, slots=True)
class HeldTurn:
    """A turn that this process holds.

    Attributes:
        began: When it was asked for, in monotonic seconds.
        events: The history as it was read since, newest first; nobody else adds a move to it.
    """

    registry: Registry
    model: str
    turn: Turn
    began: float
    events: tuple[Event, ...]

    def chained(self, event: Event) -> Event:
        """An event with its place: its turn, and the event before."""
        before = next((one for one in self.events if one.sequence), None)
        return replace(
            event,
            sequence=self.turn.number,
            previous_event=before.run_id if before else "",
            previous_digest=event_digest(before) if before else "",
        )

    def confirm(self) -> None:
        """See that an alias may be moved now.

        Raises:
            RegistryError: Too much time went by, or somebody took over.
        """
        found = next(
            (one for one in self.registry.turns(self.model) if one.number == self.turn.number), None
        )
        late = time.monotonic() - self.began > START_WITHIN
        if late or found is None or found.holder != self.turn.holder or found.ending:
            raise RegistryError(
                f"the turn to move an alias of '{self.model}' "
                + ("took too long" if late else "was taken over by somebody else"),
                advice="the alias has not moved; try again",
                passing=True,
            )

    def end(self, ending: Ending) -> bool:
        """End it; False when somebody else had ended it in another way."""
        return self.registry.end_turn(self.model, self.turn, ending) == ending


def take_turn(registry: Registry, model: str, by: str) -> HeldTurn:
    """Take the next turn, once all before it have ended.

    Args:
        registry: Where; the caller holds its lock for the model.
        by: Who takes it.

    Raises:
        RegistryError: The registry failed, or others had the turn for too long.
    """
    begun = time.monotonic()
    watched, since = 0, begun
    while True:
        turns = registry.turns(model)
        last = turns[-1] if turns else None
        now = time.monotonic()
        if last is None or last.ending:
            number = last.number + 1 if last else 1
            turn = registry.claim_turn(model, number, by)
            if turn is not None:
                return HeldTurn(registry, model, turn, now, registry.events(model))
            continue
        if last.number != watched:
            watched, since = last.number, now
        if registry.is_left(model, last) or now - since > LEASE:
            settle(registry, model, last)
        elif now - begun > _PATIENCE:
            raise RegistryError(
                f"{last.by or 'somebody'} on {last.host or 'another machine'} moves an alias of "
                f"'{model}', and others did before, for over {_PATIENCE:.0f} s",
                advice="see whether another promotion hangs, end it and try again",
                passing=True,
            )
        else:
            checkpoint()
            time.sleep(random.uniform(*_LOOK))  # noqa: S311 - no secret, it keeps waiters apart


def settle(registry: Registry, model: str, turn: Turn) -> Event | None:
    """End a turn whose holder died: by what it recorded, and by where the alias is now.

    Returns:
        The event of the turn, ended; None when nothing was recorded in it.
    """
    event = next((one for one in registry.events(model) if one.sequence == turn.number), None)
    if event is None:
        registry.end_turn(model, turn, Ending("void"))
        return None
    moved = registry.aliases(model).get(event.alias, "") == event.version
    wanted = Ending("done" if moved else "failed", event.run_id, event_digest(event))
    stands = registry.end_turn(model, turn, wanted)
    if stands.event != event.run_id or stands.state == "void":
        return None
    event = replace(event, state=stands.state)
    registry.log_event(event)
    return event


def settle_left(registry: Registry, model: str) -> Event | None:
    """End the last turn, where its holder on this machine died; the caller has the model's lock.

    Returns:
        The event of the turn, ended; None when there was no such turn, or nothing recorded in it.

    Raises:
        RegistryError: The registry failed.
    """
    turns = registry.turns(model)
    if turns and not turns[-1].ending and registry.is_left(model, turns[-1]):
        return settle(registry, model, turns[-1])
    return None
