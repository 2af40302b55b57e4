"""Delta debugging: a smallest part of a set that still shows what the whole shows.

The algorithm is ddmin with unresolved outcomes, from A. Zeller and R. Hildebrandt, "Simplifying and
Isolating Failure-Inducing Input", IEEE Transactions on Software Engineering 28(2), 2002, figure 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeVar

__all__ = ["Shows", "ddmin"]

Shows = Literal["differs", "same", "unresolved"]
"""What testing one part shows: the difference, none, or nothing that can be told."""

AtomT = TypeVar("AtomT")


def ddmin(
    atoms: tuple[AtomT, ...], test: Callable[[tuple[AtomT, ...]], Shows]
) -> tuple[AtomT, ...]:
    """A 1-minimal part that differs: without any single one of its atoms it no longer does.

    Nothing smaller is promised: parts that lack two atoms or more may still differ where the test
    is not monotone. No part is tested twice, and neither the whole nor the empty part is tested.

    Args:
        atoms: The whole, without duplicates; it is known to differ, and nothing is known not to.
        test: Tests a part; its atoms come in the order of the whole.

    Returns:
        The part, in the order of the whole. Of n atoms a single culprit is found within
        2·⌈log2 n⌉ tests when every part that holds it differs; n² + 3n are the most there can be.
    """
    known: dict[tuple[AtomT, ...], Shows] = {(): "same", atoms: "differs"}

    def differs(part: tuple[AtomT, ...]) -> bool:
        if part not in known:
            known[part] = test(part)
        return known[part] == "differs"

    part, granularity = atoms, min(2, len(atoms))
    while len(part) > 1:
        pieces = list(_split(part, granularity))
        smaller = next((piece for piece in pieces if differs(piece)), None)
        if smaller is not None:
            part, granularity = smaller, min(2, len(smaller))
            continue
        rests = (tuple(a for a in part if a not in piece) for piece in pieces)
        rest = next((rest for rest in rests if differs(rest)), None)
        if rest is not None:
            part, granularity = rest, min(max(granularity - 1, 2), len(rest))
        elif granularity < len(part):
            granularity = min(2 * granularity, len(part))
        else:
            break
    return part


def _split(part: tuple[AtomT, ...], pieces: int) -> Iterator[tuple[AtomT, ...]]:
    """The part in so many pieces of nearly one size."""
    start = 0
    for piece in range(pieces):
        end = start + (len(part) - start) // (pieces - piece)
        yield part[start:end]
        start = end
