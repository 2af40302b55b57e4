"""Bootstrap-t bounds and the sign-flip test."""

from itertools import product
from math import inf, isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.kernels import _resamples
from gates.kernels.intervals import (
    bootstrap_columns,
    bootstrap_t,
    design_weights,
    effective_n,
    sign_flip_p,
)
from gates.kernels.packed import Floats

DIFFERENCES = np.array([0.12, -0.31, 0.05, 0.44, -0.02, 0.27])
WEIGHTS = np.array([3.0, 1.0, 2.0, 1.0, 5.0, 2.0])


def mean_and_error(values: Floats, weights: Floats) -> tuple[float, float]:
    mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    squares = sum((w * (v - mean)) ** 2 for w, v in zip(weights, values, strict=True))
    n = len(values)
    return mean, sqrt(n / (n - 1) * squares) / sum(weights)


def t_of(values: Floats, weights: Floats, mean: float) -> float:
    again, error = mean_and_error(values, weights)
    if error < 1e-9:
        return inf if again > mean else -inf if again < mean else 0.0
    return (again - mean) / error


def exact_t(values: Floats, weights: Floats) -> Floats:
    """t of every one of the n^n resamples."""
    mean, _ = mean_and_error(values, weights)
    rows = product(range(len(values)), repeat=len(values))
    return np.sort([t_of(values[list(row)], weights[list(row)], mean) for row in rows])


@pytest.mark.parametrize("weights", [np.ones(6), WEIGHTS])
def test_bounds_equal_those_of_all_resamples_enumerated(weights: Floats) -> None:
    every = exact_t(DIFFERENCES, weights)
    mean, error = mean_and_error(DIFFERENCES, weights)
    found = bootstrap_t(DIFFERENCES, weights, alpha=0.1, resamples=200_000, seed=5)

    assert found.estimate == pytest.approx(mean, abs=1e-12)
    assert found.standard_error == pytest.approx(error, abs=1e-12)
    # Between the exact bounds at levels a hair either side: the resamples are random.
    for bound, level in ((found.lower, 0.9), (found.upper, 0.1)):
        near, far = (mean - error * np.quantile(every, level + e) for e in (0.005, -0.005))
        assert near <= bound <= far


def test_bounds_equal_a_plain_loop_on_a_larger_sample() -> None:
    rng = np.random.default_rng(8)
    values, weights = rng.normal(0.02, 0.2, 80), rng.lognormal(0, 0.7, 80)
    mean, error = mean_and_error(values, weights)
    rows = [rng.integers(0, 80, 80) for _ in range(4000)]
    every = [t_of(values[row], weights[row], mean) for row in rows]
    found = bootstrap_t(values, weights, resamples=20_000, seed=1)
    assert found.lower == pytest.approx(mean - error * np.quantile(every, 0.95), abs=0.1 * error)
    assert found.upper == pytest.approx(mean - error * np.quantile(every, 0.05), abs=0.1 * error)


def test_normal_differences_give_students_bounds() -> None:
    values = np.random.default_rng(2).normal(0, 1, 400)
    found = bootstrap_t(values, seed=1)
    error = values.std(ddof=1) / 20
    assert found.estimate == pytest.approx(values.mean())
    assert found.standard_error == pytest.approx(error)
    assert (found.estimate - found.lower) / error == pytest.approx(1.65, abs=0.1)
    assert (found.upper - found.estimate) / error == pytest.approx(1.65, abs=0.1)
    assert (found.n, found.n_eff, found.resamples) == (400, 400, 10_000)


def test_the_same_seed_gives_the_same_bounds() -> None:
    assert bootstrap_t(DIFFERENCES, WEIGHTS, seed=3) == bootstrap_t(DIFFERENCES, WEIGHTS, seed=3)
    assert bootstrap_t(DIFFERENCES, seed=3) != bootstrap_t(DIFFERENCES, seed=4)


def test_no_rows_give_no_estimate() -> None:
    for found in (bootstrap_t(np.zeros(0), seed=1), bootstrap_t(np.ones(2), np.zeros(2), seed=1)):
        assert isnan(found.estimate)
        assert (found.lower, found.upper, found.n, found.n_eff) == (-inf, inf, 0, 0)


def test_one_row_gives_an_estimate_without_bounds() -> None:
    found = bootstrap_t(np.array([0.1]), seed=1)
    assert (found.estimate, found.lower, found.upper, found.n) == (0.1, -inf, inf, 1)
    assert isnan(found.standard_error)


@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3])
def test_equal_differences_are_their_own_bounds_to_the_last_bit(value: float) -> None:
    found = bootstrap_t(np.full(7, value), WEIGHTS[[0, 1, 2, 3, 4, 5, 0]], seed=1)
    assert (found.estimate, found.lower, found.upper) == (value, value, value)
    assert (found.standard_error, found.resamples) == (0, 0)


