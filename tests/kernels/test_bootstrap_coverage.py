"""One-sided coverage of the bounds under the designs a golden set can have (seeded simulation).

A population of queries with lognormal traffic in which a share of queries loses a lot and most gain
a little, as when a mean hides a disaster. A false accept is a lower bound above the truth.
"""

import numpy as np

from gates.kernels.intervals import bootstrap_t, design_weights
from gates.kernels.packed import Bools, Floats, Ints

POPULATION, SAMPLE, HEAD, ROUNDS = 20_000, 200, 50, 400


class Shop:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(20)
        self.traffic: Floats = np.sort(self.rng.lognormal(0, 1.5, POPULATION))[::-1]
        loses = self.rng.random(POPULATION) < 0.05
        loss, win = self.rng.beta(2, 3, POPULATION), self.rng.random(POPULATION) * 0.04
        self.differences: Floats = np.where(loses, -loss, win)
        self.truth = float(np.average(self.differences, weights=self.traffic))

    def head_whole_and_tail_by_traffic(self) -> tuple[Ints, Floats, Bools]:
        """Rows drawn, their inclusion probabilities, and which of them are certain."""
        tail = self.rng.permutation(np.arange(HEAD, POPULATION))
        probability = (SAMPLE - HEAD) * self.traffic[tail] / self.traffic[tail].sum()
        points = self.rng.random() + np.arange(SAMPLE - HEAD)
        drawn = np.searchsorted(np.cumsum(probability), points)
        rows = np.concatenate((np.arange(HEAD), tail[drawn]))
        chance = np.concatenate((np.ones(HEAD), probability[drawn]))
        return rows, chance, np.arange(SAMPLE) < HEAD


def test_head_whole_and_tail_by_traffic_keeps_both_error_rates_near_nominal() -> None:
    shop = Shop()
    accepts = rejects = 0
    for seed in range(ROUNDS):
        rows, chance, census = shop.head_whole_and_tail_by_traffic()
        weights = design_weights(shop.traffic[rows], chance)
        found = bootstrap_t(
            shop.differences[rows], weights, resamples=499, seed=seed, census=census
        )
        accepts += found.lower > shop.truth
        rejects += found.upper < shop.truth
    assert accepts / ROUNDS <= 0.075
    assert rejects / ROUNDS <= 0.075
    assert accepts + rejects > 0.02 * ROUNDS  # bounds that never miss would be too wide


def test_a_uniform_sample_with_traffic_weights_accepts_far_too_often() -> None:
    shop = Shop()
    accepts, effective = 0, []
    for seed in range(ROUNDS):
        rows = shop.rng.choice(POPULATION, SAMPLE, replace=False)
        found = bootstrap_t(shop.differences[rows], shop.traffic[rows], resamples=499, seed=seed)
        accepts += found.lower > shop.truth
        effective.append(found.n_eff)
    assert accepts / ROUNDS > 0.12
    assert np.mean(effective) < SAMPLE / 4  # what the warning looks at
