"""Old result lists against new ones: overlap, RBO, Kendall's tau, and which documents moved where.

`pair` matches the documents once; every measure reads the `Pairing`. Lists may be uneven or empty.
Per-query results are [Q]; per-document results follow the rows of the list they describe.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gates.kernels.packed import Bools, Floats, Ints, Rows, offsets, sum_by_query, top

_CELLS = 1 << 16  # a block that stays in the second-level cache


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Where each document of one arm stands in the other. Ranks count from 1; 0 is "not there".

    Attributes:
        old_starts: int64[Q + 1], offsets of the old lists.
        new_starts: int64[Q + 1], offsets of the new lists.
        new_rank: int64[N_old], new rank of each old row.
        old_rank: int64[N_new], old rank of each new row.
    """

    old_starts: Ints
    new_starts: Ints
    new_rank: Ints
    old_rank: Ints


def pair(old_starts: Ints, old_docs: Ints, new_starts: Ints, new_docs: Ints) -> Pairing:
    """Match the documents of old and new lists, query by query.

    Args:
        old_starts: int64[Q + 1], packed offsets of the old lists.
        old_docs: int64[N_old], document codes in rank order, unique within a query.
        new_starts: int64[Q + 1], of the same queries in the same order.
        new_docs: int64[N_new], codes from the same coding.
    """
    old, new = top(old_starts), top(new_starts)
    old_key, new_key = _keys(old.query, old_docs, new.query, new_docs, old_starts.size - 1)
    old_rank, new_rank = np.zeros(new_key.size, np.int64), np.zeros(old_key.size, np.int64)
    if old_key.size:
        by_key = np.argsort(old_key)
        place = np.searchsorted(old_key, new_key, sorter=by_key)
        row = by_key[np.minimum(place, old_key.size - 1)]
        common = old_key[row] == new_key
        old_rank[common] = old.rank[row[common]]
        new_rank[row[common]] = new.rank[common]
    return Pairing(old_starts, new_starts, new_rank, old_rank)


def overlap_at(pairing: Pairing, k: int) -> Floats:
    """Documents common to both top-k lists, over k. Lists shorter than k cannot reach 1."""
    return _common(pairing, k) / k


def jaccard_at(pairing: Pairing, k: int) -> Floats:
    """Documents common to both top-k lists, over those in either; two empty lists give 1."""
    common = _common(pairing, k)
    either = _length(pairing.old_starts, k) + _length(pairing.new_starts, k) - common
    return _divide(common, either, 1.0)


def rbo(pairing: Pairing, k: int | None = None, *, p: float = 0.9) -> Floats:
    """Rank-biased overlap, extrapolated, of lists cut at k; even or uneven lengths.

    Webber, Moffat and Zobel, "A similarity measure for indefinite rankings", TOIS 2010, eq. 32.
    Two empty lists give 1, one empty list 0; a list and its own beginning give 1.

    Args:
        pairing: the matched lists.
        k: depth of the cut; None compares the lists as they are.
        p: persistence, between 0 and 1: the weight of the top falls with it.
    """
    old_length, new_length = _length(pairing.old_starts, k), _length(pairing.new_starts, k)
    short, long = np.minimum(old_length, new_length), np.maximum(old_length, new_length)
    depth = np.arange(1, long.max(initial=0) + 1)
    power = np.concatenate(([0.0], np.cumsum(p**depth)))
    harmonic = np.concatenate(([0.0], np.cumsum(p**depth / depth)))

    rows, old_rank = _common_rows(pairing, k)
    deepest = np.maximum(rows.rank, old_rank)  # the depth from which both lists hold the document
    queries = short.size
    agreement = sum_by_query(
        rows.query, harmonic[long[rows.query]] - harmonic[deepest - 1], queries
    )
    at_long = sum_by_query(rows.query, np.ones(deepest.size), queries)
    at_short = sum_by_query(rows.query, deepest <= short[rows.query], queries)

    share = _divide(at_short, short, 0.0)
    unseen = share * (power[long] - power[short] - short * (harmonic[long] - harmonic[short]))
    tail = (_divide(at_long - at_short, long, 0.0) + share) * p ** long.astype(np.float64)
    value = np.clip((1 - p) / p * (agreement + unseen) + tail, 0.0, 1.0)
    return np.where(long == 0, 1.0, value)


def kendall_tau(pairing: Pairing) -> Floats:
    """Kendall's tau over the documents both lists hold, re-ranked; NaN below two of them."""
    rows, agreeing = _agreeing_above(pairing)
    queries = pairing.new_starts.size - 1
    n = np.bincount(rows.query, minlength=queries)
    concordant = sum_by_query(rows.query, agreeing.astype(np.float64), queries)
    return _divide(concordant, n * (n - 1) / 2, np.nan) * 2 - 1


def tau_ap(pairing: Pairing) -> Floats:
    """AP rank correlation of the new list with the old as reference; swaps at the top weigh more.

    2/(n - 1) * sum over i >= 2 of C(i)/(i - 1), minus 1, over the documents both lists hold; C(i)
    counts those above the i-th in the new list that stood above it in the old. Not symmetric. NaN
    below two common documents. Yilmaz, Aslam and Robertson, SIGIR 2008.
    """
    rows, agreeing = _agreeing_above(pairing)
    queries = pairing.new_starts.size - 1
    n = np.bincount(rows.query, minlength=queries)
    total = sum_by_query(rows.query, _divide(agreeing, rows.rank - 1, 0.0), queries)
    return _divide(total, n - 1, np.nan) * 2 - 1