def test_two_rows_that_differ_give_no_bounds() -> None:
    found = bootstrap_t(np.array([0.1, 0.2]), seed=1)
    assert (found.lower, found.upper) == (-inf, inf)


@pytest.mark.parametrize("changed", [1, 2, 3, 5])
def test_a_few_changed_queries_give_finite_bounds(changed: int) -> None:
    values = np.zeros(500)
    values[:changed] = -0.1
    found = bootstrap_t(values, seed=1)
    assert -0.1 < found.lower < found.estimate <= found.upper < 0.1
    assert found.lower < found.estimate - found.standard_error * 0.9


def test_rows_without_weight_are_ignored() -> None:
    values, weights = np.append(DIFFERENCES, 9.0), np.append(WEIGHTS, 0.0)
    assert bootstrap_t(values, weights, seed=1) == bootstrap_t(DIFFERENCES, WEIGHTS, seed=1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    spoiled = np.append(DIFFERENCES, bad)
    for test in (bootstrap_t, sign_flip_p):
        with pytest.raises(ValueError, match="differences must be finite"):
            test(spoiled, seed=1)
        with pytest.raises(ValueError, match="weights must be finite"):
            test(np.ones(7), spoiled, seed=1)
        with pytest.raises(ValueError, match="not negative"):
            test(np.ones(6), -WEIGHTS, seed=1)


@given(st.floats(0.01, 100), st.floats(-1, 1))
def test_scaling_weights_changes_nothing_and_shifting_differences_shifts_the_bounds(
    scale: float, shift: float
) -> None:
    base = bootstrap_t(DIFFERENCES, WEIGHTS, alpha=0.2, resamples=200, seed=1)
    moved = bootstrap_t(DIFFERENCES + shift, WEIGHTS * scale, alpha=0.2, resamples=200, seed=1)
    for name in ("estimate", "lower", "upper"):
        assert getattr(moved, name) == pytest.approx(getattr(base, name) + shift, abs=1e-9)
    assert moved.n_eff == pytest.approx(base.n_eff)


def test_census_rows_move_the_estimate_and_have_no_sampling_error() -> None:
    rng = np.random.default_rng(4)
    tail, head = rng.normal(0, 0.2, 60), np.array([0.5, -0.1])
    alone = bootstrap_t(tail, seed=1)
    weights = np.concatenate((np.full(2, 30.0), np.ones(60)))
    both = bootstrap_t(np.concatenate((head, tail)), weights, seed=1, census=np.arange(62) < 2)

    # Half of the traffic is known, so the bounds are half-way to the known mean.
    for name in ("estimate", "lower", "upper"):
        assert getattr(both, name) == pytest.approx((0.2 + getattr(alone, name)) / 2, abs=1e-12)
    assert both.standard_error == pytest.approx(alone.standard_error / 2)
    assert (both.n, both.n_eff) == (62, 60)


def test_a_census_of_everything_is_known_exactly() -> None:
    found = bootstrap_t(DIFFERENCES, WEIGHTS, seed=1, census=np.ones(6, np.bool_))
    assert found.lower == found.estimate == found.upper
    assert found.estimate == pytest.approx(np.average(DIFFERENCES, weights=WEIGHTS))
    assert (found.standard_error, found.n_eff) == (0, 6)


def test_one_sampled_row_beside_a_census_gives_no_bounds() -> None:
    found = bootstrap_t(DIFFERENCES, seed=1, census=np.arange(6) > 0)
    assert (found.lower, found.upper) == (-inf, inf)


def test_strata_take_the_difference_between_groups_out_of_the_error() -> None:
    rng = np.random.default_rng(6)
    group = np.repeat([0, 1], 100)
    values = rng.normal(0, 0.1, 200) + group
    whole, split = bootstrap_t(values, seed=1), bootstrap_t(values, seed=1, strata=group)
    assert split.estimate == pytest.approx(whole.estimate)
    parts = [values[group == code].std(ddof=1) / 10 for code in (0, 1)]
    assert split.standard_error == pytest.approx(np.hypot(*parts) / 2)
    assert split.upper - split.lower < (whole.upper - whole.lower) / 3


def test_strata_that_are_constant_have_no_error() -> None:
    found = bootstrap_t(np.repeat([0.1, 0.3], 4), seed=1, strata=np.repeat([0, 1], 4))
    assert found.lower == found.estimate == found.upper == pytest.approx(0.2)


def test_effective_n() -> None:
    assert effective_n(np.ones(8)) == 8
    assert effective_n(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective_n(np.zeros(3)) == 0


def test_queries_drawn_in_proportion_to_traffic_weigh_the_same() -> None:
    traffic = np.array([50.0, 2.0, 4.0])
    weights = design_weights(traffic, np.array([1.0, 0.1, 0.2]))
    assert weights.tolist() == pytest.approx([50, 20, 20])


@given(st.lists(st.integers(-5, 5), max_size=9))
def test_sign_flips_are_enumerated_when_few(values: list[int]) -> None:
    observed = sum(values)
    patterns = [
        sum(sign * value for sign, value in zip(signs, values, strict=True))
        for signs in product((1, -1), repeat=len(values))
    ]
    exact = sum(total >= observed for total in patterns) / len(patterns)
    assert sign_flip_p(np.array(values, dtype=np.float64) / 10, seed=1) == pytest.approx(exact)


def test_weights_count_in_the_sign_flips() -> None:
    values, weights = np.array([0.1, 0.1, -0.1]), np.array([1.0, 1.0, 3.0])
    assert sign_flip_p(values, weights, seed=1) == 5 / 8


def test_random_sign_flips_come_near_the_exact_p() -> None:
    values = np.array([1.0] * 12 + [-1.0] * 6)
    exact = 0.1189422607  # P(Binomial(18, 1/2) >= 12)
    assert sign_flip_p(values, resamples=100_000, seed=1) == pytest.approx(exact, abs=0.004)


def test_a_clear_win_has_the_smallest_p_there_is() -> None:
    assert sign_flip_p(np.full(200, 0.1), resamples=999, seed=1) == 1 / 1000
    assert sign_flip_p(np.full(200, -0.1), resamples=999, seed=1) == 1


def test_without_evidence_p_is_one() -> None:
    assert sign_flip_p(np.zeros(0), seed=1) == 1
    assert sign_flip_p(np.zeros(20), seed=1) == 1


@pytest.mark.parametrize("n", [40, 300, 3000])
def test_each_of_many_columns_has_the_bits_it_has_alone(n: int) -> None:
    rng = np.random.default_rng(n)
    values, weights = rng.normal(0, 0.1, (n, 6)), rng.lognormal(0, 0.5, n)
    values[:3, 1] = values[5:9, 4] = np.nan
    values[4:, 5] = 0.0
    census = np.arange(n) < 10
    together = bootstrap_columns(
        values, weights, resamples=999, seed=1, census=census, plausible=(-0.3, 0.3)
    )
    for column, found in enumerate(together):
        rows = ~np.isnan(values[:, column])
        alone = bootstrap_t(
            values[rows, column],
            weights[rows],
            resamples=999,
            seed=1,
            census=census[rows],
            plausible=(-0.3, 0.3),
        )
        assert found == alone


def test_an_infinite_difference_is_refused_in_columns_too() -> None:
    with pytest.raises(ValueError, match="differences must be finite"):
        bootstrap_columns(np.array([[0.0], [np.inf]]), seed=1)


@pytest.mark.parametrize("size", [480, 700, 4000])
def test_blocks_of_rows_give_the_bounds_of_rows(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    values = np.random.default_rng(3).exponential(1, size) ** 1.5 * -0.1
    blocks = bootstrap_t(values, seed=1)
    monkeypatch.setattr(_resamples, "UNITS", ())
    _resamples.grouping.cache_clear()
    rows = bootstrap_t(values, seed=1)
    _resamples.grouping.cache_clear()
    assert blocks.standard_error == rows.standard_error
    for name in ("lower", "upper"):
        near = pytest.approx(getattr(rows, name), abs=0.07 * rows.standard_error)
        assert getattr(blocks, name) == near


def test_a_sample_without_a_change_reaches_as_far_as_its_size() -> None:
    # The share of traffic that may differ: P(none seen in n) = (1 - share)^n = .05.
    found = bootstrap_t(np.zeros(180), seed=1, plausible=(-0.3, 0.3))
    reach = 0.3 * (1 - 0.05 ** (1 / 180))
    assert found.estimate == 0
    assert found.lower == pytest.approx(-reach, rel=0.03)
    assert found.upper == pytest.approx(reach, rel=0.03)
    whole = bootstrap_t(np.zeros(180), seed=1, plausible=(-0.3, 0.3), census=np.ones(180, np.bool_))
    assert (whole.lower, whole.upper) == (0, 0)


def test_a_sampled_loss_beyond_the_plausible_takes_its_place() -> None:
    values = np.zeros(180)
    values[0] = -1.0
    found = bootstrap_t(values, seed=1, plausible=(-0.3, 0.3))
    # Two of 181 shares at -1: the 95 % quantile of Beta(2, 179) is .0259.
    assert found.lower == pytest.approx(-0.0259, abs=0.001)


def test_a_sample_with_many_changes_keeps_the_bootstraps_bounds() -> None:
    values = np.random.default_rng(2).normal(0, 0.1, 60)
    assert bootstrap_t(values, seed=1) == bootstrap_t(values, seed=1, plausible=(-0.3, 0.3))
