"""Drift of a feature: against SciPy, values worked out by hand, and what must always hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from gates.kernels._chi_squared import noncentral_cdf, noncentrality_bounds
from gates.kernels.drift import (
    design_effects,
    kolmogorov_smirnov,
    kolmogorov_tail,
    missing_rate,
    outside,
    population_stability,
    stability_of_counts,
)
from gates.kernels.packed import Floats

NAN = float("nan")


def test_psi_is_the_sum_worked_out_by_hand() -> None:
    found = stability_of_counts(np.array([50, 30, 20]), np.array([20, 30, 50]))
    assert found.index == pytest.approx(2 * 0.3 * math.log(2.5))
    assert found.bins == 3
    assert found.by_chance == pytest.approx(2 * (0.01 + 0.01))


def test_an_empty_bin_counts_as_half_a_value_and_one_empty_in_both_not_at_all() -> None:
    found = stability_of_counts(np.array([5, 5, 0]), np.array([10, 0, 0]))
    assert found.bins == 2
    assert found.index == pytest.approx(0.5 * math.log(2) + (0.05 - 0.5) * math.log(0.1))


def test_psi_of_a_feature_with_few_values_has_a_bin_for_each() -> None:
    old = np.repeat([0.0, 1.0, 5.0], [80, 15, 5])
    new = np.repeat([0.0, 1.0, 5.0], [40, 40, 20])
    found = population_stability(old, new)
    assert found.bins == 3
    assert found.index == pytest.approx(
        stability_of_counts(np.array([80, 15, 5]), np.array([40, 40, 20])).index
    )


def test_psi_has_quantile_bins_of_the_reference() -> None:
    old = np.arange(1.0, 101.0)
    same, upper = population_stability(old, old), population_stability(old, old[50:])
    assert (same.index, same.bins) == (0, 10)
    assert upper.index == pytest.approx(
        stability_of_counts(np.full(10, 10), np.repeat([0, 10], 5)).index
    )


def test_psi_does_not_depend_on_missing_values_or_the_scale() -> None:
    random = np.random.default_rng(1)
    old, new = random.normal(size=400), random.normal(0.4, size=300)
    found = population_stability(old, new).index
    assert population_stability(np.append(old, NAN), np.append(new, [NAN] * 9)).index == found
    assert population_stability(old * 8 + 3, new * 8 + 3).index == pytest.approx(found)


def test_psi_of_one_population_comes_to_what_chance_makes() -> None:
    random = np.random.default_rng(2)
    rounds = [
        population_stability(random.normal(size=2000), random.normal(size=1000)) for _ in range(200)
    ]
    mean = np.mean([one.index for one in rounds])
    assert mean == pytest.approx(rounds[0].by_chance, rel=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_ks_agrees_with_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    old = random.normal(size=600).round(seed % 3)
    new = random.normal(0.03 * seed, size=500).round(seed % 3)
    found = kolmogorov_smirnov(old, new)
    reference = stats.ks_2samp(old, new, method="asymp")
    assert found.statistic == pytest.approx(reference.statistic, abs=1e-12)
    assert found.p == pytest.approx(reference.pvalue, abs=0.02)
    assert (found.old, found.new) == (600, 500)


def test_ks_of_a_handful_by_hand() -> None:
    found = kolmogorov_smirnov(np.array([1.0, 2.0, NAN]), np.array([2.0, 3.0, 4.0, 5.0]))
    assert (found.statistic, found.old, found.new) == (0.75, 2, 4)
    assert kolmogorov_smirnov(np.array([1.0]), np.array([1.0])).p == 1


@pytest.mark.parametrize("x", [0.0, 0.05, 0.2, 0.5, 0.9999, 1.0, 1.36, 2.0, 5.0])
def test_the_tail_of_kolmogorovs_distribution_is_scipys(x: float) -> None:
    assert kolmogorov_tail(x) == pytest.approx(special.kolmogorov(x), rel=1e-10, abs=1e-15)


def test_missing_rates_have_exact_bounds() -> None:
    values = np.array([NAN, 1.0, 2.0, 3.0] * 10)
    found = missing_rate(values)
    assert (found.share, found.n) == (0.25, 40)
    exact = stats.binomtest(10, 40).proportion_ci(0.9, method="exact")
    assert found.bounds() == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_outside_counts_present_values_beyond_either_end() -> None:
    reference = np.array([2.0, NAN, 7.0])
    found = outside(np.array([1.0, 2.0, 7.0, 8.0, NAN]), reference)
    assert (found.share, found.n) == (0.5, 4)


@pytest.mark.parametrize("old", [np.array([]), np.array([NAN, NAN])])
def test_nothing_to_compare_is_no_number(old: Floats) -> None:
    new = np.array([1.0, 2.0])
    assert math.isnan(population_stability(old, new).index)
    assert math.isnan(kolmogorov_smirnov(old, new).statistic)
    assert outside(new, old).n == 0
    assert math.isnan(missing_rate(np.array([])).share)


def test_infinite_values_are_values_like_others() -> None:
    old = np.array([-np.inf, 1.0, 2.0, np.inf])
    new = np.array([1.0, 1.0, 2.0, np.inf])
    assert math.isfinite(population_stability(old, new).index)
    assert kolmogorov_smirnov(old, new).statistic == 0.25
    assert outside(np.array([5.0, -np.inf]), old).share == 0


@pytest.mark.parametrize("freedom", [1, 2, 9, 10, 99])
@pytest.mark.parametrize("x", [0.1, 5.0, 100.0, 3_000.0])
@pytest.mark.parametrize("noncentrality", [1e-3, 3.0, 100.0, 3_000.0])
def test_the_noncentral_distribution_is_scipys(
    x: float, freedom: int, noncentrality: float
) -> None:
    ours = noncentral_cdf(x, freedom, noncentrality)
    assert ours == pytest.approx(stats.ncx2.cdf(x, freedom, noncentrality), abs=1e-9)
    assert noncentral_cdf(x, freedom, 0.0) == pytest.approx(stats.chi2.cdf(x, freedom), abs=1e-9)


def test_noncentrality_is_bounded_where_the_observed_is_as_unlikely_as_said() -> None:
    lower, upper = noncentrality_bounds(30.0, 9, 0.05)
    assert stats.ncx2.sf(30.0, 9, lower) == pytest.approx(0.05, abs=1e-6)
    assert stats.ncx2.cdf(30.0, 9, upper) == pytest.approx(0.05, abs=1e-6)
    assert noncentrality_bounds(5.0, 9, 0.05)[0] == 0.0


def test_rows_of_a_query_that_share_a_value_count_once() -> None:
    group = np.repeat(np.arange(50) % 5, 8)
    query = np.repeat(np.arange(50), 8)
    assert design_effects(group, query) == pytest.approx((8 * 50 / 49,) * 2)
    assert design_effects(group, None) == (1, 1)
    assert design_effects(group, np.arange(400)) == pytest.approx((1, 1), abs=0.01)


def _drawn(random: np.random.Generator, queries: int, depth: int, shared: float) -> Floats:
    of_query = np.repeat(random.normal(size=queries), depth)
    own = random.normal(size=queries * depth)
    drawn: Floats = shared**0.5 * of_query + (1 - shared) ** 0.5 * own
    return drawn


@pytest.mark.parametrize(("shared", "before", "now"), [(0.5, 150, 150), (1.0, 400, 60)])
def test_what_did_not_drift_is_seldom_said_to_and_what_did_is_covered(
    shared: float, before: int, now: int
) -> None:
    """By rows, a feature of the query drifts by chance alone: KS p < 5 % nearly always."""
    random, rounds = np.random.default_rng(7), 80
    wrong = np.zeros(4)
    for _ in range(rounds):
        old, new = _drawn(random, before, 10, shared), _drawn(random, now, 10, shared)
        of = np.repeat(np.arange(before), 10), np.repeat(np.arange(now), 10)
        stability = population_stability(old, new, queries=of)
        distance = kolmogorov_smirnov(old, new, queries=of)
        wrong += [
            stability.bounds()[0] > 0,
            distance.p < 0.05,
            distance.bounds()[0] > 0,
            # A true drift of 1 / 4 standard deviation has this index in these bins.
            _shifted(old, new + 0.25, of) < _INDEX,
        ]
    assert (wrong / rounds <= 0.05 + 3 * (0.05 * 0.95 / rounds) ** 0.5).all(), wrong / rounds


def _shifted(old: Floats, new: Floats, of: tuple[np.ndarray, np.ndarray]) -> float:
    return population_stability(old, new, queries=of).bounds()[1]


_EDGES = stats.norm.ppf(np.arange(0, 11) / 10)
_SHARES = np.diff(stats.norm.cdf(_EDGES)), np.diff(stats.norm.cdf(_EDGES - 0.25))
_INDEX = float(((_SHARES[1] - _SHARES[0]) * np.log(_SHARES[1] / _SHARES[0])).sum())
