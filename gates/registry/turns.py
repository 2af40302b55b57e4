"""Turns: the right to move an alias of a model, which one caller has at a time, wherever they are.

A turn is a number that one caller got and nobody else. It is ended once, by its holder or by who
takes over from a dead one; the first ending that is written stands, for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Ending", "Turn"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ended; the first ending that is written stands.

    Attributes:
        state: `done`: the alias moved; `failed`: it did not; `void`: no move was recorded.
        event: The MLflow run of its move; empty when there is none.
        digest: Of that event, see `event_digest`; empty when there is none.
    """

    state: Literal["done", "failed", "void"]
    event: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to move an alias of a model, which one caller at a time has.

    Attributes:
        number: 1, 2, …: the fencing token.
        holder: An id that its holder made up.
        by: Who that is.
        host: Their machine.
        lock: The lock file they hold meanwhile; see `Registry.is_left`.
        taken: When, by their clock.
        ending: None while it goes on, or where its holder was killed.
    """

    number: int
    holder: str
    by: str = ""
    host: str = ""
    lock: str = ""
    taken: str = ""
    ending: Ending | None = None
