"""Ranking quality per query: nDCG, average precision, reciprocal rank, precision, recall, judged.

All metrics take packed arrays (see `gates.kernels.packed`) and give float64[Q]. `grades` are those
of the served documents in rank order, NaN where nobody judged the document. `ideal_starts` and
`ideal_grades` hold *all* judged documents of the same queries, in any order. Where a query has no
relevant judged document the metric does not exist: NaN, to be left out of both arms alike. An
empty list of a judged query scores 0. `k` longer than the list changes nothing but the list.

The definitions and tie rule are trec_eval's (Buckley), so that numbers can be compared.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gates.kernels.packed import Bools, Floats, Ints, sum_by_query, top

Gain = Literal["linear", "exponential"]
RELEVANT = 1.0
"""Grade from which a document counts as relevant in the binary metrics."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Result lists of many queries, sorted by query and then by rank.

    Attributes:
        starts: int64[Q + 1], offsets of each query's rows.
        docs: int64[N], document codes, unique within a query.
        grades: float64[N], judged grade, NaN where unjudged.
    """

    starts: Ints
    docs: Ints
    grades: Floats


def order(query: Ints, score: Floats, doc_rank_key: Ints) -> Ints:
    """Canonical order of scored documents: query, score descending, ties by document id descending.

    That is trec_eval's rule, so a score file has one ranking whatever order its lines are in.
    -0.0 equals 0.0; scores are compared in full double precision.

    Args:
        query: int64[N], query codes.
        score: float64[N], finite or infinite.
        doc_rank_key: int64[N], integers that order as the document id strings do.

    Returns:
        int64[N], row numbers in canonical order.

    Raises:
        ValueError: a score is NaN, which has no place in an order.
    """
    if np.isnan(score).any():
        raise ValueError(f"{int(np.isnan(score).sum())} scores are NaN; reject them before ranking")
    # ~key reverses the order of integers and, unlike -key, cannot overflow.
    return np.lexsort((~doc_rank_key, -score, query))


def condensed(ranking: Ranking) -> Ranking:
    """The lists without their unjudged documents, later ones moving up (trec_eval `-J`).

    Source: Sakai, "Alternatives to Bpref", SIGIR 2007.
    """
    judged = ~np.isnan(ranking.grades)
    before = np.concatenate(([0], np.cumsum(judged)))
    return Ranking(before[ranking.starts], ranking.docs[judged], ranking.grades[judged])


def dcg_terms(starts: Ints, grades: Floats, k: int | None = None, gain: Gain = "linear") -> Floats:
    """What each document adds to its query's DCG@k: gain / log2(rank + 1), float64[N].

    Zero below the cut and for unjudged documents. The difference of a document's terms in two
    lists says what its move cost.
    """
    rows = top(starts, k)
    terms = np.zeros(grades.size)
    # A table gives a rank one discount, to the bit, wherever its row falls in a vector register.
    discount = np.log2(np.arange(1, rows.rank.max(initial=0) + 1) + 1.0)
    terms[rows.row] = _gains(grades[rows.row], gain) / discount[rows.rank - 1]
    return terms


def dcg(starts: Ints, grades: Floats, k: int | None = None, gain: Gain = "linear") -> Floats:
    """Discounted cumulative gain of the top k (Järvelin and Kekäläinen 2002), float64[Q]."""
    query = top(starts).query
    return sum_by_query(query, dcg_terms(starts, grades, k, gain), starts.size - 1)


def ideal_dcg(
    ideal_starts: Ints, ideal_grades: Floats, k: int | None = None, gain: Gain = "linear"
) -> Floats:
    """DCG of the best list the judgments allow: all judged documents, best first, cut at k."""
    best_first = np.lexsort((-ideal_grades, top(ideal_starts).query))
    return dcg(ideal_starts, ideal_grades[best_first], k, gain)


def ndcg(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    gain: Gain = "linear",
) -> Floats:
    """Normalised DCG of the top k: DCG over the DCG of the ideal list.

    `linear` gain is the grade itself (trec_eval `ndcg_cut`); `exponential` is 2^grade - 1 (Burges
    et al. 2005). Grades below zero gain nothing. NaN where no judged document has a gain.
    """
    found = dcg(starts, grades, k, gain)
    return _divide(found, ideal_dcg(ideal_starts, ideal_grades, k, gain))


def average_precision(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    *,
    relevant: float = RELEVANT,
) -> Floats:
    """Average precision of the top k over all relevant documents (trec_eval `map`, `map_cut`)."""
    rows = top(starts, k)
    hit = grades[rows.row] >= relevant
    running = np.cumsum(hit)
    length = np.bincount(rows.query, minlength=starts.size - 1)
    first = (np.cumsum(length) - length)[rows.query]
    hits = running - np.concatenate(([0], running))[first]
    precision = np.where(hit, hits / rows.rank, 0.0)
    found = sum_by_query(rows.query, precision, starts.size - 1)
    return _divide(found, _relevant(ideal_starts, ideal_grades, relevant))


def reciprocal_rank(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    *,
    relevant: float = RELEVANT,
) -> Floats:
    """One over the rank of the first relevant document; 0 when the top k has none."""
    rows = top(starts, k)
    hit = grades[rows.row] >= relevant
    query, first = np.unique(rows.query[hit], return_index=True)
    found = np.zeros(starts.size - 1)
    found[query] = 1.0 / rows.rank[hit][first]
    return _where_relevant(found, ideal_starts, ideal_grades, relevant)


def precision_at(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int,
    *,
    relevant: float = RELEVANT,
) -> Floats:
    """Share of the k places that hold a relevant document; short lists still divide by k."""
    found = _relevant(starts, grades, relevant, k) / k
    return _where_relevant(found, ideal_starts, ideal_grades, relevant)


def recall_at(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    *,
    relevant: float = RELEVANT,
) -> Floats:
    """Share of all relevant documents that stand in the top k."""
    found = _relevant(starts, grades, relevant, k)
    return _divide(found, _relevant(ideal_starts, ideal_grades, relevant))


def judged_at(starts: Ints, grades: Floats, k: int) -> Floats:
    """Share of the k places that hold a judged document, for every query, short lists over k too.

    It describes the judgments, not the ranking, so it exists where no document is relevant.
    """
    rows = top(starts, k)
    return sum_by_query(rows.query, ~np.isnan(grades[rows.row]), starts.size - 1) / k


def _gains(grades: Floats, gain: Gain) -> Floats:
    positive = np.where(grades > 0, grades, 0.0)
    return positive if gain == "linear" else np.exp2(positive) - 1.0


def _relevant(starts: Ints, grades: Floats, relevant: float, k: int | None = None) -> Floats:
    rows = top(starts, k)
    return sum_by_query(rows.query, grades[rows.row] >= relevant, starts.size - 1)


def _where_relevant(
    found: Floats, ideal_starts: Ints, ideal_grades: Floats, relevant: float
) -> Floats:
    exists: Bools = _relevant(ideal_starts, ideal_grades, relevant) > 0
    return np.where(exists, found, np.nan)


def _divide(found: Floats, ideal: Floats) -> Floats:
    quotient = np.full(found.size, np.nan)
    np.divide(found, ideal, out=quotient, where=ideal > 0)
    return quotient
