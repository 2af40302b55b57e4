"""Packed, query-major arrays: all queries in one flat array, cut into lists by offsets.

Rows of query `q` are `starts[q]:starts[q + 1]`, best rank first; `starts` begins at 0 and ends at
the number of rows. A query with no rows is an empty result list, not a missing one.

What a query is given never depends on its neighbours, to the last bit, so a set may be evaluated
in one piece or in blocks.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)

_CELLS = 1 << 16  # a block that stays in the second-level cache


class Rows(NamedTuple):
    """Chosen rows of a packed array: where each stands, whose it is, and its rank.

    Attributes:
        row: int64[M], index into the packed array.
        query: int64[M], query code.
        rank: int64[M], rank in its query's list, from 1.
    """

    row: Ints
    query: Ints
    rank: Ints


def offsets(query: Ints, queries: int) -> Ints:
    """Offsets of each query's rows, int64[queries + 1], from query codes sorted ascending.

    Args:
        query: int64[N], sorted, each in [0, queries).
        queries: how many queries there are; those without a row get an empty list.
    """
    return _ends(np.bincount(query, minlength=queries))


def lengths(starts: Ints, k: int | None = None) -> Ints:
    """How many rows each query has in its top k (at all when `k` is None), int64[Q]."""
    length = np.diff(starts)
    return length if k is None else np.minimum(length, k)


def top(starts: Ints, k: int | None = None) -> Rows:
    """Rows in the top k of every query (all rows when `k` is None)."""
    length = lengths(starts, k)
    query = np.repeat(np.arange(length.size), length)
    place = np.arange(query.size) - np.repeat(_ends(length)[:-1], length)
    return Rows(starts[:-1][query] + place, query, place + 1)


def cut(starts: Ints, values: NDArray[Scalar], k: int | None) -> tuple[Ints, NDArray[Scalar]]:
    """The lists cut at k: new offsets and the values that remain. Reads no row below the cut."""
    if k is None:
        return starts, values
    length = lengths(starts, k)
    kept, even = _ends(length), _even(starts)
    if even is not None:
        return kept, values.reshape(-1, even)[:, :k].ravel()
    return kept, values[np.arange(kept[-1]) + np.repeat(starts[:-1] - kept[:-1], length)]


def by_rank(starts: Ints, table: NDArray[Scalar]) -> NDArray[Scalar]:
    """For each row what the table holds for its rank ([0] for rank 1), [N].

    The table is at least as long as the longest list. It also gives a rank one value, to the bit,
    wherever its row falls in a vector register.
    """
    even = _even(starts)
    if even is not None:
        return np.tile(table[:even], starts.size - 1)
    place: Ints = np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))
    return table.take(place)


def ranks(starts: Ints) -> Ints:
    """The rank of each row in its query's list, from 1, int64[N]."""
    return by_rank(starts, np.arange(1, longest(starts) + 1))


def longest(starts: Ints) -> int:
    """Length of the longest list; 0 without queries."""
    return int(np.diff(starts).max(initial=0))


def count(starts: Ints, marked: Bools) -> Ints:
    """How many rows of each query are marked, int64[Q]."""
    return np.diff(np.searchsorted(np.flatnonzero(marked), starts))


def sum_lists(starts: Ints, values: Floats) -> Floats:
    """Sum of each query's rows, float64[Q], added strictly in rank order.

    Rank order matters: a pairwise or blocked sum depends on the list's length, and then two lists
    with the same grades at the same ranks could differ in the last bit and count as a win.
    """
    queries, even = starts.size - 1, _even(starts)
    if even is None or even > queries:  # with few lists, a step per rank would be too small
        return sum_by_query(np.repeat(np.arange(queries), np.diff(starts)), values, queries)
    total = np.zeros(queries)
    for some, block in dense(starts, values, 0.0):
        for row in np.ascontiguousarray(block):
            total[some] += row
    return total


def sum_by_query(query: Ints, values: Floats, queries: int) -> Floats:
    """Sum of `values` per query, float64[queries], added strictly in row order."""
    # Without rows, bincount forgets that it was given weights and answers in integers.
    return np.bincount(query, weights=values, minlength=queries).astype(np.float64, copy=False)


def dense(
    starts: Ints, values: NDArray[Scalar], padding: float
) -> Iterator[tuple[slice | Ints, NDArray[Scalar]]]:
    """The lists as [rank, query] blocks that fit the cache, with the queries each block holds.

    Uneven lists come longest first, so that little padding ends them; empty ones may not come.
    """
    even = _even(starts)
    if even is None:
        yield from _padded(starts, values, padding)
        return
    table = values.reshape(-1, even)
    step = max(1, _CELLS // even)
    for begin in range(0, table.shape[0], step):
        some = slice(begin, begin + step)
        yield some, table[some].T


def _padded(
    starts: Ints, values: NDArray[Scalar], padding: float
) -> Iterator[tuple[Ints, NDArray[Scalar]]]:
    length = np.diff(starts)
    longest_first = np.argsort(-length, kind="stable")[: np.count_nonzero(length)]
    begin = 0
    while begin < longest_first.size:
        depth = int(length[longest_first[begin]])
        some = longest_first[begin : begin + max(1, _CELLS // depth)]
        place = np.arange(depth)
        # Padding of the last list would be read past the end.
        block = values.take(starts[some, None] + place, mode="clip")
        block[place >= length[some, None]] = padding
        yield some, block.T
        begin += some.size


def _even(starts: Ints) -> int | None:
    """The length all lists have in common, if there is one and it is not 0."""
    length = np.diff(starts)
    if length.size == 0 or length[0] == 0 or (length != length[0]).any():
        return None
    return int(length[0])


def _ends(length: Ints) -> Ints:
    ends = np.zeros(length.size + 1, dtype=np.int64)
    np.cumsum(length, out=ends[1:])
    return ends
