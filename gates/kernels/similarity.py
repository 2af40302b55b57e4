"""Old result lists against new ones: overlap, RBO, Kendall's tau, and which documents moved where.

`gates.kernels.matching` matches the documents once; every measure reads the `Pairing`. Lists may be
uneven or empty. Per-query results are [Q]; per-document results follow the rows of the list they
describe.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gates.kernels.packed import (
    Bools,
    Floats,
    Ints,
    count,
    cut,
    dense,
    lengths,
    ranks,
    top,
)

Ranks = NDArray[np.unsignedinteger]


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


def overlap_at(pairing: Pairing, k: int) -> Floats:
    """Documents common to both top-k lists, over k. Lists shorter than k cannot reach 1."""
    return _common(pairing, k) / k


def jaccard_at(pairing: Pairing, k: int) -> Floats:
    """Documents common to both top-k lists, over those in either; two empty lists give 1."""
    common = _common(pairing, k)
    either = lengths(pairing.old_starts, k) + lengths(pairing.new_starts, k) - common
    return _divide(common, either, 1.0)


def rbo(pairing: Pairing, k: int | None = None, *, p: float = 0.9) -> Floats:
    """Rank-biased overlap, extrapolated, of lists cut at k; even or uneven lengths.

    Webber, Moffat and Zobel, "A similarity measure for indefinite rankings", TOIS 2010, eq. 32.
    Two empty lists give 1, one empty list 0; a list and its own beginning give exactly 1.

    Args:
        pairing: the matched lists.
        k: depth of the cut; None compares the lists as they are.
        p: persistence, between 0 and 1: the weight of the top falls with it.
    """
    old_length, new_length = lengths(pairing.old_starts, k), lengths(pairing.new_starts, k)
    short, long = np.minimum(old_length, new_length), np.maximum(old_length, new_length)
    depth = np.arange(1, long.max(initial=0) + 1)
    # Running products and sums have the same beginnings however deep the deepest list is.
    power = np.cumprod(np.concatenate(([1.0], np.full(depth.size, p))), dtype=np.float64)
    harmonic = np.cumsum(np.concatenate(([0.0], power[1:] / depth)))

    value = np.where(long == 0, 1.0, 0.0)
    starts, old_rank = cut(pairing.new_starts, pairing.old_rank, k)
    for queries, block in dense(starts, old_rank, 0):
        ranked = np.ascontiguousarray(block)
        value[queries] = _rbo(ranked, short[queries], long[queries], power, harmonic, p)
    return value


def kendall_tau(pairing: Pairing) -> Floats:
    """Kendall's tau over the documents both lists hold, re-ranked; NaN below two of them.

    Concordant minus discordant pairs, over all pairs; served ranks have no ties (Kendall 1938).
    """
    tau = np.full(pairing.new_starts.size - 1, np.nan)
    for queries, agreeing, common in _agreeing_above(pairing):
        n = common.sum(axis=0, dtype=np.int64)
        tau[queries] = _divide(agreeing.sum(axis=0, dtype=np.int64), n * (n - 1) / 2, np.nan)
    return tau * 2 - 1


def tau_ap(pairing: Pairing) -> Floats:
    """AP rank correlation of the new list with the old as reference; swaps at the top weigh more.

    2/(n - 1) * sum over i >= 2 of C(i)/(i - 1), minus 1, over the documents both lists hold; C(i)
    counts those above the i-th in the new list that stood above it in the old. Not symmetric. NaN
    below two common documents. Yilmaz, Aslam and Robertson, SIGIR 2008.
    """
    tau = np.full(pairing.new_starts.size - 1, np.nan)
    for queries, agreeing, common in _agreeing_above(pairing):
        above = np.zeros(common.shape[1], dtype=np.int64)
        total = np.zeros(common.shape[1])
        for agrees, is_common in zip(agreeing, common, strict=True):
            total += agrees / np.maximum(above, 1)
            above += is_common
        tau[queries] = _divide(total, above - 1, np.nan)
    return tau * 2 - 1


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
    moved = (ranks(pairing.new_starts) - pairing.old_rank).astype(np.float64)
    moved[pairing.old_rank == 0] = np.nan
    return moved


def largest_displacement(pairing: Pairing) -> Floats:
    """The most places a document moved, up or down, float64[Q]; NaN without a common document."""
    filled = np.diff(pairing.new_starts) > 0
    largest = np.full(filled.size, np.nan)
    if filled.any():
        # Empty lists have no rows between their neighbours', so leaving them out moves no edge.
        edges = pairing.new_starts[:-1][filled]
        largest[filled] = np.fmax.reduceat(np.abs(displacement(pairing)), edges)
    return largest


def zero_result_flips(pairing: Pairing) -> NDArray[np.int8]:
    """Queries that lost all results (-1), found some where there were none (+1), or neither (0)."""
    old, new = np.diff(pairing.old_starts) > 0, np.diff(pairing.new_starts) > 0
    return new.astype(np.int8) - old.astype(np.int8)


def _divide(values: Floats | Ints, by: Floats | Ints, otherwise: float) -> Floats:
    quotient = np.full(by.size, otherwise)
    np.divide(values, by, out=quotient, where=by > 0)
    return quotient


def _common(pairing: Pairing, k: int) -> Ints:
    starts, old_rank = cut(pairing.new_starts, pairing.old_rank, k)
    return count(starts, (old_rank > 0) & (old_rank <= k))


def _rbo(
    old_rank: Ints, short: Ints, long: Ints, power: Floats, harmonic: Floats, p: float
) -> Floats:
    """RBO of one block: int64[rank, query] old ranks, the lengths, and sums of p^d and p^d / d."""
    rank = np.arange(1, len(old_rank) + 1)[:, None]
    # Neither list reaches below `long`, so an old rank beyond it was cut off.
    common = (old_rank > 0) & (old_rank <= long)
    # The depth from which both lists hold the document; 0 where they never do.
    deepest = np.maximum(old_rank, rank) * common
    at_long = common.sum(axis=0)
    at_short = (common & (deepest <= short)).sum(axis=0)
    agreement = at_long * harmonic[long]
    for before in np.concatenate(([0.0], harmonic[:-1]))[deepest]:
        agreement -= before

    share = _divide(at_short, short, 0.0)
    beyond = (power[short] - power[long]) * p / (1 - p)  # the sum of p^d from short + 1 to long
    unseen = share * (beyond - short * (harmonic[long] - harmonic[short]))
    tail = (_divide(at_long - at_short, long, 0.0) + share) * power[long]
    value = np.clip((1 - p) / p * (agreement + unseen) + tail, 0.0, 1.0)
    # Rounding must not let identical lists fall short of a bound of 1.
    unmoved = (old_rank == rank).sum(axis=0) == short
    return np.where(unmoved & (short > 0), 1.0, value)


def _agreeing_above(pairing: Pairing) -> Iterator[tuple[slice | Ints, Ranks, Bools]]:
    """For each document in new order: how many of those above it the old list had above it.

    Comes as [rank, query] blocks with the queries they hold and a mask of the documents both lists
    hold; the others count for nothing. Every pair is compared once, a shift of the whole block at
    a time: quadratic work in the length of a list, so ranks and counts, which stay below the
    highest rank, are as narrow as they can be.
    """
    narrow = _narrow(int(pairing.old_rank.max(initial=0)))
    never_above = narrow(np.iinfo(narrow).max)
    for queries, block in dense(pairing.new_starts, pairing.old_rank, 0):
        # A document of one list only must agree with none: as the later one its rank 0 is below
        # every rank, and as the earlier one it gets a rank above them all.
        later = block.astype(narrow, order="C")
        common = later > 0
        earlier = np.where(common, later, never_above)
        agreeing = np.zeros_like(later)
        smaller = np.empty(later.shape, dtype=np.bool_)
        for shift in range(1, later.shape[0]):
            np.less(earlier[:-shift], later[shift:], out=smaller[shift:])
            agreeing[shift:] += smaller[shift:].view(np.uint8)
        yield queries, agreeing, common


def _narrow(highest: int) -> type[np.unsignedinteger]:
    """The narrowest integers that hold ranks up to the highest and one above."""
    return next(kind for kind in (np.uint8, np.uint16, np.uint32) if highest < np.iinfo(kind).max)
