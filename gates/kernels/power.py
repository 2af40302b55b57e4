"""What a golden set can see: the smallest detectable difference, and the queries a margin needs.

Both by the bound that decides (`gates.kernels.mean_bounds`): how far it lies from the estimate is
the bound's own, for as many queries as are asked about; only how the estimate scatters from sample
to sample is taken from a normal distribution. `gates.kernels.planning` takes nothing from one, and
takes a hundred times as long.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf, sqrt
from statistics import NormalDist

import numpy as np

from gates.kernels.design import SampleDesign, Units, units
from gates.kernels.mean_bounds import chance_mean_below
from gates.kernels.packed import Floats

_PATTERN = 2_000  # units that stand for a larger sample
_MOST = 10_000_000  # queries, beyond which none is asked for
_EXACT = 0.01  # relative: how far the number of queries is narrowed down
_MISSED = 0.5  # how many units at the worst value a sample is taken to have missed


def standard_error(values: Floats, design: SampleDesign, *, worst: float) -> float:
    """How far the weighted mean scatters from sample to sample, half a query at the worst included.

    Args:
        values: float64[n], NaN where a row has none.
        design: of the n rows.
        worst: the least value of a unit outside the sample, as in `mean_bounds`.
    """
    found, mean = _centred(values, design)
    return _scatter(found, worst - mean)


def minimum_detectable_effect(gap: float, error: float, *, power: float = 0.8) -> float:
    """The smallest margin that an equal version keeps with a chance of `power`.

    Args:
        gap: how far the bound lies from the estimate.
        error: `standard_error`.
        power: chance of a PASS.
    """
    return gap + NormalDist().inv_cdf(power) * error


def queries_needed(
    values: Floats,
    design: SampleDesign,
    distance: float,
    *,
    worst: float,
    alpha: float = 0.05,
    power: float = 0.8,
    slices: int = 1,
) -> float:
    """How many rows like these keep the bound within `distance` below the true mean.

    With several slices that must all hold, the chance of a miss is shared out between them.

    Args:
        values: float64[n], differences like those to come; NaN where a row has none.
        design: of the n rows.
        distance: from the true mean down to the limit: the margin, for an equal version.
        worst: the least value of a unit outside the sample, as in `mean_bounds`.
        alpha: level of the bound.
        power: chance that it lies above the limit.
        slices: slices that must all hold.

    Returns:
        Infinite where no number does, or ten million are too few.
    """
    found, mean = _centred(values, design)
    rows = int(np.count_nonzero(~np.isnan(values) & (design.weight > 0)))
    if not rows or distance <= 0:
        return inf
    if not found.weight.size:
        return float(rows)  # a census is as sure as can be
    unseen = min(worst - mean, float((found.sum / found.weight).min()))
    error = _scatter(found, worst - mean)
    scatter = NormalDist().inv_cdf(1 - (1 - power) / slices) * error
    found, like = _thinned(found)

    def enough(times: float) -> bool:
        room = distance - scatter / sqrt(times)
        if room <= 0:
            return False
        certain = found.certain_weight * times, found.certain_sum * times
        larger = replace(found, certain_weight=certain[0], certain_sum=certain[1])
        each = np.full(found.weight.shape, times * like)
        chance = chance_mean_below(larger, np.array([-room]), np.array([unseen]), each, near=alpha)
        return bool(chance[0] < alpha)

    low = high = 1.0
    while enough(low) and low * rows > 1:
        low, high = low / 2, low
    while not enough(high):
        low, high = high, high * 2
        if high * rows > _MOST:
            return inf
    while high / low > 1 + _EXACT and (high - low) * rows > 1:
        middle = sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(ceil(high * rows))


def _centred(values: Floats, design: SampleDesign) -> tuple[Units, float]:
    """The sampled units with a value, moved to a mean of 0, and the mean that they had."""
    found = units(values[:, None], design)
    total = float(found.weight.sum() + found.certain_weight[0])
    mean = float(found.sum.sum() + found.certain_sum[0]) / total if total > 0 else 0.0
    there = found.weight[0] > 0
    weight = found.weight[:, there]
    moved = Units(
        weight,
        found.sum[:, there] - mean * weight,
        found.certain_weight,
        found.certain_sum - mean * found.certain_weight,
    )
    return moved, mean


def _scatter(found: Units, worst: float) -> float:
    weight, sums = found.weight[0], found.sum[0]
    if not weight.size:
        return 0.0
    total = float(weight.sum() + found.certain_weight[0])
    centre = sums.sum() / weight.sum()
    residual = sums - centre * weight
    unseen = float(found.unseen[0]) * (min(worst, 0.0) - centre)
    return float(sqrt(float((residual * residual).sum()) + _MISSED * unseen * unseen) / total)


def _thinned(found: Units) -> tuple[Units, float]:
    """Units that stand for a larger sample, evenly over its values, and for how many each."""
    count = found.weight.shape[1]
    if count <= _PATTERN:
        return found, 1.0
    order = np.argsort(found.sum[0] / found.weight[0], kind="stable")
    some = order[((np.arange(_PATTERN) + 0.5) * count / _PATTERN).astype(np.int64)]
    like = count / _PATTERN
    return replace(found, weight=found.weight[:, some], sum=found.sum[:, some]), like
