"""Bounds on weighted means: what they equal, and what they must not depend on."""

from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gates.kernels.design import SampleDesign
from gates.kernels.mean_bounds import Bounds, mean_bounds, mean_p
from gates.kernels.packed import Floats
from tests.kernels.clopper_pearson import clopper_pearson

SEVERE = 0.3
DIFFERENCES = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1, 1, width=32))


def bounds(values: Floats, design: SampleDesign | None = None, **options: float) -> Bounds:
    design = design or SampleDesign(np.ones(values.size))
    settings = {"worst": -SEVERE, "best": SEVERE} | options
    (found,) = mean_bounds(values[:, None], design, **settings)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(("hits", "rows"), [(0, 10), (1, 10), (10, 10), (3, 200), (300, 1000)])
def test_a_share_of_even_rows_has_clopper_and_pearsons_bounds(hits: int, rows: int) -> None:
    found = bounds((np.arange(rows) < hits).astype(np.float64), worst=0.0, best=1.0)
    lower, upper = clopper_pearson(hits, rows)
    assert found.lower == pytest.approx(lower, rel=1e-3)
    assert found.upper == pytest.approx(upper, rel=1e-3)


def test_rows_that_are_all_equal_leave_room_for_one_that_nobody_saw() -> None:
    found = bounds(np.zeros(200))
    assert found.estimate == 0
    assert found.lower == pytest.approx(-SEVERE * (1 - 0.05 ** (1 / 200)), rel=1e-6)
    assert found.upper == -found.lower


def test_many_comparable_differences_have_nearly_students_bounds() -> None:
    values = np.random.default_rng(1).normal(0.01, 0.17, 50_000)
    found, error = bounds(values), values.std(ddof=1) / np.sqrt(values.size)
    assert found.lower == pytest.approx(found.estimate - 1.645 * error, abs=0.02 * error)
    assert found.upper == pytest.approx(found.estimate + 1.645 * error, abs=0.02 * error)


def test_a_jitter_changes_nothing_and_one_loss_more_is_never_better() -> None:
    # Counting ties did both: a cliff at which one loss more turned UNDECIDED into PASS.
    rng = np.random.default_rng(2)
    jitter, before = rng.normal(0, 1e-6, 200), inf
    for losses in range(60):
        values = np.where(np.arange(200) < losses, -0.1, 0.0)
        found = bounds(values)
        assert found.lower < before
        assert found.lower == pytest.approx(bounds(values + jitter).lower, abs=1e-5)
        before = found.lower


@given(DIFFERENCES, st.integers(0, 39), st.floats(0, 1))
def test_a_larger_value_never_lowers_a_bound(values: Floats, place: int, by: float) -> None:
    raised = values.copy()
    raised[place % values.size] += by
    before, after = bounds(values, worst=-1.0, best=2.0), bounds(raised, worst=-1.0, best=2.0)
    assert after.lower >= before.lower - 1e-6
    assert after.upper >= before.upper - 1e-6


@given(DIFFERENCES)
def test_bounds_stand_around_the_estimate_and_mirror_each_other(values: Floats) -> None:
    found, mirrored = bounds(values), bounds(-values)
    assert found.lower <= found.estimate <= found.upper
    assert (mirrored.lower, mirrored.upper) == (-found.upper, -found.lower)


@given(DIFFERENCES, st.floats(0.001, 1000))
def test_the_scale_of_the_weights_does_not_matter(values: Floats, scale: float) -> None:
    weight = np.ones(values.size) + np.arange(values.size) % 5
    one, other = bounds(values, SampleDesign(weight)), bounds(values, SampleDesign(weight * scale))
    assert one.lower == pytest.approx(other.lower, abs=1e-7)
    assert one.n_eff == pytest.approx(other.n_eff)


def test_rows_of_a_cluster_count_once() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(0, 0.17, 50)
    alone = bounds(values)
    cluster = np.tile(np.arange(50), 4)
    found = bounds(np.tile(values, 4), SampleDesign(np.ones(200), cluster=cluster))
    assert (found.n, found.units, found.n_eff) == (200, 50, 50)
    assert found.lower == pytest.approx(alone.lower, abs=1e-9)
    assert bounds(np.tile(values, 4)).lower > found.lower + 0.01


