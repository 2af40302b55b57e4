"""How likely a golden set is to give a PASS, and how many queries that takes.

By trying: samples are drawn from differences that were seen before (past candidates, or A/A with a
stated effect), and each is held against its limit by the bound that decides in a run
(`gates.kernels.mean_bounds`). No formula stands between the promise and the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, inf, sqrt
from statistics import NormalDist

import numpy as np

from gates.kernels.design import SampleDesign, Units, units
from gates.kernels.mean_bounds import chance_mean_below
from gates.kernels.packed import Bools, Floats

_PATTERN = 2_000  # units that stand for a larger pilot
_RESAMPLES = 400
_UNSEEN = 0.5  # how many units at the worst value the pilot is taken to have missed
_MOST = 10_000_000  # queries, beyond which none is asked for
_EXACT = 0.02  # relative: how far the number of queries is narrowed down


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """A mean that must be surely above a limit, for a PASS.

    An upper limit is the same with all signs turned over.

    Attributes:
        values: float64[n], of the pilot's rows; NaN where a row has none, or is outside the slice.
        limit: the margin, such as -0.01.
        worst: the least value of a unit outside the sample, as in `mean_bounds`.
        effect: the mean to plan for (0: an equal version); the values are moved there. None leaves
            them as they are.
    """

    values: Floats
    limit: float
    worst: float
    effect: float | None = None


@dataclass(frozen=True, slots=True)
class PassChance:
    """How likely each goal is to be met, and all of them at once.

    Attributes:
        each: in the order of the goals.
        joint: all together, by the same samples.
        error: Monte-Carlo standard error of `joint`.
    """

    each: tuple[float, ...]
    joint: float
    error: float


def pass_chance(
    goals: Sequence[Goal],
    design: SampleDesign,
    *,
    times: float = 1.0,
    alpha: float = 0.05,
    resamples: int = _RESAMPLES,
    seed: int = 0,
) -> PassChance:
    """The chance that a new sample like the pilot meets the goals.

    Units (queries, or clusters of them) are drawn at random; census rows stay as they are.
    A goal whose slice a sample misses altogether is not met.

    Args:
        goals: over the same n rows.
        design: of the n rows.
        times: how many times as large as the pilot the sample is.
        alpha: level of the bounds.
        resamples: samples drawn.
        seed: the same seed gives the same chances.
    """
    met = _met([_moved(one, design) for one in goals], design, times, alpha, resamples, seed)
    joint = float(met.all(axis=0).mean())
    each = tuple(float(one) for one in met.mean(axis=1))
    return PassChance(each, joint, sqrt(joint * (1 - joint) / resamples))


def rows_needed(
    goal: Goal,
    design: SampleDesign,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    resamples: int = _RESAMPLES,
    seed: int = 0,
) -> int | None:
    """How many rows like the goal's own it takes to meet it with a chance of `power`.

    None where no number does: the mean to plan for is not above the limit, or ten million are too
    few. Arguments as in `pass_chance`.
    """
    rows = ~np.isnan(goal.values) & (design.weight > 0)
    own, n = design.of(rows), int(rows.sum())
    if not n:
        return None
    moved = _moved(replace(goal, values=goal.values[rows]), own)
    mean = float(np.average(moved.values, weights=own.weight))
    if mean <= moved.limit:
        return None

    def enough(wanted: float) -> bool:
        return bool(_met([moved], own, wanted / n, alpha, resamples, seed).mean() >= power)

    # Where a normal formula would put it: a start only.
    normal = NormalDist()
    spread = float(np.sqrt(np.average((moved.values - mean) ** 2, weights=own.weight)))
    steps = normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)
    low, high = 0.0, max((steps * spread / (mean - moved.limit)) ** 2, 8.0)
    while not enough(high):
        low, high = high, 1.6 * high
        if high > _MOST:
            return None
    low = low or high / 4
    while low >= 1 and enough(low):
        low, high = low / 2, low
    while high / low > 1 + _EXACT and high - low > 1:
        middle = sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return ceil(high)


def _moved(goal: Goal, design: SampleDesign) -> Goal:
    """The goal with its values moved to the mean to plan for."""
    there = ~np.isnan(goal.values) & (design.weight > 0)
    if goal.effect is None or not there.any():
        return goal
    mean = float(np.average(goal.values[there], weights=design.weight[there]))
    return replace(goal, values=goal.values - mean + goal.effect)


def _met(
    goals: Sequence[Goal],
    design: SampleDesign,
    times: float,
    alpha: float,
    resamples: int,
    seed: int,
) -> Bools:
    """Whether each sample meets each goal, bool[goals, resamples]."""
    pilot = units(np.stack([one.values for one in goals], axis=1), design)
    rng = np.random.default_rng(seed)
    n = round(times * pilot.weight.shape[1])
    weight, total, like = _distinct(pilot, rng)
    # The pilot is a sample too. Each sample comes from a population that the pilot leaves possible
    # (Rubin's Bayesian bootstrap), or a pilot with two losses would promise too much of two.
    unseen = np.full(len(goals), _UNSEEN)
    share = rng.dirichlet(np.concatenate((like, unseen)), resamples)
    drawn = rng.multinomial(n, share).astype(np.float64)
    met = np.zeros((len(goals), resamples), np.bool_)
    for place, goal in enumerate(goals):
        # The census keeps its share of the weight, however large the sample.
        certain = pilot.certain_weight[place] * times, pilot.certain_sum[place] * times
        held = np.concatenate((weight[place] > 0, np.arange(len(goals)) == place))
        sampled = float(pilot.weight[place].sum())
        if not sampled:
            met[place] = certain[0] > 0 and certain[1] > goal.limit * certain[0]
            continue
        mean = float(pilot.sum[place].sum() / sampled)
        own = held[: like.size]
        w = np.append(weight[place, own], pilot.unseen[place])
        v = np.append(total[place, own] / weight[place, own], goal.worst)
        part = share[:, held] * w
        # The mean is what was asked for, whatever the population's shape.
        moved = mean - (part * v).sum(axis=1) / part.sum(axis=1)
        met[place] = _above(goal, (w, v + moved[:, None]), certain, drawn[:, held], alpha)
    return met


def _distinct(pilot: Units, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Weights and sums of the distinct units, float64[goals, D], and how many are like each."""
    table = np.concatenate((pilot.weight, pilot.sum))
    if table.shape[1] > _PATTERN:
        table = rng.choice(table, _PATTERN, replace=False, axis=1)
    table, like = np.unique(table, axis=1, return_counts=True)
    half = len(pilot.weight)
    return table[:half], table[half:], like.astype(np.float64)


def _above(
    goal: Goal,
    unit: tuple[Floats, Floats],
    certain: tuple[float, float],
    drawn: Floats,
    alpha: float,
) -> Bools:
    """Whether the bound of each sample is above the limit, bool[resamples]."""
    weight, value = np.broadcast_to(unit[0], drawn.shape), unit[1]
    rows = drawn.shape[0]
    found = Units(weight, weight * value, np.full(rows, certain[0]), np.full(rows, certain[1]))
    seen = np.where(drawn > 0, value, inf).min(axis=1)
    chance = chance_mean_below(
        found, np.full(rows, goal.limit), np.minimum(seen, goal.worst), drawn, near=alpha
    )
    met: Bools = (chance < alpha) & (drawn.sum(axis=1) > 0)
    return met
