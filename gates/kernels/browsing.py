"""Ranking quality as a reader meets it: rank-biased precision and expected reciprocal rank.

Both model how far down a list somebody reads. They take the arrays of `gates.kernels.ranking`,
whose rules hold here too: an unjudged document or a grade below zero is worth nothing, an empty
list scores 0, and a query without a judged document above zero has no value (NaN), since no
ranking could have earned one. `ideal` is anything above zero where a query has such a document,
such as what `ideal_dcg` gave; the judgments are then not read.

Neither is divided by what the judgments allow, so both need the top of the grading scale: the
largest grade at hand would make one query's score depend on the others.
"""

import numpy as np

from gates.kernels.packed import Floats, Ints, by_rank, count, cut, dense, longest, sum_lists
from gates.kernels.ranking import gains


def rbp(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    *,
    max_grade: float,
    persistence: float = 0.8,
    ideal: Floats | Ints | None = None,
) -> Floats:
    """Rank-biased precision: (1 - p) * sum of grade/max_grade * p^(rank - 1), float64[Q].

    Moffat and Zobel, "Rank-biased precision for measurement of retrieval effectiveness", TOIS
    2008, with graded gain. A list of finite length stays below 1.

    Args:
        starts: int64[Q + 1], offsets of the served lists.
        grades: float64[N], grades in rank order, NaN where unjudged.
        ideal_starts: int64[Q + 1], offsets of the judgments.
        ideal_grades: float64[J], grades of all judged documents.
        k: depth of the cut; None reads the lists to their ends.
        max_grade: the best grade of the scale.
        persistence: p, between 0 and 1: the chance that a reader goes on to the next document.
        ideal: see above.

    Raises:
        ValueError: a served grade is above the scale, or the scale has no grade above zero.
    """
    starts, grades = cut(starts, grades, k)
    _check_scale(grades, max_grade)
    # A running product begins the same way however long the longest list is.
    reached = np.cumprod(np.concatenate(([1.0], np.full(longest(starts), persistence))))
    terms = gains(grades, "linear") / max_grade * by_rank(starts, reached)
    found = (1 - persistence) * sum_lists(starts, terms)
    return _where_gainful(found, ideal_starts, ideal_grades, ideal)


def err(
    starts: Ints,
    grades: Floats,
    ideal_starts: Ints,
    ideal_grades: Floats,
    k: int | None = None,
    *,
    max_grade: float,
    ideal: Floats | Ints | None = None,
) -> Floats:
    """Expected reciprocal rank: sum of 1/rank * R * (1 - R of each document above), float64[Q].

    R = (2^grade - 1) / 2^max_grade is the chance that a reader stops here, satisfied. Chapelle,
    Metzler, Zhang and Grinspan, "Expected reciprocal rank for graded relevance", CIKM 2009.

    Args:
        starts: int64[Q + 1], offsets of the served lists.
        grades: float64[N], grades in rank order, NaN where unjudged.
        ideal_starts: int64[Q + 1], offsets of the judgments.
        ideal_grades: float64[J], grades of all judged documents.
        k: depth of the cut; None reads the lists to their ends.
        max_grade: the best grade of the scale.
        ideal: see above.

    Raises:
        ValueError: a served grade is above the scale, or the scale has no grade above zero.
    """
    starts, grades = cut(starts, grades, k)
    _check_scale(grades, max_grade)
    found = np.zeros(starts.size - 1)
    for queries, block in dense(starts, grades, np.nan):
        stops = np.ascontiguousarray(gains(block, "exponential")) / 2.0**max_grade
        still_reading = np.ones(stops.shape[1])
        for rank, stop in enumerate(stops, start=1):
            found[queries] += still_reading * stop / rank
            still_reading *= 1.0 - stop
    return _where_gainful(found, ideal_starts, ideal_grades, ideal)


def _check_scale(grades: Floats, max_grade: float) -> None:
    if not max_grade > 0:
        raise ValueError(f"the best grade of the scale is {max_grade}, which is not above 0")
    above = int((grades > max_grade).sum())
    if above:
        raise ValueError(f"{above} grades are above {max_grade}, the best grade of the scale")


def _where_gainful(
    found: Floats, ideal_starts: Ints, ideal_grades: Floats, ideal: Floats | Ints | None
) -> Floats:
    if ideal is None:
        ideal = count(ideal_starts, ideal_grades > 0)
    return np.where(ideal > 0, found, np.nan)
