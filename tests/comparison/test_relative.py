"""A change as a share of the old mean: where its ends are, and what a small baseline asks."""

from __future__ import annotations

import numpy as np
import pytest

from gates.comparison.measuring import Sample
from gates.comparison.paired import PairedMetric
from gates.comparison.relative import relative_change
from gates.domain.judging import Bound, Measurement, Outcome, judge
from gates.kernels.informative import ALIKE
from gates.kernels.packed import Floats


def measured(
    old: Floats, new: Floats, unjudged: tuple[Floats, Floats] | None = None
) -> Measurement:
    sample = Sample(np.ones(old.size), np.zeros(old.size, np.bool_), severe=0.3)
    metric = PairedMetric("ndcg@10", old, new, unjudged)
    return relative_change(sample, metric, ("", np.ones(old.size, np.bool_)))


def test_the_value_is_the_share_by_which_the_mean_changed() -> None:
    random = np.random.default_rng(1)
    old = random.beta(1, 20, 800)
    found = measured(old, old * 0.9)
    assert (found.metric, found.unit) == ("ndcg@10.change", "relative change")
    assert found.value == pytest.approx(-0.1)
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < -0.1 < found.upper < 0
    same = measured(old, old)
    assert same.lower is not None
    assert same.lower < 0 == same.value


def test_a_low_baseline_needs_a_narrow_interval() -> None:
    """Two points are little of nDCG 0.6, and all there is of 0.02."""
    random = np.random.default_rng(2)
    change = random.normal(0, 0.01, 300)
    high, low = (measured(np.full(300, base), base + change) for base in (0.6, 0.05))
    demanded = Bound("ranking-diff", "ndcg@10.change", minimum=-0.03)
    assert judge(demanded, high).outcome is Outcome.PASS
    assert judge(demanded, low).outcome is Outcome.UNDECIDED


def test_its_ends_are_where_the_bound_of_the_difference_to_that_share_is_nothing() -> None:
    random = np.random.default_rng(3)
    old = random.beta(1, 6, 120)
    new = np.clip(0.9 * old * random.lognormal(-0.02, 0.2, 120), 0, 1)
    found = measured(old, new)
    rows, sample = np.ones(120, np.bool_), Sample(np.ones(120), np.zeros(120, np.bool_), severe=0.3)
    ratios = (1 + (found.lower or 0), 1 + (found.upper or 0))
    low, high = sample.bounds([new - r * old for r in ratios], rows, (-0.3, 0.3))
    assert low.lower == pytest.approx(0, abs=1e-4)
    assert high.upper == pytest.approx(0, abs=1e-4)


def test_grades_still_to_come_widen_it() -> None:
    old, new = np.full(200, 0.4), np.full(200, 0.41)
    ends = new - old - 0.1, new - old + 0.1
    known, open_ = measured(old, new), measured(old, new, unjudged=ends)
    assert (open_.lower or 0) < (known.lower or 0) - 0.2
    assert open_.pessimistic == pytest.approx(-0.09 / 0.4)


def test_nothing_is_a_share_of_nothing() -> None:
    found = measured(np.zeros(50), np.full(50, 0.1))
    assert found.value is None
    assert found.reason == "the old ndcg@10 is 0: nothing is a share of it"


def test_a_metric_that_cannot_move_decides_nothing_relatively_either() -> None:
    sample = Sample(np.ones(9), np.zeros(9, np.bool_), severe=0.3)
    alike = PairedMetric("mrr", np.ones(9), np.ones(9), informative=np.full(9, ALIKE))
    found = relative_change(sample, alike, ("", np.ones(9, np.bool_)))
    assert (found.metric, found.value) == ("mrr.change", None)
    assert found.cause is not None
