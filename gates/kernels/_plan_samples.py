"""Samples like a pilot's, drawn for goals that each must meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, nan

import numpy as np

from gates.kernels.design import SampleDesign, Units, units
from gates.kernels.mean_bounds import chance_mean_below
from gates.kernels.packed import Bools, Floats

_PATTERN = 2_000  # units that stand for a larger pilot
_UNSEEN = 0.5  # how many units at the worst value the pilot is taken to have missed
HALVINGS = 16  # a limit between the ends of what there is, to a hundred-thousandth


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
        family: slices of one family share how much they scatter; empty for a goal by itself.
    """

    values: Floats
    limit: float
    worst: float
    effect: float | None = None
    family: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of the rows that one goal is about.

    Attributes:
        found: their units, a row a sample; None where all that there is is certain.
        drawn: float64[resamples, D], how often each unit was drawn.
        worst: float64[resamples], value of the unit that nobody saw.
        mean: of what is certain, where nothing else is; NaN where there is not even that.
    """

    found: Units | None
    drawn: Floats
    worst: Floats
    mean: float

    def above(self, limit: Floats, alpha: float, *, exactly: bool = True) -> Bools:
        """Whether the bound of each sample is above a limit, bool[resamples].

        Args:
            limit: float64[resamples].
            alpha: level of the bound.
            exactly: whether the bound is exact near alpha; else its saddlepoint approximation.
        """
        if self.found is None:
            certain: Bools = self.mean > limit
            return certain
        near = alpha if exactly else 0.0
        chance = chance_mean_below(self.found, limit, self.worst, self.drawn, near=near)
        met: Bools = (chance < alpha) & (self.drawn.sum(axis=1) > 0)
        return met

    def greatest(self, alpha: float) -> Floats:
        """The greatest limit that the bound of each sample is above, float64[resamples].

        Args:
            alpha: level of the bound.
        """
        if self.found is None:
            return np.full(self.worst.size, -inf if np.isnan(self.mean) else self.mean)
        seen = self.drawn > 0
        value = self.found.sum / self.found.weight
        low = np.minimum(self.worst, 0.0)
        high = np.where(seen, value, -inf).max(axis=1, initial=-inf)
        certain = self.found.certain_weight > 0
        rest = self.found.certain_sum[certain] / self.found.certain_weight[certain]
        low[certain] = np.minimum(low[certain], rest)
        high[certain] = np.maximum(high[certain], rest)
        missed = ~seen.any(axis=1)
        high = np.where(missed, low, high)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            met = self.above(middle, alpha, exactly=False)
            low, high = np.where(met, middle, low), np.where(met, high, middle)
        return np.where(missed, -inf, low)


def draw_samples(
    goals: Sequence[Goal],
    design: SampleDesign,
    times: float,
    resamples: int,
    seed: int,
    *,
    careful: bool = False,
) -> Iterator[Samples]:
    """Samples for each goal, the same queries for all of them.

    Args:
        goals: over the same n rows.
        design: of the n rows.
        times: how many times as large as the pilot each sample is.
        resamples: samples drawn.
        seed: the same seed gives the same samples.
        careful: whether what the pilot may have missed is drawn as well.
    """
    pilot = units(np.stack([one.values for one in goals], axis=1), design)
    rng = np.random.default_rng(seed)
    n = round(times * pilot.weight.shape[1])
    weight, total, like = _distinct(pilot, rng)
    unseen = np.full(len(goals), _UNSEEN if careful else 0.0)
    share = np.concatenate((like, unseen))
    share = np.broadcast_to(share / (share.sum() or 1.0), (resamples, share.size))
    if careful:
        # Each sample comes from a population that the pilot leaves possible (Rubin's Bayesian
        # bootstrap): a number of queries that is promised must not hang on two losses of a pilot.
        # A chance told that way comes out up to 20 points too low.
        share = rng.dirichlet(np.concatenate((like, unseen)), resamples)
    drawn = rng.multinomial(n, share).astype(np.float64)
    for place, goal in enumerate(goals):
        # The census keeps its share of the weight, however large the sample.
        certain = pilot.certain_weight[place] * times, pilot.certain_sum[place] * times
        held = np.concatenate((weight[place] > 0, np.arange(len(goals)) == place))
        sampled = float(pilot.weight[place].sum())
        if not sampled:
            mean = certain[1] / certain[0] if certain[0] > 0 else nan
            yield Samples(None, drawn, np.full(resamples, goal.worst), mean)
            continue
        mean = float(pilot.sum[place].sum() / sampled)
        own = held[: like.size]
        w = np.append(weight[place, own], pilot.unseen[place])
        v = np.append(total[place, own] / weight[place, own], goal.worst)
        part = share[:, held] * w
        # The mean is what was asked for, whatever the population's shape.
        moved = mean - (part * v).sum(axis=1) / part.sum(axis=1)
        value, times_drawn = v + moved[:, None], drawn[:, held]
        broad = np.broadcast_to(w, times_drawn.shape)
        found = Units(
            broad, broad * value, np.full(resamples, certain[0]), np.full(resamples, certain[1])
        )
        least = np.where(times_drawn > 0, value, inf).min(axis=1)
        yield Samples(found, times_drawn, np.minimum(least, goal.worst), nan)


def _distinct(pilot: Units, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Weights and sums of the distinct units, float64[goals, D], and how many are like each."""
    table = np.concatenate((pilot.weight, pilot.sum))
    if table.shape[1] > _PATTERN:
        table = rng.choice(table, _PATTERN, replace=False, axis=1)
    table, like = np.unique(table, axis=1, return_counts=True)
    half = len(pilot.weight)
    return table[:half], table[half:], like.astype(np.float64)