def test_census_rows_move_the_mean_and_carry_no_chance() -> None:
    values, census = np.array([0.1, -0.2, 0.3]), np.ones(3, np.bool_)
    found = bounds(values, SampleDesign(np.array([5.0, 1, 1]), census))
    assert found.lower == found.estimate == found.upper == pytest.approx(0.6 / 7)
    rng = np.random.default_rng(5)
    tail = rng.normal(0, 0.17, 100)
    weight = np.concatenate((np.full(10, 30.0), np.ones(100)))
    mixed = SampleDesign(weight, np.arange(110) < 10)
    found = bounds(np.concatenate((np.zeros(10), tail)), mixed)
    # Three quarters of the traffic are certain: what is left of the tail's interval is a quarter.
    alone = bounds(tail)
    width = (found.upper - found.lower) / (alone.upper - alone.lower)
    assert width == pytest.approx(0.25, abs=0.01)
    assert found.n_eff == 100


def test_the_unseen_row_weighs_what_traffic_meets() -> None:
    weight = np.array([1.0, 1, 1, 1, 12])
    found = bounds(np.zeros(5), SampleDesign(weight))
    assert found.n_eff == pytest.approx(256 / 148)
    assert found.lower < bounds(np.zeros(5)).lower


def test_values_still_to_be_judged_widen_both_ends() -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(0, 0.1, (100, 1))
    least, most = values - 0.05, values + 0.02
    (plain,) = mean_bounds(values, SampleDesign(np.ones(100)), worst=-SEVERE, best=SEVERE)
    (found,) = mean_bounds(
        values, SampleDesign(np.ones(100)), worst=-SEVERE, best=SEVERE, least=least, most=most
    )
    assert found.estimate == plain.estimate
    assert found.lower == pytest.approx(plain.lower - 0.05, abs=0.001)
    assert found.upper == pytest.approx(plain.upper + 0.02, abs=0.001)
    assert found.lower < least.mean()  # the uncertainties add: not the pessimistic mean alone


def test_columns_come_out_alike_alone_and_among_others_and_leave_out_nan() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(0, 0.1, (300, 6))
    values[rng.random(values.shape) < 0.2] = np.nan
    design = SampleDesign(rng.random(300), rng.random(300) < 0.1, rng.integers(0, 200, 300))
    together = mean_bounds(values, design, worst=-SEVERE, best=SEVERE)
    for column, found in enumerate(together):
        rows = ~np.isnan(values[:, column])
        alone = bounds(values[:, column], design)
        assert alone == found
        assert bounds(values[rows, column], design.of(rows)).lower == pytest.approx(found.lower)


def test_no_rows_give_no_bounds_and_one_row_next_to_none() -> None:
    found = bounds(np.array([np.nan, np.nan]))
    assert isnan(found.estimate)
    assert (found.lower, found.upper, found.n) == (-inf, inf, 0)
    found = bounds(np.array([0.1]))
    assert -SEVERE < found.lower < -0.25
    assert 0.25 < found.upper < SEVERE


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        bounds(np.array([inf, 0]))
    with pytest.raises(ValueError, match="weights"):
        bounds(np.zeros(2), SampleDesign(np.array([1.0, -1])))


def test_p_is_the_level_at_which_the_bound_reaches_the_null() -> None:
    rng = np.random.default_rng(8)
    for values in (rng.normal(0.02, 0.1, 80), np.where(rng.random(80) < 0.05, -0.3, 0.03)):
        design = SampleDesign(np.ones(80))
        (p,) = mean_p(values[:, None], design, worst=-SEVERE)
        if 1e-6 < p < 0.4:
            found = bounds(values, alpha=float(p))
            assert found.lower == pytest.approx(0, abs=1e-4)
    assert mean_p(np.full((3, 1), np.nan), SampleDesign(np.ones(3)), worst=-SEVERE)[0] == 1


def test_better_is_not_claimed_of_many_tiny_gains_and_a_few_large_losses() -> None:
    # A sign-flip test calls such a version better in 39 % of samples of twenty: its mean is 0.
    rng = np.random.default_rng(9)
    values = np.where(rng.random((20, 1000)) < 0.05, -0.3, 0.3 * 0.05 / 0.95)
    p = mean_p(values, SampleDesign(np.ones(20)), worst=-SEVERE)
    assert np.mean(p < 0.05) < 0.02
