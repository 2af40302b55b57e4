"""How far the documents nobody judged could move a difference of nDCG."""

from dataclasses import dataclass

import numpy as np

from gates.kernels.packed import Floats, Ints, offsets, top
from gates.kernels.ranking import Gain, dcg, ideal_dcg
from gates.kernels.similarity import Pairing


@dataclass(frozen=True, slots=True, eq=False)
class UnjudgedBounds:
    """Bounds per query, and the documents that make them. U unjudged documents in either top k.

    Attributes:
        pessimistic: float64[Q], no assignment of grades makes the difference smaller; NaN where
            the metric does not exist.
        optimistic: float64[Q], no assignment makes it larger.
        query: int64[U], the query of each unjudged document.
        old_row: int64[U], its row in the old lists; -1 when it is not in their top k.
        new_row: int64[U], its row in the new lists; -1 when it is not in their top k.
        swing: float64[U], how far its grade alone could move its query's difference.
    """

    pessimistic: Floats
    optimistic: Floats
    query: Ints
    old_row: Ints
    new_row: Ints
    swing: Floats


def unjudged(
    pairing: Pairing,
    old_grades: Floats,
    new_grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int,
    gain: Gain = "linear",
    *,
    max_grade: float,
) -> UnjudgedBounds:
    """Bounds on nDCG@k(new) - nDCG@k(old) whatever grades in [0, max_grade] are still to come.

    A document in both lists has one grade, so it counts by the difference of its discounts. The
    numerator takes its least and greatest value; the ideal is between that of the judgments and
    that with every unjudged document at its best. Each bound divides by whichever of the two is
    worse for it, so it may be reached by no assignment: it is exact without unjudged documents, and
    too wide at most by the ratio of the two ideals. Both stay within [-1, 1].

    Args:
        pairing: the matched lists.
        old_grades: float64[N_old] in rank order, NaN where unjudged.
        new_grades: float64[N_new] in rank order, NaN where unjudged.
        ideal_starts: int64[Q + 1], offsets of the judgments.
        ideal_grades: float64[J], all judgments.
        k: depth.
        gain: `linear` or `exponential`.
        max_grade: the best grade of the scale.
    """
    queries = ideal_starts.size - 1
    discount = np.concatenate(([0.0], 1 / np.log2(np.arange(1, k + 1) + 1.0)))
    here, there = top(pairing.new_starts, k), top(pairing.old_starts, k)
    open_new = np.isnan(new_grades[here.row])
    new_row, new_query = here.row[open_new], here.query[open_new]
    old_rank = pairing.old_rank[new_row]
    in_both = (old_rank > 0) & (old_rank <= k)
    old_rank = np.where(in_both, old_rank, 0)
    # A document in both top k was met above, by its row in the new list.
    other = pairing.new_rank[there.row]
    open_old = np.isnan(old_grades[there.row]) & ((other == 0) | (other > k))
    query = np.concatenate((new_query, there.query[open_old]))
    slope = np.concatenate(
        (discount[here.rank[open_new]] - discount[old_rank], -discount[there.rank[open_old]])
    )
    most = max_grade if gain == "linear" else 2.0**max_grade - 1.0
    known = dcg(pairing.new_starts, new_grades, k, gain) - dcg(
        pairing.old_starts, old_grades, k, gain
    )
    least = known + np.bincount(query, np.minimum(slope, 0) * most, queries)
    greatest = known + np.bincount(query, np.maximum(slope, 0) * most, queries)
    small = ideal_dcg(ideal_starts, ideal_grades, k, gain)
    every = np.concatenate((top(ideal_starts).query, query))
    grades = np.concatenate((ideal_grades, np.full(query.size, max_grade)))
    by_query = np.argsort(every, kind="stable")
    large = ideal_dcg(offsets(every[by_query], queries), grades[by_query], k, gain)
    with np.errstate(divide="ignore", invalid="ignore"):
        pessimistic = np.clip(least / np.where(least < 0, small, large), -1.0, 1.0)
        optimistic = np.clip(greatest / np.where(greatest > 0, small, large), -1.0, 1.0)
        swing = np.minimum(np.abs(slope) * most / small[query], 1.0)
    exists = small > 0
    old_rows = np.where(in_both, pairing.old_starts[new_query] + old_rank - 1, -1)
    return UnjudgedBounds(
        np.where(exists, pessimistic, np.nan),
        np.where(exists, optimistic, np.nan),
        query,
        np.concatenate((old_rows, there.row[open_old])),
        np.concatenate((new_row, np.full(int(open_old.sum()), -1))),
        np.where(exists[query], swing, 0.0),
    )
