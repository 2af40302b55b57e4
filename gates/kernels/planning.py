"""How likely a golden set is to give a PASS, and how many queries that takes.

By trying: samples are drawn from differences that were seen before (past candidates, or A/A with a
stated effect), and each is held against its limit by the bound that decides in a run
(`gates.kernels.mean_bounds`). No formula stands between the promise and the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf, sqrt
from statistics import NormalDist

import numpy as np

from gates.kernels._plan_samples import HALVINGS, Goal, Samples, draw_samples
from gates.kernels._pooling import pooled
from gates.kernels.design import SampleDesign
from gates.kernels.packed import Bools, Floats

__all__ = ["Goal", "PassChance", "Reach", "pass_chance", "reach", "rows_needed"]

_RESAMPLES = 400
_MOST = 10_000_000  # queries, beyond which none is asked for
_EXACT = 0.02  # relative: how far the number of queries is narrowed down


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
    moved = _alike([_moved(one, design) for one in goals], design)
    samples = draw_samples(moved, design, times, resamples, seed)
    return _chances(_met(moved, samples, alpha))


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How far each of many samples reaches: the limits that it would be surely above.

    Attributes:
        limits: float64[goals, resamples], the greatest such limit, by the bound's saddlepoint
            approximation, which is never off by a hundredth of alpha; -inf for a sample that
            misses the slice.
    """

    limits: Floats

    def chance(self, limits: Sequence[float]) -> PassChance:
        """The chance to be above some limits, each and all at once.

        Args:
            limits: one a goal; -inf for a goal that counts for nothing.
        """
        asked = np.array(limits)[:, None]
        return _chances(np.where(np.isneginf(asked), True, self.limits > asked))

    def kept(self, chance: float) -> tuple[float, ...]:
        """The greatest limit of each goal that a sample is above with some chance.

        Args:
            chance: between 0 and 1.
        """
        most = np.sort(self.limits, axis=1)
        place = int((1 - chance) * most.shape[1])
        return tuple(float(one) for one in most[:, min(place, most.shape[1] - 1)])

    def kept_together(self, chance: float) -> tuple[float, ...]:
        """The greatest limits, each kept as often as any other, all of which hold with a chance.

        Args:
            chance: that all hold at once, between 0 and 1.
        """
        low, high = chance, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            enough = _met_together(self.limits, self.kept(middle)) >= chance
            low, high = (low, middle) if enough else (middle, high)
        return self.kept(high)


def reach(
    goals: Sequence[Goal],
    design: SampleDesign,
    *,
    alpha: float = 0.05,
    resamples: int = _RESAMPLES,
    seed: int = 0,
) -> Reach:
    """How far samples like the pilot reach, whatever the limits of the goals.

    Arguments as in `pass_chance`; the samples are the same ones.
    """
    moved = _alike([_moved(one, design) for one in goals], design)
    found = np.full((len(goals), resamples), -inf)
    for place, sample in enumerate(draw_samples(moved, design, 1.0, resamples, seed)):
        found[place] = sample.greatest(alpha)
    return Reach(found)


def _met_together(limits: Floats, asked: Sequence[float]) -> float:
    # As far as it reaches, not beyond it: a limit that is kept is one of the samples' own.
    return float((limits >= np.array(asked)[:, None]).all(axis=0).mean())


def _chances(met: Bools) -> PassChance:
    joint = float(met.all(axis=0).mean())
    each = tuple(float(one) for one in met.mean(axis=1))
    return PassChance(each, joint, sqrt(joint * (1 - joint) / met.shape[1]))


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
        samples = draw_samples([moved], own, wanted / n, resamples, seed, careful=True)
        return bool(_met([moved], samples, alpha).mean() >= power)

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


def _alike(goals: Sequence[Goal], design: SampleDesign) -> list[Goal]:
    """The goals, those of one family with the scatter that they share."""
    found = list(goals)
    for family in {one.family for one in goals if one.family}:
        own = [at for at, one in enumerate(goals) if one.family == family]
        values = pooled([goals[at].values for at in own], design.weight)
        for at, one in zip(own, values, strict=True):
            found[at] = replace(goals[at], values=one)
    return found


def _met(goals: Sequence[Goal], samples: Iterator[Samples], alpha: float) -> Bools:
    """Whether each sample meets each goal, bool[goals, resamples]."""
    found = (
        one.above(np.full(one.worst.size, goal.limit), alpha)
        for one, goal in zip(samples, goals, strict=True)
    )
    return np.stack([*found])
