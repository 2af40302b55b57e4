"""Bounds on the weighted mean of a difference or a share, for every kind of data the same.

The estimand is sum w v / sum w over the population of queries. A bound can only come from the
queries that were drawn, and what decides a mean may be a query that was not: one loss of 0.3 in a
hundred queries is absent from one sample of two hundred in eight. So each sampled unit, and one
unit more that nobody saw, at the worst value one may have, gets a random share of the population
(all ways of sharing it out are equally likely), and the lower bound is the alpha quantile of the
mean that results:

    P( sum E_i w_i (v_i - t) + E_0 w_0 (worst - t) <= 0 ) = alpha,   E exponential.

For a share of evenly weighted queries this is Clopper and Pearson's bound. For
many comparable differences it is near Student's. It never asks which of the two it has before it.

Nothing is drawn at random: the chance is computed (`gates.kernels._exponential_sums`).

Sources: Gaffke, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a
nonnegative variable", Mathematical Methods of Statistics 2005; Learned-Miller and Thomas, "A new
confidence interval for the mean of a bounded random variable", arXiv 1905.06208. That the bound
holds for every distribution with the stated worst value is proven in special cases and conjectured
in general; `scripts/bench calibration` tries it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from statistics import NormalDist

import numpy as np

from gates.kernels._exponential_sums import chance_below_zero
from gates.kernels.design import SampleDesign, Units, ratio, units
from gates.kernels.packed import Floats

_CELLS = 1 << 18  # values worked on at a time
_CLOSE = 1e-8  # in standard errors
_ROUNDING = 1e-14


@dataclass(frozen=True, slots=True)
class Bounds:
    """A weighted mean with its one-sided bounds, each at level 1 - alpha.

    Attributes:
        estimate: NaN without rows.
        lower: -inf without rows.
        upper: inf without rows.
        n: rows that carry weight, census rows included.
        units: sampled units: rows, or clusters of them.
        n_eff: effective number of sampled units, (sum W)^2 / sum W^2; n where none was sampled.
    """

    estimate: float
    lower: float
    upper: float
    n: int
    units: int
    n_eff: float


def mean_bounds(
    values: Floats,
    design: SampleDesign,
    *,
    worst: float,
    best: float,
    alpha: float = 0.05,
    least: Floats | None = None,
    most: Floats | None = None,
) -> list[Bounds]:
    """The weighted mean of each column with its bounds; a column alone gives the same bits.

    Args:
        values: float64[n, m], m metrics of the same rows; NaN where a row has no value, and is left
            out of that column.
        design: of the n rows.
        worst: the least value that a unit outside the sample may have: 0 for a share, and for a
            difference the loss from which on losses are bounded by themselves. A smaller value in
            the sample takes its place.
        best: the greatest, likewise.
        alpha: level of each one-sided bound, below 0.5.
        least: float64[n, m], the values that grades still to come make least: the lower bound is
            theirs. None is `values`.
        most: float64[n, m], and greatest: the upper bound is theirs.

    Raises:
        ValueError: a value is infinite, or a weight is negative or not finite.
    """
    ends = [values if one is None else one for one in (least, most)]
    if any(np.isinf(one).any() for one in (values, *ends)):
        raise ValueError("values must be finite, or NaN where there is none")
    if not np.isfinite(design.weight).all() or (design.weight < 0).any():
        raise ValueError("weights must be finite and not negative")
    m = values.shape[1]
    size = max(1, _CELLS // max(values.shape[0], 1))
    found: list[Bounds] = []
    for at in range(0, m, size):
        columns = slice(at, at + size)
        middle = units(values[:, columns], design)
        lower, upper = (
            sign * _lower(units(sign * end[:, columns], design), sign * bad, alpha)
            for sign, end, bad in zip((1.0, -1.0), ends, (worst, best), strict=True)
        )
        found += _described(values[:, columns], design, middle, lower, upper)
    return found


def mean_p(values: Floats, design: SampleDesign, *, worst: float, null: float = 0.0) -> Floats:
    """One-sided p of each column for "the mean is above `null`", float64[m]; 1.0 without rows.

    The smallest alpha at which the lower bound of `mean_bounds` reaches `null`. Its null hypothesis
    is the mean: no symmetry is assumed, as a test that flips signs does.

    Arguments as in `mean_bounds`.
    """
    found = units(values, design)
    return chance_mean_below(found, np.full(values.shape[1], null), found.worst(worst))


def chance_mean_below(
    found: Units,
    at: Floats,
    worst: Floats,
    times: Floats | None = None,
    *,
    near: float | None = None,
) -> Floats:
    """How likely the randomly shared-out mean is at most `at`, float64[m]: the p of "it is above".

    Args:
        found: of m columns.
        at: float64[m].
        worst: float64[m], value of the unit that nobody saw.
        times: float64[m, U], how often each unit occurs; None is once. The unseen unit's weight is
            then that of the units as often as they occur.
        near: as in `chance_below_zero`: exact near this level only.
    """
    unseen = found.unseen
    if times is not None:
        total = (times * found.weight).sum(axis=1)
        squares = (times * found.weight * found.weight).sum(axis=1)
        unseen = ratio(squares, total)
        times = np.concatenate((np.ones((at.size, 1)), times), axis=1)
    own = found.sum - at[:, None] * found.weight
    terms = np.concatenate(((unseen * (worst - at))[:, None], own), axis=1)
    return chance_below_zero(terms, found.certain_sum - at * found.certain_weight, times, near)


def _lower(found: Units, worst: float, alpha: float) -> Floats:
    """The lower bound of each column, float64[m]."""
    sampled = found.weight.sum(axis=1)
    total = sampled + found.certain_weight
    bound = np.full(total.size, -inf)
    mean = np.divide(
        found.sum.sum(axis=1) + found.certain_sum, total, out=bound.copy(), where=total > 0
    )
    certain = (total > 0) & (sampled == 0)
    bound[certain] = mean[certain]
    low = found.worst(worst)
    open_ = np.flatnonzero(sampled > 0)
    if open_.size:
        some = found.of(open_)
        bound[open_] = _solved(some, low[open_], mean[open_], alpha)
    return bound


def _solved(found: Units, worst: Floats, mean: Floats, alpha: float) -> Floats:
    """The t of each column at which the chance is alpha, by secants inside a shrinking bracket.

    The normal quantile of the chance is nearly linear in t, so that a few steps do.
    """
    sampled = found.weight.sum(axis=1)
    unseen = found.unseen
    # No mean is below that with every sampled unit at the worst value.
    floor = (found.certain_sum + sampled * worst) / (found.certain_weight + sampled)
    total = sampled + found.certain_weight
    centre = (mean * total + unseen * worst) / (total + unseen)
    residual = found.sum - centre[:, None] * found.weight
    squares = (residual * residual).sum(axis=1) + (unseen * (worst - centre)) ** 2
    error = np.sqrt(squares) / (total + unseen)
    # Where no unit is above the worst, but for rounding, the bound is the worst.
    solvable = np.flatnonzero((centre - floor > _ROUNDING * (1 + np.abs(floor))) & (error > 0))
    t = floor.copy()
    some, bad, scale = found.of(solvable), worst[solvable], error[solvable]
    low, high = floor[solvable], centre[solvable]
    goal = NormalDist().inv_cdf(alpha)
    root = np.maximum(high + goal * scale, (low + high) / 2)
    # First by the approximation, which is never off by more than a hundredth of the chance; the
    # integral, where it is needed, then takes two or three steps instead of six.
    for near, reach, close in ((0.0, inf, 1e-6), (None, 0.1, _CLOSE)):
        bracket = np.maximum(low, root - reach * scale), np.minimum(high, root + reach * scale)
        root = _root(some, bad, goal, root, bracket, scale, near, close)
    t[solvable] = root
    bound: Floats = t
    return bound


def _root(
    found: Units,
    worst: Floats,
    goal: float,
    t: Floats,
    bracket: tuple[Floats, Floats],
    error: Floats,
    near: float | None,
    close: float,
) -> Floats:
    """Where the normal quantile of the chance reaches the goal, to `close` standard errors."""
    t, low, high = t.copy(), bracket[0].copy(), bracket[1].copy()
    # Before two points are known: a standard error changes the quantile by about one.
    slope = 1 / error
    before, gap_before = np.full(t.size, nan), np.full(t.size, nan)
    active = np.arange(t.size)
    for _ in range(100):
        if not active.size:
            break
        chance = chance_mean_below(found.of(active), t[active], worst[active], near=near)
        gap = _quantile(chance) - goal
        low[active] = np.where(gap < 0, t[active], low[active])
        high[active] = np.where(gap >= 0, t[active], high[active])
        with np.errstate(divide="ignore", invalid="ignore"):
            secant = (gap - gap_before[active]) / (t[active] - before[active])
            slope[active] = np.where(secant > 0, secant, slope[active])
            following = t[active] - gap / slope[active]
        middle = (low[active] + high[active]) / 2
        inside = (following > low[active]) & (following < high[active])
        following = np.where(inside, following, middle)
        before[active], gap_before[active] = t[active], gap
        step = np.abs(following - t[active])
        t[active] = following
        active = np.compress(step > close * error[active], active)
    return t


def _quantile(chance: Floats) -> Floats:
    normal = NormalDist()
    inside = np.clip(chance, 1e-300, 1 - 1e-16)
    return np.array([normal.inv_cdf(one) for one in inside.tolist()])


def _described(
    values: Floats, design: SampleDesign, found: Units, lower: Floats, upper: Floats
) -> list[Bounds]:
    described = []
    for column in range(values.shape[1]):
        rows = ~np.isnan(values[:, column]) & (design.weight > 0)
        v, w = values[rows, column], design.weight[rows]
        if not v.size:
            described.append(Bounds(nan, -inf, inf, 0, 0, 0.0))
            continue
        # Around a value of their own, so that equal values give theirs to the last bit.
        centre = float(np.median(v))
        estimate = centre + float((w * (v - centre)).sum()) / float(w.sum())
        unit = found.weight[column]
        sampled = int(np.count_nonzero(unit))
        if sampled:
            n_eff = float(unit.sum()) ** 2 / float((unit * unit).sum())
            ends = (float(lower[column]), float(upper[column]))
        else:
            n_eff, ends = float(v.size), (estimate, estimate)
        described.append(Bounds(estimate, *ends, int(v.size), sampled, n_eff))
    return described
