"""How far one feature's values have drifted from those it was trained on.

Values are taken as independent draws. The candidates of one query share what is a property of the
query, so counts of rows promise more than the data hold: chance moves such a feature further.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.kernels.intervals import clopper_pearson
from gates.kernels.packed import Bools, Floats, Ints

__all__ = [
    "Distance",
    "Rate",
    "Stability",
    "kolmogorov_smirnov",
    "kolmogorov_tail",
    "missing_rate",
    "outside",
    "population_stability",
    "stability_of_counts",
]


@dataclass(frozen=True, slots=True)
class Stability:
    """A population stability index.

    Attributes:
        index: The index, 0 when both shares are the same in every bin; NaN without values.
        bins: How many bins hold a value of either sample.
        by_chance: About what it would be if both samples came from one population.
    """

    index: float
    bins: int
    by_chance: float


@dataclass(frozen=True, slots=True)
class Distance:
    """A two-sample Kolmogorov–Smirnov statistic.

    Attributes:
        statistic: The greatest difference between both distribution functions; NaN without values.
        p: How often chance would give as much, if both samples came from one population.
        old: How many values the first sample has.
        new: How many values the second has.
    """

    statistic: float
    p: float
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its exact bounds.

    Attributes:
        share: Of `n`; NaN when that is 0.
        lower: One-sided 95 % lower bound (Clopper and Pearson).
        upper: One-sided 95 % upper bound.
        n: How many were looked at.
    """

    share: float
    lower: float
    upper: float
    n: int


def population_stability(expected: Floats, actual: Floats, bins: int = 10) -> Stability:
    """The population stability index (PSI) of a feature, in bins that are quantiles of `expected`.

    Inner edges are observed values of `expected`, each bin holds values up to and including its
    upper edge, and edges that coincide are one: a feature of few values gets a bin for each.
    Missing values are left out (`missing_rate` counts them).

    Args:
        expected: float64[m], the reference, NaN where missing.
        actual: float64[n], what is held against it, NaN where missing.
        bins: How many quantile bins, 2 or more.
    """
    before, after = expected[~np.isnan(expected)], actual[~np.isnan(actual)]
    if not before.size or not after.size:
        return Stability(float("nan"), 0, float("nan"))
    inner = np.quantile(before, np.arange(1, bins) / bins, method="inverted_cdf")
    edges = np.unique(inner)
    old, new = (
        np.bincount(np.searchsorted(edges, one), minlength=edges.size + 1)
        for one in (before, after)
    )
    return stability_of_counts(old, new)


def stability_of_counts(expected: Ints, actual: Ints) -> Stability:
    """PSI of counts in bins: sum (a - e) ln(a / e), a and e the shares of a bin.

    Bins that are empty in both are left out. A bin empty in one counts there as half a value of
    that sample: the index stays finite, and few values cannot make it large by themselves.
    By chance alone it comes to about (bins - 1) (1/m + 1/n) (Yurdakul and Naranjo, "Statistical
    properties of the population stability index", 2020).

    Args:
        expected: int64[bins], with a sum of m > 0.
        actual: int64[bins], with a sum of n > 0.
    """
    m, n = int(expected.sum()), int(actual.sum())
    held = (expected > 0) | (actual > 0)
    e = np.maximum(expected[held], 0.5) / m
    a = np.maximum(actual[held], 0.5) / n
    bins = int(held.sum())
    index = float(((a - e) * np.log(a / e)).sum())
    return Stability(index, bins, (bins - 1) * (1 / m + 1 / n))


def kolmogorov_smirnov(old: Floats, new: Floats) -> Distance:
    """The two-sided two-sample Kolmogorov–Smirnov statistic, and its asymptotic p.

    Missing values are left out. With ties, as features of few values have them, p errs to the
    large side.

    Args:
        old: float64[m], NaN where missing.
        new: float64[n], NaN where missing.
    """
    before, after = np.sort(old[~np.isnan(old)]), np.sort(new[~np.isnan(new)])
    m, n = before.size, after.size
    if not m or not n:
        return Distance(float("nan"), float("nan"), m, n)
    at = np.concatenate((before, after))
    below = np.searchsorted(before, at, side="right") / m
    apart = np.abs(below - np.searchsorted(after, at, side="right") / n)
    statistic = float(apart.max())
    return Distance(statistic, kolmogorov_tail(float(np.sqrt(m * n / (m + n))) * statistic), m, n)


def kolmogorov_tail(x: float) -> float:
    """How often Kolmogorov's limiting distribution exceeds `x`, from 0 to 1.

    Two series for the two ends, each with terms enough for double precision (Kolmogorov 1933;
    Marsaglia, Tsang and Wang, Journal of Statistical Software 2003).
    """
    if x <= 0:
        return 1.0
    if x < 1:
        odd = np.arange(1, 12, 2)
        below = np.sqrt(2 * np.pi) / x * np.exp(-((odd * np.pi / x) ** 2) / 8).sum()
        return float(1 - below)
    k = np.arange(1, 12)
    return float(min(2 * ((-1.0) ** (k - 1) * np.exp(-2 * (k * x) ** 2)).sum(), 1.0))


def missing_rate(values: Floats) -> Rate:
    """The share of values that are missing, with exact bounds.

    Args:
        values: float64[n], NaN where missing.
    """
    return _rate(np.isnan(values))


def outside(values: Floats, reference: Floats) -> Rate:
    """The share of values below the least or above the greatest of a reference.

    Args:
        values: float64[n]; missing ones are left out.
        reference: float64[m], NaN where missing; without values nothing can be outside.
    """
    known, given = reference[~np.isnan(reference)], values[~np.isnan(values)]
    if not known.size:
        given = given[:0]
    return _rate((given < known.min(initial=np.inf)) | (given > known.max(initial=-np.inf)))


def _rate(hits: Bools) -> Rate:
    n, k = int(hits.size), int(hits.sum())
    lower, upper = clopper_pearson(k, n)
    return Rate(k / n if n else float("nan"), lower, upper, n)
