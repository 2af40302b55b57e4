"""Packed, query-major arrays: all queries in one flat array, cut into lists by offsets.

Rows of query `q` are `starts[q]:starts[q + 1]`, best rank first. A query with no rows is an empty
result list, not a missing one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


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
    starts = np.zeros(queries + 1, dtype=np.int64)
    np.cumsum(np.bincount(query, minlength=queries), out=starts[1:])
    return starts


def top(starts: Ints, k: int | None = None) -> Rows:
    """Rows in the top k of every query (all rows when `k` is None)."""
    length = np.diff(starts)
    if k is not None:
        length = np.minimum(length, k)
    query = np.repeat(np.arange(length.size), length)
    before = np.cumsum(length) - length
    place = np.arange(query.size) - before[query]
    return Rows(starts[:-1][query] + place, query, place + 1)


def sum_by_query(query: Ints, values: Floats | Bools, queries: int) -> Floats:
    """Sum of `values` per query, float64[queries], added strictly in row order.

    Row order matters: a pairwise or blocked sum depends on the list's length, and then two lists
    with the same grades at the same ranks could differ in the last bit and count as a win.
    """
    # Without rows, bincount forgets that it was given weights and answers in integers.
    return np.bincount(query, weights=values, minlength=queries).astype(np.float64, copy=False)