def top1_changed(pairing: Pairing) -> Bools:
    """Whether the first document differs, bool[Q]; empty on one side only is a change."""
    rows = top(pairing.new_starts, 1)
    same = np.zeros(pairing.new_starts.size - 1, dtype=np.bool_)
    same[rows.query] = pairing.old_rank[rows.row] == 1
    any_result = (np.diff(pairing.old_starts) > 0) | (np.diff(pairing.new_starts) > 0)
    return any_result & ~same


def displacement(pairing: Pairing) -> Floats:
    """New rank minus old rank of each new row, float64[N_new]: negative moved up, NaN entered.

    Documents that left have no new row; `left` marks them.
    """
    moved = (top(pairing.new_starts).rank - pairing.old_rank).astype(np.float64)
    return np.where(pairing.old_rank > 0, moved, np.nan)


def entered(pairing: Pairing, k: int | None = None) -> Bools:
    """Rows of the new list in its top k that the old top k did not hold, bool[N_new]."""
    return _only_here(pairing.new_starts, pairing.old_rank, k)


def left(pairing: Pairing, k: int | None = None) -> Bools:
    """Rows of the old list in its top k that the new top k no longer holds, bool[N_old]."""
    return _only_here(pairing.old_starts, pairing.new_rank, k)


def zero_result_flips(pairing: Pairing) -> NDArray[np.int8]:
    """Queries that lost all results (-1), found some where there were none (+1), or neither (0)."""
    old, new = np.diff(pairing.old_starts) > 0, np.diff(pairing.new_starts) > 0
    return new.astype(np.int8) - old.astype(np.int8)


def _keys(
    old_query: Ints, old_docs: Ints, new_query: Ints, new_docs: Ints, queries: int
) -> tuple[Ints, Ints]:
    """One integer for each (query, document); wide codes are numbered afresh so that it fits."""
    docs = np.concatenate((old_docs, new_docs))
    low, high = int(docs.min(initial=0)), int(docs.max(initial=0))
    if (high - low + 1) * queries > np.iinfo(np.int64).max:
        docs = np.unique(docs, return_inverse=True)[1].astype(np.int64)
        low, high = 0, docs.size
    key = np.concatenate((old_query, new_query)) * (high - low + 1) + (docs - low)
    return key[: old_docs.size], key[old_docs.size :]


def _divide(values: Floats | Ints, by: Floats | Ints, otherwise: float) -> Floats:
    quotient = np.full(by.size, otherwise)
    np.divide(values, by, out=quotient, where=by > 0)
    return quotient


def _length(starts: Ints, k: int | None) -> Ints:
    length = np.diff(starts)
    return length if k is None else np.minimum(length, k)


def _common_rows(pairing: Pairing, k: int | None = None) -> tuple[Rows, Ints]:
    """New rows whose document stands in both lists (both top k), and their old ranks."""
    rows = top(pairing.new_starts, k)
    old_rank = pairing.old_rank[rows.row]
    common = old_rank > 0 if k is None else (old_rank > 0) & (old_rank <= k)
    return Rows(rows.row[common], rows.query[common], rows.rank[common]), old_rank[common]


def _common(pairing: Pairing, k: int) -> Floats:
    query = _common_rows(pairing, k)[0].query
    return sum_by_query(query, np.ones(query.size), pairing.new_starts.size - 1)


def _only_here(starts: Ints, other_rank: Ints, k: int | None) -> Bools:
    marked = np.zeros(other_rank.size, dtype=np.bool_)
    row = top(starts, k).row
    there = other_rank[row]
    marked[row] = there == 0 if k is None else (there == 0) | (there > k)
    return marked


def _agreeing_above(pairing: Pairing) -> tuple[Rows, Ints]:
    """For each common document in new order: how many of those above it the old list had above it.

    The rows are numbered among the common documents, so their ranks are re-ranked. Every pair is
    compared once, a shift of the whole block at a time: quadratic work in the length of a list.
    """
    found, old_rank = _common_rows(pairing)
    starts = offsets(found.query, pairing.new_starts.size - 1)
    agreeing = np.zeros(old_rank.size, dtype=np.int64)
    for row, inside in _blocks(starts):
        # Lists only ever end in padding, so no document has padding above it.
        ranks = np.where(inside, old_rank[np.where(inside, row, 0)], 0).astype(np.int32)
        count = np.zeros(ranks.shape, dtype=np.int32)
        for shift in range(1, ranks.shape[0]):
            count[shift:] += ranks[:-shift] < ranks[shift:]
        agreeing[row[inside]] = count[inside]
    return top(starts), agreeing


def _blocks(starts: Ints) -> Iterator[tuple[Ints, Bools]]:
    """Rows of lists of two or more as [rank, query] blocks, longest first; a mask of real ones."""
    length = np.diff(starts)
    longest_first = np.argsort(-length, kind="stable")[: int((length > 1).sum())]
    begin = 0
    while begin < longest_first.size:
        depth = int(length[longest_first[begin]])
        queries = longest_first[begin : begin + max(1, _CELLS // depth)]
        place = np.arange(depth)[:, None]
        yield starts[queries] + place, place < length[queries]
        begin += queries.size
