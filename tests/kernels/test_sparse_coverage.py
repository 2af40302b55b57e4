"""One-sided coverage where hardly any query changes, which is what most releases look like.

When every change is the same loss and all queries weigh the same, the bound depends only on how
many changed queries the sample holds. So the rate of false accepts is a sum of binomial
probabilities, exact but for the resamples.
"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from gates.kernels.intervals import bootstrap_t, design_weights

SAMPLE, SEVERE = 200, 0.3
PLAUSIBLE = (-SEVERE, SEVERE)
SHARES = [0.005, 0.01, 0.02]


@cache
def bounds(changed: int, change: float, *, plain: bool = False) -> tuple[float, float]:
    values = np.zeros(SAMPLE)
    values[:changed] = change
    plausible = None if plain else PLAUSIBLE
    found = bootstrap_t(values, resamples=1999, seed=7, plausible=plausible)
    return found.lower, found.upper


def rate_above(share: float, change: float, *, plain: bool = False) -> float:
    """How often the lower bound lies above the truth: a false accept where that is the margin."""
    chance = binom.pmf(np.arange(SAMPLE + 1), SAMPLE, share)
    likely = np.flatnonzero(chance > 1e-6)
    truth = share * change
    return sum(float(chance[k]) for k in likely if bounds(int(k), change, plain=plain)[0] > truth)


def rate_below(share: float, change: float) -> float:
    """How often the upper bound lies below the truth: a false reject."""
    chance = binom.pmf(np.arange(SAMPLE + 1), SAMPLE, share)
    likely = np.flatnonzero(chance > 1e-6)
    return sum(float(chance[k]) for k in likely if bounds(int(k), change)[1] < share * change)


@pytest.mark.parametrize("loss", [0.1, 0.2, SEVERE])
@pytest.mark.parametrize("share", SHARES)
def test_false_accepts_stay_below_nominal_when_few_queries_lose(share: float, loss: float) -> None:
    assert rate_above(share, -loss) <= 0.05
    assert rate_below(share, -loss) <= 0.05


@pytest.mark.parametrize("loss", [0.1, 0.2, SEVERE])
def test_both_error_rates_stay_near_nominal_from_few_changed_queries_to_many(loss: float) -> None:
    # Past thirty changed queries in the sample the bootstrap stands alone; nothing breaks there.
    for share in np.arange(1, 31) * 0.005:
        assert rate_above(share, -loss) <= 0.06
        assert rate_below(share, -loss) <= 0.06


@pytest.mark.parametrize("share", SHARES)
def test_false_rejects_stay_below_nominal_when_few_queries_gain(share: float) -> None:
    assert rate_below(share, SEVERE) <= 0.05
    assert rate_above(share, SEVERE) <= 0.05


@pytest.mark.parametrize(("share", "at_least"), [(0.005, 0.3), (0.01, 0.1), (0.02, 0.06)])
def test_the_bootstrap_alone_accepts_far_too_often(share: float, at_least: float) -> None:
    assert rate_above(share, -SEVERE, plain=True) > at_least


def test_the_bootstrap_alone_is_sure_of_no_change_that_it_did_not_see() -> None:
    assert bounds(0, -SEVERE, plain=True) == (0, 0)
    lower, upper = bounds(0, -SEVERE)
    # 0.3 times the share that would show itself in 200 queries nineteen times in twenty.
    assert lower == pytest.approx(-SEVERE * (1 - 0.05 ** (1 / SAMPLE)), rel=0.05)
    assert upper == pytest.approx(-lower, rel=0.05)


def test_losses_beyond_the_plausible_are_for_the_bound_on_severe_losses() -> None:
    # Why a card that trusts the mean alone is not enough: these 0.5 % lose three times as much.
    assert rate_above(0.005, -0.9) > 0.3


def test_sparse_losses_under_the_sampling_of_a_golden_set() -> None:
    rng = np.random.default_rng(21)
    population, head, rounds = 20_000, 50, 500
    traffic = np.sort(rng.lognormal(0, 1.5, population))[::-1]
    tail = np.cumsum(traffic[head:]) / traffic[head:].sum()
    accepts = alone = 0
    for seed in range(rounds):
        loses = rng.random(population) < 0.01
        differences = np.where(loses, -rng.uniform(0.1, SEVERE, population), 0.0)
        truth = float(np.average(differences, weights=traffic))
        drawn = head + np.searchsorted(tail, rng.random(SAMPLE - head))
        rows = np.concatenate((np.arange(head), drawn))
        chance = (SAMPLE - head) * traffic[rows] / traffic[head:].sum()
        census = np.arange(SAMPLE) < head
        weights = design_weights(traffic[rows], np.where(census, 1.0, chance))
        for plausible in (PLAUSIBLE, None):
            found = bootstrap_t(
                differences[rows],
                weights,
                resamples=499,
                seed=seed // 25,
                census=census,
                plausible=plausible,
            )
            accepts += plausible is not None and found.lower > truth
            alone += plausible is None and found.lower > truth
    assert accepts / rounds <= 0.05
    assert alone / rounds > 0.2
