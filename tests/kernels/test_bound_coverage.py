"""The bound at the margin, in small: `scripts/bench calibration` has every regime at length."""

from collections.abc import Callable

import numpy as np
import pytest

from gates.kernels.design import SampleDesign, units
from gates.kernels.mean_bounds import chance_mean_below
from gates.kernels.packed import Bools, Floats

SEVERE, ROUNDS, ALPHA = 0.3, 600, 0.05
WITHIN = ALPHA + 2 * (ALPHA * (1 - ALPHA) / ROUNDS) ** 0.5

Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]


def jitter_and_rare_losses(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.where(rng.random(shape) < 0.01, -SEVERE, rng.normal(0, 0.003, shape))


def zeros_and_rare_losses(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.where(rng.random(shape) < 0.01, -SEVERE, 0.0)


def tiny_gains_and_losses(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.where(rng.random(shape) < 0.05, -SEVERE, 0.01)


def bimodal(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.where(rng.random(shape) < 0.5, -0.2, 0.2)


POPULATIONS: list[tuple[Draw, float]] = [
    (jitter_and_rare_losses, -0.003),
    (zeros_and_rare_losses, -0.003),
    (tiny_gains_and_losses, -0.0055),
    (bimodal, 0.0),
]


def above(values: Floats, truth: float, *, unseen: bool = True) -> Bools:
    """Whether the lower bound of each column is above the truth: a false accept."""
    found = units(values, SampleDesign(np.ones(len(values))))
    at = np.full(values.shape[1], truth)
    # An unseen unit whose value is the truth itself is as good as none.
    worst = found.worst(-SEVERE) if unseen else at
    below: Bools = chance_mean_below(found, at, worst) < ALPHA
    return below


@pytest.mark.parametrize("n", [12, 50, 200, 1_000])
@pytest.mark.parametrize(("draw", "truth"), POPULATIONS)
def test_both_errors_stay_nominal_at_the_margin(draw: Draw, truth: float, n: int) -> None:
    rng = np.random.default_rng(n)
    values = draw(rng, (n, ROUNDS))
    assert np.mean(above(values, truth)) <= WITHIN
    assert np.mean(above(-values, -truth)) <= WITHIN


@pytest.mark.parametrize(("draw", "truth"), POPULATIONS[:2])
def test_without_the_unit_that_nobody_saw_bad_versions_pass(draw: Draw, truth: float) -> None:
    values = draw(np.random.default_rng(1), (50, ROUNDS))
    assert np.mean(above(values, truth, unseen=False)) > 2 * WITHIN


def test_clusters_of_near_duplicates_hold_as_units_and_not_as_rows() -> None:
    rng = np.random.default_rng(2)
    values = np.repeat(np.clip(rng.normal(0, 0.17, (50, ROUNDS)), -1, 1), 4, axis=0)
    number = np.repeat(np.arange(50), 4)
    found = units(values, SampleDesign(np.ones(200), cluster=number))
    at = np.zeros(ROUNDS)
    assert np.mean(chance_mean_below(found, at, found.worst(-SEVERE)) < ALPHA) <= WITHIN
    assert np.mean(above(values, 0.0)) > 2 * WITHIN


def test_shares_of_traffic_hold_under_uneven_weights() -> None:
    # Read as shares of rows they were wrong in up to every sample.
    rng = np.random.default_rng(3)
    accepts = []
    for _ in range(ROUNDS):
        traffic = rng.lognormal(0, 1.0, 4_000)
        hit = (rng.random(4_000) < np.clip(0.05 * traffic, 0, 1)).astype(np.float64)
        truth = float(np.average(hit, weights=traffic))
        rows = rng.choice(4_000, 200, p=traffic / traffic.sum())
        found = units(-hit[rows, None], SampleDesign(np.ones(200)))
        accepts.append(chance_mean_below(found, np.array([-truth]), np.array([-1.0]))[0] < ALPHA)
    assert np.mean(accepts) <= WITHIN
