"""Rank-biased precision and expected reciprocal rank: vectors, definitions, what always holds."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.kernels.browsing import err, rbp
from gates.kernels.packed import Floats
from gates.kernels.ranking import ideal_dcg
from tests.kernels.packed_lists import UNJUDGED, grade_lists, judgments, pack

Metric = Callable[..., Floats]
JUDGED = pack([[3, 2, 0, 1]])
SERVED = pack([[0, 3, UNJUDGED, 1]])
METRICS = [
    pytest.param(partial(rbp, max_grade=3), id="rbp"),
    pytest.param(partial(rbp, max_grade=3, persistence=0.5), id="rbp, impatient"),
    pytest.param(partial(err, max_grade=3), id="err"),
]


def rbp_by_definition(grades: Sequence[float], p: float, best: float) -> float:
    gain = [max(grade, 0) / best if grade == grade else 0 for grade in grades]
    return (1 - p) * sum(g * p**place for place, g in enumerate(gain))


def err_by_definition(grades: Sequence[float], best: float) -> float:
    stop = [(2 ** max(grade, 0) - 1) / 2**best if grade == grade else 0 for grade in grades]
    return sum(
        stop[place] / (place + 1) * float(np.prod([1 - above for above in stop[:place]]))
        for place in range(len(stop))
    )


def test_rbp_of_the_fixture() -> None:
    # (1 - .8) (.8 * 3/3 + .8^3 * 1/3)
    assert rbp(*SERVED, *JUDGED, max_grade=3).item() == pytest.approx(0.194133333, abs=1e-9)
    assert rbp(*SERVED, *JUDGED, 3, max_grade=3).item() == pytest.approx(0.16, abs=1e-12)
    impatient = rbp(*SERVED, *JUDGED, max_grade=3, persistence=0.5).item()
    assert impatient == pytest.approx(0.5 * (0.5 + 0.125 / 3), abs=1e-12)


def test_err_of_the_fixture() -> None:
    # 7/8 at rank 2; the reader gets to rank 4 with 1/8 and stops there with 1/8.
    assert err(*SERVED, *JUDGED, max_grade=3).item() == pytest.approx(57 / 128 - 1 / 256, abs=1e-12)
    assert err(*SERVED, *JUDGED, 3, max_grade=3).item() == pytest.approx(7 / 16, abs=1e-12)
    assert err(*SERVED, *JUDGED, max_grade=4).item() == pytest.approx(
        7 / 32 + 9 / 16 / 16 / 4, abs=1e-12
    )


@given(grade_lists, st.none() | st.integers(1, 15), st.sampled_from([0.3, 0.8, 0.95]))
def test_both_follow_their_definitions(lists: list[list[float]], k: int | None, p: float) -> None:
    arrays = (*pack(lists), *pack([[1.0]] * len(lists)), k)
    biased = rbp(*arrays, max_grade=3, persistence=p)
    expected = [rbp_by_definition(grades[:k], p, 3) for grades in lists]
    assert biased.tolist() == pytest.approx(expected, abs=1e-12)
    expected = [err_by_definition(grades[:k], 3) for grades in lists]
    assert err(*arrays, max_grade=3).tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@given(lists=grade_lists, k=st.integers(1, 15))
def test_scores_stay_from_zero_to_below_one(
    metric: Metric, lists: list[list[float]], k: int
) -> None:
    values = metric(*pack(lists), *judgments(lists), k)
    present = values[~np.isnan(values)]
    assert ((present >= 0) & (present < 1)).all()


@pytest.mark.parametrize("metric", METRICS)
@given(
    grades=st.lists(st.sampled_from([UNJUDGED, 0.0, 1.0, 2.0]), min_size=1, max_size=12),
    place=st.integers(0, 11),
)
def test_a_better_grade_never_scores_less(metric: Metric, grades: list[float], place: int) -> None:
    place %= len(grades)
    better = [*grades]
    better[place] = max(grades[place], 0.0) + 1 if grades[place] == grades[place] else 1.0
    before, after = metric(*pack([grades, better]), *pack([[3], [3]]))
    assert after > before


@pytest.mark.parametrize("metric", METRICS)
def test_queries_without_a_gain_have_no_value_and_empty_lists_score_zero(metric: Metric) -> None:
    lists = pack([[1.0], [0.0], [], [], [UNJUDGED]])
    values = metric(*lists, *pack([[0, -1], [], [3], [], [0.5]]))
    np.testing.assert_array_equal(values, [np.nan, np.nan, 0, np.nan, 0])
    assert metric(*pack([]), *pack([])).shape == (0,)


@pytest.mark.parametrize("metric", METRICS)
@given(lists=grade_lists)
def test_what_the_judgments_allow_may_be_worked_out_once(
    metric: Metric, lists: list[list[float]]
) -> None:
    served, judged = pack(lists), judgments(lists)
    unread = np.zeros_like(judged[0]), np.array([])
    known = metric(*served, *unread, ideal=ideal_dcg(*judged))
    np.testing.assert_array_equal(known, metric(*served, *judged))


@pytest.mark.parametrize("metric", [rbp, err])
def test_a_grade_above_the_scale_is_refused(metric: Metric) -> None:
    with pytest.raises(ValueError, match=r"1 grades are above 2, the best grade of the scale"):
        metric(*SERVED, *JUDGED, max_grade=2)
    with pytest.raises(ValueError, match="not above 0"):
        metric(*SERVED, *JUDGED, max_grade=0)
