"""What documents that nobody judged could do to a difference of nDCG, tried out."""

from itertools import product
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.kernels import ranking
from gates.kernels.packed import Floats
from gates.kernels.unjudged import Unjudged, unjudged
from tests.kernels.packed_lists import pair_lists

K, BEST = 3, 2.0
docs = st.lists(st.integers(0, 6), max_size=5, unique=True)
grades_of = st.dictionaries(st.integers(0, 6), st.sampled_from([0.0, 1.0, 2.0]), max_size=6)
Gain = Literal["linear", "exponential"]


def served(lists: list[list[int]], known: dict[int, float]) -> Floats:
    return np.array([known.get(doc, np.nan) for docs in lists for doc in docs])


def found(old: list[int], new: list[int], known: dict[int, float], gain: Gain) -> Unjudged:
    judged = np.array([*known.values()], dtype=np.float64)
    return unjudged(
        pair_lists([old], [new]),
        served([old], known),
        served([new], known),
        np.array([0, judged.size]),
        judged,
        K,
        gain,
        max_grade=BEST,
    )


def difference(old: list[int], new: list[int], known: dict[int, float], gain: Gain) -> float:
    judged = np.array([*known.values()], dtype=np.float64)
    ends = np.array([0, judged.size])
    value = [
        ranking.ndcg(np.array([0, len(one)]), served([one], known), ends, judged, K, gain)[0]
        for one in (old, new)
    ]
    return float(value[1] - value[0])


@pytest.mark.parametrize("gain", ["linear", "exponential"])
@settings(max_examples=150)
@given(old=docs, new=docs, known=grades_of)
def test_no_assignment_of_grades_leaves_the_bounds(
    gain: Gain, old: list[int], new: list[int], known: dict[int, float]
) -> None:
    bounds = found(old, new, known, gain)
    open_docs = sorted({*old[:K], *new[:K]} - set(known))
    if not any(grade > 0 for grade in known.values()):
        assert np.isnan(bounds.pessimistic[0])
        return
    for given_grades in product([0.0, BEST / 2, BEST], repeat=len(open_docs)):
        told = known | dict(zip(open_docs, given_grades, strict=True))
        value = difference(old, new, told, gain)
        assert bounds.pessimistic[0] - 1e-12 <= value <= bounds.optimistic[0] + 1e-12
    if not open_docs:
        assert bounds.pessimistic[0] == pytest.approx(difference(old, new, known, gain))
        assert bounds.optimistic[0] == pytest.approx(bounds.pessimistic[0])


def test_a_document_that_did_not_move_can_do_nothing_by_itself() -> None:
    bounds = found([0, 9], [1, 9], {0: 2.0, 1: 2.0}, "linear")
    assert bounds.swing.tolist() == [0.0]


def test_rows_point_at_where_the_document_stands() -> None:
    bounds = found([0, 5, 6], [5, 0, 7], {0: 2.0}, "linear")
    where = {(int(old), int(new)) for old, new in zip(bounds.old_row, bounds.new_row, strict=True)}
    assert where == {(1, 0), (-1, 2), (2, -1)}
    assert bounds.query.tolist() == [0, 0, 0]


def test_the_bounds_are_reached_where_the_ideal_is_full_already() -> None:
    """Three documents of the best grade are judged, so that no other makes the ideal better."""
    known = {10: BEST, 11: BEST, 12: BEST, 0: 0.0, 1: 0.0}
    bounds = found([0, 1], [5, 1], known, "linear")
    best = difference([0, 1], [5, 1], known | {5: BEST}, "linear")
    assert bounds.optimistic[0] == pytest.approx(best)
    assert bounds.pessimistic[0] == pytest.approx(0.0)
