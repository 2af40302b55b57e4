"""One-sided coverage of the bounds under the designs a golden set can have (seeded simulation).

A population of queries with lognormal traffic in which a share of queries loses a lot and most gain
a little, as when a mean hides a disaster. A false accept is a lower bound above the truth.
"""

import numpy as np
import pytest

from gates.kernels._resamples import UNITS
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


@pytest.mark.parametrize("rows", [500, 2 * max(UNITS)])
def test_resampling_blocks_of_rows_keeps_both_error_rates_near_nominal(rows: int) -> None:
    rng = np.random.default_rng(22)
    accepts = rejects = 0
    truth = 0.95 * 0.02 - 0.05 * 0.4  # the means of a uniform win and of a beta loss
    for seed in range(ROUNDS):
        loses = rng.random(rows) < 0.05
        values = np.where(loses, -rng.beta(2, 3, rows), rng.random(rows) * 0.04)
        found = bootstrap_t(values, resamples=499, seed=seed // 20)
        accepts += found.lower > truth
        rejects += found.upper < truth
    assert accepts / ROUNDS <= 0.075
    assert rejects / ROUNDS <= 0.075
    assert accepts + rejects > 0.04 * ROUNDS


def test_blocks_of_rows_give_nearly_the_bounds_of_rows() -> None:
    rng, most = np.random.default_rng(23), max(UNITS)
    values = np.where(rng.random(most) < 0.05, -rng.beta(2, 3, most), 0.02)
    by_row = bootstrap_t(values, resamples=4999, seed=1)
    # Twice the rows are half the variance and the same skewness relative to n.
    by_block = bootstrap_t(np.repeat(values, 2), resamples=4999, seed=1)
    scale = by_row.standard_error / by_block.standard_error
    for name in ("lower", "upper"):
        row, block = (getattr(one, name) - one.estimate for one in (by_row, by_block))
        assert block * scale == pytest.approx(row, rel=0.06)
