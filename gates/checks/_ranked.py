"""A golden set's candidates, ranked by a model's scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.domain.subject import GoldenSet
from gates.kernels.packed import Floats, Ints, offsets
from gates.kernels.ranking import order

__all__ = ["GradedCandidates", "Ranked", "judged", "rank"]


@dataclass(frozen=True, slots=True, eq=False)
class GradedCandidates:
    """The golden set's documents as integers, with the grades of its candidates.

    Attributes:
        starts: int64[Q+1], offsets of each query's candidate rows.
        docs: int64[N], a code per document; codes order as the ids do.
        grades: float64[N], NaN where nobody judged the candidate.
        ideal_starts: int64[Q+1], offsets of each query's judgments.
        ideal_grades: float64[J], sorted by query.
    """

    starts: Ints
    docs: Ints
    grades: Floats
    ideal_starts: Ints
    ideal_grades: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """One arm's result lists: rows of the golden set in rank order, query by query.

    Attributes:
        row: int64[N], the golden row at each place.
        docs: int64[N], document codes in rank order.
        grades: float64[N], grades in rank order, NaN where unjudged.
    """

    row: Ints
    docs: Ints
    grades: Floats


def judged(golden: GoldenSet) -> GradedCandidates:
    """Code the documents of a golden set and look up the grades of its candidates.

    Args:
        golden: A ranking golden set.
    """
    queries, rows = len(golden.query_id), len(golden.row_doc)
    names = np.array([*golden.row_doc, *golden.judged_doc], dtype=object).astype(str)
    unique, codes = np.unique(names, return_inverse=True)
    docs, judged_docs = codes[:rows].astype(np.int64), codes[rows:].astype(np.int64)
    row_key = golden.row_query * unique.size + docs
    judged_key = golden.judged_query * unique.size + judged_docs
    by_key = np.argsort(judged_key)
    grades = np.full(rows, np.nan)
    if judged_key.size:
        sorted_key = judged_key[by_key]
        place = np.minimum(np.searchsorted(sorted_key, row_key), judged_key.size - 1)
        found = sorted_key[place] == row_key
        grades[found] = golden.grade[by_key[place[found]]]
    by_query = np.argsort(golden.judged_query, kind="stable")
    return GradedCandidates(
        offsets(golden.row_query, queries),
        docs,
        grades,
        offsets(golden.judged_query[by_query], queries),
        golden.grade[by_query],
    )


def rank(golden: GoldenSet, coded: GradedCandidates, scores: Floats) -> Ranked:
    """Rank each query's candidates by score, ties by document id descending.

    Args:
        golden: A ranking golden set.
        coded: Its documents as integers.
        scores: float64[N], finite, a score for each candidate row.
    """
    row = order(golden.row_query, scores, coded.docs)
    return Ranked(row, coded.docs[row], coded.grades[row])
