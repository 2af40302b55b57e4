"""How far one feature's values have drifted from those it was trained on.

The candidates of one query share what is a property of the query, so n rows hold less than n
independent values do: a sample counts as n / its design effect, which is estimated from how much
more the shares of its queries vary than those of as many independent rows would. Chance alone goes
by the mean of all bins (Rao and Scott, "The analysis of categorical data from complex sample
surveys", 1981, first-order correction); bounds hold by the largest as well, that of shares below an
edge, for a shift of the whole feature moves those most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.kernels._beta import beta_quantile
from gates.kernels._chi_squared import noncentrality_bounds
from gates.kernels.packed import Bools, Floats, Ints

__all__ = [
    "Distance",
    "Rate",
    "Stability",
    "design_effects",
    "kolmogorov_smirnov",
    "kolmogorov_tail",
    "missing_rate",
    "outside",
    "population_stability",
    "stability_of_counts",
]

_BINS = 10  # in which the design effect of a distribution function is taken


@dataclass(frozen=True, slots=True)
class Stability:
    """A population stability index.

    Attributes:
        index: The index, 0 when both shares are the same in every bin; NaN without values.
        bins: How many bins hold a value of either sample.
        effective: How many independent values the samples are worth, m n / (m + n).
        least: How many they are worth at the edge where that is fewest.
    """

    index: float
    bins: int
    effective: float
    least: float

    @property
    def by_chance(self) -> float:
        """About what the index would be if both samples came from one population."""
        return (self.bins - 1) / self.effective if self.effective else float("nan")

    def bounds(self, alpha: float = 0.05) -> tuple[float, float]:
        """One-sided bounds of the index of the populations, each at level 1 - alpha.

        The index times `effective` follows a noncentral chi-squared distribution with bins - 1
        degrees of freedom (Yurdakul and Naranjo, "Statistical properties of the population
        stability index", 2020).
        """
        if self.bins < 2 or not self.effective:
            return (0.0, 0.0) if self.bins else (float("nan"), float("nan"))
        n = {self.effective, self.least}
        lower = min(
            noncentrality_bounds(self.index * one, self.bins - 1, alpha)[0] / one for one in n
        )
        # The upper bound takes no more for chance than one direction's: rows of a query may vary
        # together in that alone, and what the others add only makes the index larger.
        upper = noncentrality_bounds(self.index * self.least, 1, alpha)[1] / self.least
        return lower, upper


@dataclass(frozen=True, slots=True)
class Distance:
    """A two-sample Kolmogorov–Smirnov statistic.

    Attributes:
        statistic: The greatest difference between both distribution functions; NaN without values.
        effective: How many independent values the samples are worth, m n / (m + n), at the edge
            where that is fewest.
        old: How many values the first sample has.
        new: How many values the second has.
    """

    statistic: float
    effective: float
    old: int
    new: int

    @property
    def p(self) -> float:
        """How often chance would give as much, if both samples came from one population."""
        return kolmogorov_tail(float(np.sqrt(self.effective)) * self.statistic)

    def bounds(self, alpha: float = 0.05) -> tuple[float, float]:
        """One-sided bounds of the populations' distance: no further off than a band of its p."""
        if not self.effective:
            return float("nan"), float("nan")
        reach = _where_tail(alpha) / float(np.sqrt(self.effective))
        return max(self.statistic - reach, 0.0), min(self.statistic + reach, 1.0)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share.

    Attributes:
        share: Of `n`; NaN when that is 0.
        n: How many were looked at.
        effective: How many independent ones they are worth.
    """

    share: float
    n: int
    effective: float

    def bounds(self, alpha: float = 0.05) -> tuple[float, float]:
        """One-sided bounds at level 1 - alpha (Clopper and Pearson, of the effective number)."""
        if not self.n:
            return 0.0, 1.0
        hits, rest = self.share * self.effective, (1 - self.share) * self.effective
        lower = beta_quantile(alpha, hits, rest + 1) if self.share > 0 else 0.0
        upper = beta_quantile(1 - alpha, hits + 1, rest) if self.share < 1 else 1.0
        return lower, upper


def design_effects(group: Ints, query: Ints | None) -> tuple[float, float]:
    """How many times as much the shares of groups vary as those of independent rows would.

    1 where each row is of a query of its own; about the rows of a query where all of them fall
    into one group. Never below 1, and 1 where a single query tells nothing about others.

    Returns:
        The mean of the groups', and the largest of shares in all groups up to one.

    Args:
        group: int64[n], the group of each row, from 0.
        query: int64[n], the query of each row, from 0; None for a query each.
    """
    n = group.size
    if query is None or not n:
        return 1.0, 1.0
    _, query = np.unique(query, return_inverse=True)
    queries, groups = int(query.max()) + 1, int(group.max()) + 1
    counts = np.bincount(query * groups + group, minlength=queries * groups)
    counts = counts.reshape(queries, groups)[:, counts.reshape(queries, groups).any(axis=0)]
    if queries < 2 or counts.shape[1] < 2:
        return 1.0, 1.0
    share, variance = _spread(counts)
    mean = float((variance / share).sum() / (share.size - 1))
    share, variance = _spread(counts.cumsum(axis=1)[:, :-1], counts.sum(axis=1))
    greatest = float((variance / (share * (1 - share))).max())
    return max(mean, 1.0), max(mean, greatest, 1.0)


def _spread(counts: Ints, rows: Ints | None = None) -> tuple[Floats, Floats]:
    """The share of each column, and n times its variance by query."""
    rows = counts.sum(axis=1) if rows is None else rows
    n, queries = int(rows.sum()), rows.size
    share = counts.sum(axis=0) / n
    apart = counts - rows[:, np.newaxis] * share
    return share, (apart**2).sum(axis=0) * queries / (queries - 1) / n


def population_stability(
    expected: Floats,
    actual: Floats,
    bins: int = 10,
    *,
    queries: tuple[Ints | None, Ints | None] = (None, None),
) -> Stability:
    """The population stability index (PSI) of a feature, in bins that are quantiles of `expected`.

    Inner edges are observed values of `expected`, each bin holds values up to and including its
    upper edge, and edges that coincide are one: a feature of few values gets a bin for each.
    Missing values are left out (`missing_rate` counts them).

    Args:
        expected: float64[m], the reference, NaN where missing.
        actual: float64[n], what is held against it, NaN where missing.
        bins: How many quantile bins, 2 or more.
        queries: (int64[m], int64[n]), the query of each value; None for one of its own each.
    """
    known = tuple(_known(*one) for one in zip((expected, actual), queries, strict=True))
    (before, _), (after, _) = known
    if not before.size or not after.size:
        return Stability(float("nan"), 0, 0.0, 0.0)
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins, method="inverted_cdf"))
    groups = [np.searchsorted(edges, one) for one, _ in known]
    effects = [design_effects(g, of) for g, (_, of) in zip(groups, known, strict=True)]
    old, new = (np.bincount(one, minlength=edges.size + 1) for one in groups)
    return stability_of_counts(old, new, effects=(effects[0], effects[1]))


def stability_of_counts(
    expected: Ints,
    actual: Ints,
    *,
    effects: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 1.0), (1.0, 1.0)),
) -> Stability:
    """PSI of counts in bins: sum (a - e) ln(a / e), a and e the shares of a bin.

    Bins that are empty in both are left out. A bin empty in one counts there as half a value of
    that sample: the index stays finite, and few values cannot make it large by themselves.

    Args:
        expected: int64[bins], with a sum of m > 0.
        actual: int64[bins], with a sum of n > 0.
        effects: The design effects of each, as `design_effects` gives them.
    """
    m, n = int(expected.sum()), int(actual.sum())
    held = (expected > 0) | (actual > 0)
    e = np.maximum(expected[held], 0.5) / m
    a = np.maximum(actual[held], 0.5) / n
    index = float(((a - e) * np.log(a / e)).sum())
    effective, least = (1 / (was / m + now / n) for was, now in zip(*effects, strict=True))
    return Stability(index, int(held.sum()), effective, least)


def kolmogorov_smirnov(
    old: Floats, new: Floats, *, queries: tuple[Ints | None, Ints | None] = (None, None)
) -> Distance:
    """The two-sided two-sample Kolmogorov–Smirnov statistic.

    Missing values are left out. With ties, as features of few values have them, p errs to the
    large side, and the bounds are wider than they need be.

    Args:
        old: float64[m], NaN where missing.
        new: float64[n], NaN where missing.
        queries: (int64[m], int64[n]), the query of each value; None for one of its own each.
    """
    known = [_known(*one) for one in zip((old, new), queries, strict=True)]
    before, after = (np.sort(one) for one, _ in known)
    m, n = before.size, after.size
    if not m or not n:
        return Distance(float("nan"), 0.0, m, n)
    at = np.concatenate((before, after))
    below = np.searchsorted(before, at, side="right") / m
    apart = np.abs(below - np.searchsorted(after, at, side="right") / n)
    edges = np.unique(np.quantile(at, np.arange(1, _BINS) / _BINS, method="inverted_cdf"))
    effects = [design_effects(np.searchsorted(edges, one), of)[1] for one, of in known]
    return Distance(float(apart.max()), 1 / (effects[0] / m + effects[1] / n), m, n)


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


def _where_tail(alpha: float) -> float:
    """The x that Kolmogorov's limiting distribution exceeds with probability alpha."""
    low, high = 0.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if kolmogorov_tail(middle) > alpha else (low, middle)
    return high


def _known(values: Floats, query: Ints | None) -> tuple[Floats, Ints | None]:
    there = ~np.isnan(values)
    return values[there], None if query is None else query[there]


def missing_rate(values: Floats, query: Ints | None = None) -> Rate:
    """The share of values that are missing.

    Args:
        values: float64[n], NaN where missing.
        query: int64[n], the query of each; None for one of its own each.
    """
    return _rate(np.isnan(values), query)


def outside(values: Floats, reference: Floats, query: Ints | None = None) -> Rate:
    """The share of values below the least or above the greatest of a reference.

    Args:
        values: float64[n]; missing ones are left out.
        reference: float64[m], NaN where missing; without values nothing can be outside.
        query: int64[n], the query of each; None for one of its own each.
    """
    known = reference[~np.isnan(reference)]
    given, of = _known(values, query)
    if not known.size:
        given, of = given[:0], None if of is None else of[:0]
    return _rate((given < known.min(initial=np.inf)) | (given > known.max(initial=-np.inf)), of)


def _rate(hits: Bools, query: Ints | None) -> Rate:
    n = int(hits.size)
    _, effect = design_effects(hits.astype(np.int64), query)
    return Rate(float(hits.mean()) if n else float("nan"), n, n / effect)
