"""Ragged lists as rectangles, a block at a time, so that one sort orders many lists at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gates.kernels.packed import Bools, Ints

_CELLS = 1 << 16  # cells of a block: what is sorted stays in the second-level cache
_RUN = 64  # equally long lists that stand together, on average, for their order to be kept


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some lists of a packed array as a rectangle, each list a row.

    Attributes:
        lists: int64[L], which lists.
        start: int64[L], where each begins in the packed array.
        length: int64[L].
        width: The longest length.
        even: Whether they lie one after another and are all equally long.
    """

    lists: Ints
    start: Ints
    length: Ints
    width: int
    even: bool

    @property
    def inside(self) -> Bools:
        """Which cells hold a row, bool[L, width]."""
        return np.arange(self.width) < self.length[:, None]

    def rows(self, inside: Bools) -> Ints:
        """The packed row of each cell that holds one, int64[…], in the order of the cells."""
        return (self.start[:, None] + np.arange(self.width))[inside]


def blocks(starts: Ints) -> Iterator[Block]:
    """Cut lists into blocks of little padding; every list comes once.

    Lists that stand together and are equally long stay in order. Where lengths change often, lists
    are taken longest first instead.

    Args:
        starts: int64[Q + 1], packed offsets.
    """
    length = np.diff(starts)
    changes = np.flatnonzero(np.diff(length)) + 1
    if changes.size <= length.size // _RUN:
        for first, last in pairwise((0, *changes.tolist(), length.size)):
            yield from _cut(starts, np.arange(first, last), even=True)
    else:
        yield from _cut(starts, np.argsort(-length, kind="stable"), even=False)


def _cut(starts: Ints, lists: Ints, *, even: bool) -> Iterator[Block]:
    begin = 0
    while begin < lists.size:
        first = lists[begin]
        widest = max(1, int(starts[first + 1] - starts[first]))
        chosen = lists[begin : begin + max(1, _CELLS // widest)]
        own = starts[chosen + 1] - starts[chosen]
        yield Block(chosen, starts[chosen], own, int(own.max(initial=0)), even)
        begin += chosen.size
