"""What a plan says of a whole card is what fresh samples then do."""

from collections.abc import Callable
from math import inf

import numpy as np
import pytest

from gates.kernels._pooling import pooled
from gates.kernels.design import SampleDesign, units
from gates.kernels.mean_bounds import chance_mean_below
from gates.kernels.packed import Bools, Floats
from gates.kernels.planning import Goal, Reach, pass_chance, reach

SEVERE = 0.3
Draw = Callable[[np.random.Generator, int], Floats]


def dense(rng: np.random.Generator, n: int) -> Floats:
    return np.clip(rng.normal(0, 0.12, n), -1, 1)


def tied(rng: np.random.Generator, n: int) -> Floats:
    return np.where(rng.random(n) < 0.3, rng.choice([-0.2, -0.1, 0.1, 0.2], n), 0.0)


def heavy(rng: np.random.Generator, n: int) -> Floats:
    u, small = rng.random(n), rng.normal(0, 0.05, n)
    return np.where(u < 0.02, -0.3, np.where(u < 0.04, 0.3, np.where(u < 0.4, small, 0.0)))


def pointed(rng: np.random.Generator, n: int) -> Floats:
    return np.clip(rng.laplace(0, 0.06, n), -1, 1)


CARDS: list[tuple[Draw, int, int, float, float]] = [
    # population, queries, slices, margin of the whole, margin of each slice
    (dense, 180, 1, -0.02, -0.05),
    (dense, 180, 8, -0.02, -0.07),
    (dense, 600, 4, -0.01, -0.03),
    (tied, 180, 4, -0.015, -0.04),
    (tied, 400, 8, -0.015, -0.05),
    (tied, 90, 2, -0.03, -0.05),
    (heavy, 180, 8, -0.03, -0.1),
    (pointed, 180, 8, -0.02, -0.07),
]


def _slices(n: int, count: int) -> list[Bools]:
    return [np.arange(n) % count == one for one in range(count)]


def _goals(values: Floats, count: int, whole: float, each: float) -> list[Goal]:
    cut = (np.where(rows, values, np.nan) for rows in _slices(values.size, count))
    return [
        Goal(values, whole, -SEVERE, effect=0.0),
        *(Goal(one, each, -SEVERE, effect=0.0, family="slices") for one in cut),
    ]


def _passes(values: Floats, count: int, whole: float, each: float) -> Bools:
    """Whether each column passes, by the very bound of a run."""

    def above(rows: Bools, limit: float) -> Bools:
        found = units(values[rows], SampleDesign(np.ones(int(rows.sum()))))
        at = np.full(values.shape[1], limit)
        return chance_mean_below(found, at, found.worst(-SEVERE), near=0.05) < 0.05

    met = above(np.ones(len(values), np.bool_), whole)
    for rows in _slices(len(values), count):
        met &= above(rows, each)
    return met


@pytest.mark.parametrize(("population", "n", "count", "whole", "each"), CARDS)
def test_the_joint_chance_is_the_one_that_fresh_samples_have(
    population: Draw, n: int, count: int, whole: float, each: float
) -> None:
    rng = np.random.default_rng(n + count)
    samples = np.stack([population(rng, n) for _ in range(800)], axis=1)
    truth = _passes(samples, count, whole, each).mean()
    planned = [
        pass_chance(
            _goals(population(rng, n), count, whole, each),
            SampleDesign(np.ones(n)),
            resamples=150,
            seed=seed,
        ).joint
        for seed in range(12)
    ]
    # Five points, and what comes of so few pilots and samples.
    error = np.hypot(np.std(planned) / np.sqrt(12), np.sqrt(truth * (1 - truth) / 800))
    assert abs(float(np.mean(planned)) - truth) <= 0.05 + 2 * error


def test_how_far_samples_reach_tells_the_same_chance_as_holding_them_against_a_limit() -> None:
    rng = np.random.default_rng(3)
    values, census = tied(rng, 150), np.arange(150) < 30
    goals = _goals(values, 3, -0.015, -0.04)
    # One slice holds nothing but census queries, and one nobody at all.
    goals += [
        Goal(np.where(census, values, np.nan), -0.01, -SEVERE, effect=0.0),
        Goal(np.full(150, np.nan), -0.01, -SEVERE, effect=0.0),
    ]
    design = SampleDesign(rng.uniform(0.5, 2.0, 150), census)
    found = reach(goals, design)
    asked = pass_chance(goals, design)
    told = found.chance([one.limit for one in goals])
    assert told.each == pytest.approx(asked.each, abs=0.006)
    assert (told.each[-2], told.each[-1]) == (1.0, 0.0)
    assert found.limits[-2] == pytest.approx(0.0, abs=1e-12)  # moved to the effect, and certain
    assert np.isneginf(found.limits[-1]).all()


def test_limits_that_are_kept_together_are_kept_that_often_and_no_tighter_ones_are() -> None:
    rng = np.random.default_rng(4)
    goals = _goals(dense(rng, 200), 5, -0.02, -0.07)
    found = reach(goals, SampleDesign(np.ones(200)))
    kept = found.kept_together(0.6)
    step = 1e-9
    joint = found.chance([one - step for one in kept])
    assert 0.6 <= joint.joint <= 0.62
    assert max(joint.each) - min(joint.each) <= 0.01  # no bound bears more than another
    tighter = found.chance([one + 0.004 for one in kept])
    assert tighter.joint < 0.6


def test_a_limit_that_counts_for_nothing_is_always_met() -> None:
    found = Reach(np.array([[-inf, 1.0], [0.0, 0.0]]))
    assert found.chance([-inf, -1.0]).joint == 1.0
    assert found.chance([-5.0, -1.0]).joint == 0.5  # a sample without the slice meets nothing
    assert found.kept(0.5) == (1.0, 0.0)


def test_slices_share_what_is_known_of_their_scatter() -> None:
    rng = np.random.default_rng(5)
    slices = _slices(160, 8)
    same = [np.where(rows, rng.normal(0, 0.1, 160), np.nan) for rows in slices]
    weight = np.ones(160)

    def spread(values: list[Floats]) -> Floats:
        return np.array([np.nanstd(one, ddof=1) for one in values])

    # Slices that scatter alike come closer to each other, and keep their means.
    drawn = pooled(same, weight)
    assert np.ptp(spread(drawn)) < 0.6 * np.ptp(spread(same))
    assert [np.nanmean(one) for one in drawn] == pytest.approx([np.nanmean(one) for one in same])
    # Those that truly differ are left mostly as they are.
    other = [one * (4.0 if at < 4 else 0.5) for at, one in enumerate(same)]
    assert np.ptp(spread(pooled(other, weight))) > 0.7 * np.ptp(spread(other))
    # Two slices tell nothing of how much slices differ; nor does a slice without any scatter.
    assert np.array_equal(pooled(other[:2], weight), other[:2], equal_nan=True)
    flat = np.where(slices[0], 0.0, np.nan)
    assert np.array_equal(pooled([flat, *other[1:]], weight)[0], flat, equal_nan=True)
