"""Quantiles of response times: by hand, against SciPy, and how often their bounds are wrong."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy import stats

from gates.kernels.latency import least_n, quantile, quantile_bounds, quantile_ratio
from gates.kernels.packed import Floats

ROUNDS = 400


@pytest.mark.parametrize(("q", "value"), [(0.5, 10.0), (0.95, 19.0), (0.99, 20.0), (0.01, 1.0)])
def test_a_quantile_is_the_least_value_its_share_does_not_exceed(q: float, value: float) -> None:
    times = np.random.default_rng(1).permutation(np.arange(1.0, 21.0))
    assert quantile(times, q) == value
    assert value == np.quantile(times, q, method="inverted_cdf")


@pytest.mark.parametrize("n", [5, 20, 100, 400, 5_000])
@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_bounds_are_the_order_statistics_that_the_binomial_names(n: int, q: float) -> None:
    times = np.arange(1.0, n + 1)
    found = quantile_bounds(times, q)
    below = np.arange(n + 1)
    # The l-th smallest is above the quantile when at most l - 1 values are below it.
    wrong = stats.binom.cdf(below - 1, n, q)
    lower = max((rank for rank in below if wrong[rank] <= 0.05), default=0)
    upper = next((rank for rank in below[1:] if wrong[rank] >= 0.95), inf)
    assert found.lower == lower
    assert found.upper == upper


def test_how_many_values_a_quantile_needs() -> None:
    assert [least_n(q) for q in (0.5, 0.95, 0.99)] == [5, 59, 299]
    for q in (0.5, 0.95, 0.99):
        enough, scarce = np.ones(least_n(q)), np.ones(least_n(q) - 1)
        assert quantile_bounds(enough, q).upper == 1
        assert quantile_bounds(scarce, q).upper == inf


def test_the_ratio_of_a_version_and_itself_is_exactly_one() -> None:
    times = np.random.default_rng(2).lognormal(size=100)
    found = quantile_ratio(times, times, 0.95)
    assert (found.estimate, found.lower, found.upper) == (1.0, 1.0, 1.0)


def test_the_order_of_magnitude_does_not_matter_to_a_ratio() -> None:
    rng = np.random.default_rng(3)
    old, new = rng.lognormal(size=200), rng.lognormal(size=200)
    found = quantile_ratio(new, old, 0.5)
    assert found == quantile_ratio(new * 1024, old * 1024, 0.5)
    assert found.lower < found.estimate < found.upper


def test_a_machine_that_slows_down_slows_both_and_leaves_the_ratio_as_it_was() -> None:
    rng = np.random.default_rng(4)
    slower = np.where(np.arange(400) < 200, 1.0, 3.0)
    old = rng.lognormal(0, 0.02, 400) * slower
    found = quantile_ratio(1.1 * old * rng.lognormal(0, 0.02, 400), old, 0.5)
    assert 1.05 < found.lower < 1.1 < found.upper < 1.2


def served(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Times of one stream of requests: some cost more, the load comes and goes, some stall."""
    load, shock = np.zeros(n), rng.normal(0, 0.05, n)
    for at in range(1, n):
        load[at] = 0.8 * load[at - 1] + shock[at]
    shared = rng.lognormal(0, 0.5, n) * np.exp(load)

    def arm(factor: float) -> Floats:
        stall = (rng.random(n) < 0.02) * rng.exponential(3, n)
        return factor * (shared * rng.lognormal(0, 0.15, n) + stall)

    return arm(1.2), arm(1.0)


@pytest.mark.parametrize(("q", "n"), [(0.5, 100), (0.95, 100), (0.95, 400), (0.99, 400)])
def test_a_ratio_at_the_bound_is_wrongly_accepted_or_refused_about_one_time_in_twenty(
    q: float, n: int
) -> None:
    rng = np.random.default_rng(5)
    accepted = refused = 0
    for _ in range(ROUNDS):
        found = quantile_ratio(*served(rng, n), q)
        accepted += found.upper < 1.2
        refused += found.lower > 1.2
    assert accepted / ROUNDS <= 0.08
    assert refused / ROUNDS <= 0.08
    assert accepted + refused > 0.01 * ROUNDS  # bounds that never miss would be too wide


def disturbed(rng: np.random.Generator, n: int) -> Floats:
    """By how much spells of some 20 requests beside one version slow it."""
    slower, at = np.ones(n), int(rng.geometric(0.01))
    while at < n:
        length = int(rng.geometric(0.05))
        slower[at : at + length] *= 1.6
        at += length + int(rng.geometric(0.01))
    return slower


@pytest.mark.parametrize(("q", "most"), [(0.5, 0.05), (0.95, 0.10)])
def test_spells_beside_one_version_seldom_make_it_slower_or_faster(q: float, most: float) -> None:
    """Resampling short blocks took 13 to 16 % of equal versions for slower, as many for faster."""
    rng = np.random.default_rng(8)
    wrong = np.zeros(2)
    for _ in range(ROUNDS):
        shared = rng.lognormal(0, 0.15, 400)
        new, old = (shared * rng.lognormal(0, 0.08, 400) * disturbed(rng, 400) for _ in range(2))
        found = quantile_ratio(new, old, q)
        wrong += [found.lower > 1, found.upper < 1]
    assert (wrong / ROUNDS <= most).all()


def test_too_few_requests_bound_nothing() -> None:
    found = quantile_ratio(np.full(7, 2.0), np.full(7, 1.0), 0.5)
    assert (found.estimate, found.lower, found.upper) == (2.0, 0.0, inf)


def test_a_quantile_at_the_bound_is_wrongly_accepted_at_most_one_time_in_twenty() -> None:
    rng = np.random.default_rng(6)
    truth = float(np.exp(stats.norm.ppf(0.95)))
    found = [quantile_bounds(rng.lognormal(size=200), 0.95) for _ in range(2_000)]
    assert 0.01 < np.mean([one.upper < truth for one in found]) <= 0.06
    assert 0.01 < np.mean([one.lower > truth for one in found]) <= 0.06
