"""One-sided coverage where hardly any query changes, which is what most releases look like.

When every change is the same loss and all queries weigh the same, the bound depends only on how
many changed queries the sample holds. So the rate of false accepts is a sum of binomial
probabilities, and exact.
"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from gates.kernels.design import SampleDesign, design_weights
from gates.kernels.mean_bounds import mean_bounds

SAMPLE, SEVERE = 200, 0.3
SHARES = [0.005, 0.01, 0.02]


@cache
def bounds(changed: int, change: float) -> tuple[float, float]:
    values = np.where(np.arange(SAMPLE) < changed, change, 0.0)[:, None]
    (found,) = mean_bounds(values, SampleDesign(np.ones(SAMPLE)), worst=-SEVERE, best=SEVERE)
    return found.lower, found.upper


def rate_above(share: float, change: float) -> float:
    """How often the lower bound lies above the truth: a false accept where that is the margin."""
    chance = binom.pmf(np.arange(SAMPLE + 1), SAMPLE, share)
    likely = np.flatnonzero(chance > 1e-6)
    return sum(float(chance[k]) for k in likely if bounds(int(k), change)[0] > share * change)


def rate_below(share: float, change: float) -> float:
    """How often the upper bound lies below the truth: a false reject."""
    return rate_above(share, -change)


@pytest.mark.parametrize("loss", [0.1, 0.2, SEVERE])
def test_both_error_rates_stay_nominal_from_few_changed_queries_to_many(loss: float) -> None:
    # A bootstrap with a guard for sparse changes went up to 6 % where the guard let go.
    for share in np.arange(1, 31) * 0.005:
        assert rate_above(share, -loss) <= 0.05
        assert rate_below(share, -loss) <= 0.05


def test_losses_beyond_the_severe_are_for_the_bound_on_severe_losses() -> None:
    # Why a PASS says three things: these 0.5 % lose three times as much.
    assert rate_above(0.005, -0.9) > 0.3


def test_sparse_losses_under_the_sampling_of_a_golden_set() -> None:
    rng = np.random.default_rng(21)
    population, head, rounds = 20_000, 50, 500
    traffic = np.sort(rng.lognormal(0, 1.5, population))[::-1]
    tail = np.cumsum(traffic[head:]) / traffic[head:].sum()
    accepts = 0
    for _ in range(rounds):
        loses = rng.random(population) < 0.01
        differences = np.where(loses, -rng.uniform(0.1, SEVERE, population), 0.0)
        truth = float(np.average(differences, weights=traffic))
        drawn = head + np.searchsorted(tail, rng.random(SAMPLE - head))
        rows = np.concatenate((np.arange(head), drawn))
        chance = (SAMPLE - head) * traffic[rows] / traffic[head:].sum()
        census = np.arange(SAMPLE) < head
        design = SampleDesign(design_weights(traffic[rows], np.where(census, 1.0, chance)), census)
        (found,) = mean_bounds(differences[rows, None], design, worst=-SEVERE, best=SEVERE)
        accepts += found.lower > truth
    assert accepts / rounds <= 0.05
