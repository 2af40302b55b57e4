"""A golden set's candidates, ranked by a model's scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.domain.subject import GoldenSet
from gates.kernels.canonical import order_numbered
from gates.kernels.matching import Lists, as_codes, match
from gates.kernels.packed import Bools, Floats, Ints, count, offsets

__all__ = ["GradedCandidates", "Ranked", "judged", "rank"]


@dataclass(frozen=True, slots=True, eq=False)
class GradedCandidates:
    """The golden set's documents as integers, with the grades of its candidates.

    Attributes:
        starts: int64[Q+1], offsets of each query's candidate rows.
        docs: int64[N], a code per document; codes order as the ids do.
        grades: float64[N], NaN where nobody judged the candidate.
        ideal_starts: int64[Q+1], offsets of each query's judgments.
        ideal_docs: int64[J], the judged documents, sorted by query.
        ideal_grades: float64[J], their grades.
    """

    starts: Ints
    docs: Ints
    grades: Floats
    ideal_starts: Ints
    ideal_docs: Ints
    ideal_grades: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """One arm's result lists: rows of the golden set in rank order, query by query.

    Attributes:
        row: int64[N], the golden row at each place.
        docs: int64[N], document codes in rank order.
        grades: float64[N], grades in rank order, NaN where unjudged.
        tied: bool[Q], whether all documents have the same score, so that only ids order them.
    """

    row: Ints
    docs: Ints
    grades: Floats
    tied: Bools


def judged(golden: GoldenSet) -> GradedCandidates:
    """Code the documents of a golden set and look up the grades of its candidates.

    Args:
        golden: A ranking golden set.
    """
    queries, rows = len(golden.query_id), len(golden.row_doc)
    names = np.array([*golden.row_doc, *golden.judged_doc], dtype=object).astype(str)
    _, codes = np.unique(names, return_inverse=True)
    docs, judged_docs = codes[:rows].astype(np.int64), codes[rows:].astype(np.int64)
    by_query = np.argsort(golden.judged_query, kind="stable")
    candidates = Lists(offsets(golden.row_query, queries), as_codes(docs))
    judged_docs, grade = judged_docs[by_query], golden.grade[by_query]
    judgments = Lists(offsets(golden.judged_query[by_query], queries), as_codes(judged_docs))
    found = match(candidates, candidates, judgments, grade)
    return GradedCandidates(
        candidates.starts, docs, found.old_grades, judgments.starts, judged_docs, grade
    )


def rank(coded: GradedCandidates, scores: Floats) -> Ranked:
    """Rank each query's candidates by score, ties by document id descending.

    Args:
        coded: A golden set's documents as integers.
        scores: float64[N], finite, a score for each candidate row.
    """
    row = order_numbered(coded.starts, scores, coded.docs)
    other = np.zeros(scores.size, dtype=np.bool_)
    np.not_equal(scores[1:], scores[:-1], out=other[1:])
    begin = coded.starts[:-1]
    other[begin[begin < scores.size]] = False
    tied = (count(coded.starts, other) == 0) & (np.diff(coded.starts) > 1)
    return Ranked(row, coded.docs[row], coded.grades[row], tied)
