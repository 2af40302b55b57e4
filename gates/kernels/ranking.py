"""Ranking quality per query: nDCG, average precision, reciprocal rank, precision, recall, judged.

All metrics take packed arrays (see `gates.kernels.packed`) and give float64[Q]. `grades` are those
of the served documents in rank order, NaN where nobody judged the document. `ideal_starts` and
`ideal_grades` hold *all* judged documents of the same queries, in any order. Where a query has no
relevant judged document the metric does not exist: NaN, to be left out of both arms alike. An
empty list of a judged query scores 0. `k` longer than the list changes nothing but the list.

Two arms share their judgments: what these allow (`ideal_dcg`, `relevant_count`) can be worked out
once and given to both as `ideal`. The judgments themselves are then not read.

The definitions and tie rule are trec_eval's (Buckley), so that numbers can be compared.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gates.kernels.packed import (
    Floats,
    Ints,
    by_rank,
    count,
    cut,
    dense,
    longest,
    sum_by_query,
    sum_lists,
)

Gain = Literal["linear", "exponential"]
RELEVANT = 1.0
"""Grade from which a document counts as relevant in the binary metrics."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Result lists of many queries, sorted by query and then by rank.

    Attributes:
        starts: int64[Q + 1], offsets of each query's rows.
        docs: int64[N] or uint64[N], document codes, unique within a query.
        grades: float64[N], judged grade, NaN where unjudged.
    """

    starts: Ints
    docs: NDArray[np.integer]
    grades: Floats


def condensed(ranking: Ranking) -> Ranking:
    """The lists without their unjudged documents, later ones moving up (trec_eval `-J`).

    Source: Sakai, "Alternatives to Bpref", SIGIR 2007.
    """
    judged = np.flatnonzero(~np.isnan(ranking.grades))
    starts = np.searchsorted(judged, ranking.starts)
    return Ranking(starts, ranking.docs[judged], ranking.grades[judged])


def dcg_terms(starts: Ints, grades: Floats, k: int | None = None, gain: Gain = "linear") -> Floats:
    """What each document adds to its query's DCG@k: gain / log2(rank + 1), float64[N].

    Zero below the cut and for unjudged documents.
    """
    terms = gains(grades, gain) / by_rank(starts, _discounts(starts))
    if k is not None:
        terms[by_rank(starts, np.arange(longest(starts)) >= k)] = 0.0
    return terms


def dcg(starts: Ints, grades: Floats, k: int | None = None, gain: Gain = "linear") -> Floats:
    """Discounted cumulative gain of the top k (Järvelin and Kekäläinen 2002), float64[Q]."""
    starts, grades = cut(starts, grades, k)
    return sum_lists(starts, dcg_terms(starts, grades, gain=gain))


def ideal_dcg(
    ideal_starts: Ints, ideal_grades: Floats, k: int | None = None, gain: Gain = "linear"
) -> Floats:
    """DCG of the best list the judgments allow: all judged documents, best first, cut at k."""
    found = np.zeros(ideal_starts.size - 1)
    discounts = _discounts(ideal_starts)
    for queries, block in dense(ideal_starts, ideal_grades, 0.0):
        best_first = np.sort(gains(block.T, gain))[:, ::-1].T[:k]
        # The same sum as dcg(), step by step, so that an ideal list scores exactly 1.
        terms = np.ascontiguousarray(best_first) / discounts[: len(best_first), None]
        for row in terms:
            found[queries] += row
    return found


def ndcg(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    gain: Gain = "linear",
    *,
    ideal: Floats | None = None,
) -> Floats:
    """Normalised DCG of the top k: DCG over the DCG of the ideal list.

    `linear` gain is the grade itself (trec_eval `ndcg_cut`); `exponential` is 2^grade - 1 (Burges
    et al. 2005). Grades below zero gain nothing. NaN where no judged document has a gain. `ideal`
    is what `ideal_dcg` gave for the same judgments, k and gain, if it is known.
    """
    if ideal is None:
        ideal = ideal_dcg(ideal_starts, ideal_grades, k, gain)
    return _divide(dcg(starts, grades, k, gain), ideal)


def relevant_count(ideal_starts: Ints, ideal_grades: Floats, *, relevant: float = RELEVANT) -> Ints:
    """How many relevant documents the judgments of each query hold, int64[Q]."""
    return count(ideal_starts, ideal_grades >= relevant)


def average_precision(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    *,
    relevant: float = RELEVANT,
    ideal: Ints | None = None,
) -> Floats:
    """Average precision of the top k over all relevant documents (trec_eval `map`, `map_cut`)."""
    starts, grades = cut(starts, grades, k)
    queries = starts.size - 1
    hit, edge = _hits(starts, grades, relevant)
    query = np.repeat(np.arange(queries), np.diff(edge))
    number, rank = np.arange(1, hit.size + 1) - edge[query], hit + 1 - starts[query]
    found = sum_by_query(query, number / rank, queries)
    return _divide(found, _known(ideal, ideal_starts, ideal_grades, relevant))


def reciprocal_rank(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    *,
    relevant: float = RELEVANT,
    ideal: Ints | None = None,
) -> Floats:
    """One over the rank of the first relevant document; 0 when the top k has none.

    Voorhees, TREC-8 question answering track, 1999 (trec_eval `recip_rank`).
    """
    starts, grades = cut(starts, grades, k)
    hit, edge = _hits(starts, grades, relevant)
    any_hit = np.diff(edge) > 0
    found = np.zeros(starts.size - 1)
    found[any_hit] = 1.0 / (hit[edge[:-1][any_hit]] + 1 - starts[:-1][any_hit])
    return _where_positive(found, _known(ideal, ideal_starts, ideal_grades, relevant))


def precision_at(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int,
    *,
    relevant: float = RELEVANT,
    ideal: Ints | None = None,
) -> Floats:
    """Share of the k places that hold a relevant document; short lists still divide by k.

    trec_eval `P`.
    """
    found = relevant_count(*cut(starts, grades, k), relevant=relevant) / k
    return _where_positive(found, _known(ideal, ideal_starts, ideal_grades, relevant))


def recall_at(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    *,
    relevant: float = RELEVANT,
    ideal: Ints | None = None,
) -> Floats:
    """Share of all relevant documents that stand in the top k (trec_eval `recall`)."""
    found = relevant_count(*cut(starts, grades, k), relevant=relevant)
    return _divide(found, _known(ideal, ideal_starts, ideal_grades, relevant))


def judged_at(starts: Ints, grades: Floats, k: int) -> Floats:
    """Share of the k places that hold a judged document, for every query, short lists over k too.

    It describes the judgments, not the ranking, so it exists where no document is relevant.
    """
    starts, grades = cut(starts, grades, k)
    return count(starts, ~np.isnan(grades)) / k


def gains(grades: Floats, gain: Gain) -> Floats:
    """What a grade is worth; grades below zero and unjudged documents are worth nothing."""
    positive: Floats = np.where(grades > 0, grades, 0.0)
    return positive if gain == "linear" else np.exp2(positive) - 1.0


def _discounts(starts: Ints) -> Floats:
    discounts: Floats = np.log2(np.arange(1, longest(starts) + 1) + 1.0)
    return discounts


def _hits(starts: Ints, grades: Floats, relevant: float) -> tuple[Ints, Ints]:
    """Rows of relevant documents, and where among them each query's begin, int64[Q + 1]."""
    hit = np.flatnonzero(grades >= relevant)
    return hit, np.searchsorted(hit, starts)


def _known(ideal: Ints | None, ideal_starts: Ints, ideal_grades: Floats, relevant: float) -> Ints:
    if ideal is not None:
        return ideal
    return relevant_count(ideal_starts, ideal_grades, relevant=relevant)


def _where_positive(found: Floats, ideal: Ints) -> Floats:
    return np.where(ideal > 0, found, np.nan)


def _divide(found: Floats | Ints, ideal: Floats | Ints) -> Floats:
    quotient = np.full(found.size, np.nan)
    np.divide(found, ideal, out=quotient, where=ideal > 0)
    return quotient
