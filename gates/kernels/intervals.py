"""Bounds on the mean difference between two versions, and tests of it.

The estimand is the traffic-weighted mean over the population of queries, sum w d / sum w, with
d = metric(new) - metric(old). How the queries were drawn decides whether a bound can be trusted:
see `design_weights` and `bootstrap_t`.
"""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np

from gates.kernels._beta import beta_quantile
from gates.kernels.packed import Bools, Floats, Ints

_CELLS = 1 << 18  # resample counts held at a time: 2 MB, which stay in cache
_EXACT = 15  # 2^15 sign patterns are cheaper than the usual number of random ones


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean difference with its one-sided bounds, in the metric's own unit.

    Attributes:
        estimate: weighted mean difference; NaN without rows.
        lower: one-sided lower bound at level 1 - alpha; -inf when the data cannot give one.
        upper: one-sided upper bound at level 1 - alpha; inf when the data cannot give one.
        n: rows that carry weight, census rows included.
        n_eff: effective number of *sampled* rows (all rows when none was sampled).
        standard_error: of the estimate, from the sampled rows; NaN when it cannot be estimated.
        resamples: bootstrap resamples drawn; 0 when none was needed.
    """

    estimate: float
    lower: float
    upper: float
    n: int
    n_eff: float
    standard_error: float
    resamples: int


@dataclass(frozen=True, slots=True, eq=False)
class _Stratum:
    """Rows drawn alike. `values` are differences less their median, `share` is of all weight."""

    values: Floats
    weights: Floats
    share: float

    @property
    def mean(self) -> float:
        return float(self.weights @ self.values / self.weights.sum())

    @property
    def variance(self) -> float:
        """Of the weighted mean, linearised; s^2/n when the weights are equal."""
        n, residual = self.values.size, self.weights * (self.values - self.mean)
        return float(n / (n - 1) * (residual @ residual) / self.weights.sum() ** 2)


def effective_n(weights: Floats) -> float:
    """Kish's effective sample size (sum w)^2 / sum w^2; 0 when no row carries weight."""
    total = float(weights.sum())
    return total**2 / float(weights @ weights) if total > 0 else 0.0


def design_weights(traffic: Floats, inclusion_probability: Floats) -> Floats:
    """What each sampled query stands for: its traffic over its probability of being drawn.

    A `census` query (probability 1) stands for itself. Queries drawn with probability proportional
    to traffic all stand for the same amount: weighted equally. The sum estimates the traffic of the
    population (Horvitz and Thompson 1952).
    """
    return traffic / inclusion_probability


def bootstrap_t(
    differences: Floats,
    weights: Floats | None = None,
    *,
    alpha: float = 0.05,
    resamples: int = 10_000,
    seed: int,
    strata: Ints | None = None,
    census: Bools | None = None,
) -> Interval:
    """Studentised bootstrap bounds for the weighted mean of paired differences.

    The estimate is sum w d / sum w. Its sampling error is that of the rows drawn at random: within
    each stratum the rows are resampled with replacement, the mean is the weighted (Hájek) mean with
    its linearised variance, and the strata are added up by their share of the total weight, held
    fixed. `census` rows were in the sample with certainty: over the population of queries they have
    no sampling error, so they move the estimate and are never resampled. The bounds are
    estimate - se * t, t the 1 - alpha and alpha quantiles of (mean* - mean) / se*.

    With `weights = design_weights(...)` this is the estimator for head queries taken whole and a
    tail drawn in proportion to traffic. Draws without replacement are treated as with replacement,
    which is slightly conservative. On a *uniform* sample with heavy-tailed traffic weights the
    bounds promise too much (a few rows decide the mean, and the rows that would are mostly not in
    the sample); `n_eff` far below `n` is the sign.

    A resample without variance has no t. Where most rows share one value (queries that did not
    change), its se* is taken as se / sqrt(rows that differ), about what one differing row would
    give; otherwise its t is infinite, which leaves tiny samples without bounds, as it should.

    Args:
        differences: float64[n], new minus old, finite; queries without a value left out before.
        weights: float64[n], not negative; rows of weight 0 are ignored. None weighs all equally.
        alpha: level of each one-sided bound.
        resamples: bootstrap resamples, at least 1 / alpha.
        seed: the same seed gives the same bounds.
        strata: int64[n], the group each row was drawn in; None is one group.
        census: bool[n], rows in the sample with certainty; None is none.

    Returns:
        No rows: estimate NaN and no bounds. A sampled stratum of one row: no bounds. Census alone,
        or differences all equal within each sampled stratum: both bounds are the estimate.

    Raises:
        ValueError: a difference is not finite, or a weight is negative or not finite.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 12.
    """
    weights = np.ones(differences.size) if weights is None else weights
    _require_numbers(differences, weights)
    used = weights > 0
    values, weights = differences[used], weights[used]
    group = np.zeros(values.size, np.int64) if strata is None else strata[used]
    drawn = np.ones(values.size, np.bool_) if census is None else ~census[used]
    n = values.size
    if n == 0:
        return Interval(nan, -inf, inf, 0, 0.0, nan, 0)
    # Around the median, so that equal differences give their own value to the last bit.
    centre = float(np.median(values))
    estimate = centre + float(weights @ (values - centre) / weights.sum())
    if not drawn.any():
        return Interval(estimate, estimate, estimate, n, float(n), 0.0, 0)
    n_eff = effective_n(weights[drawn])
    sample = _stratify(values, weights, group, drawn)
    if min(stratum.values.size for stratum in sample) == 1:
        return Interval(estimate, -inf, inf, n, n_eff, nan, 0)
    if all(np.ptp(stratum.values) == 0 for stratum in sample):
        return Interval(estimate, estimate, estimate, n, n_eff, 0.0, 0)
    error = sqrt(sum(stratum.share**2 * stratum.variance for stratum in sample))
    t = np.sort(_studentised(sample, error, resamples, np.random.default_rng(seed)))
    # Order statistics rather than interpolation: they hold for infinite t as well.
    high = t[min(int(np.ceil((resamples + 1) * (1 - alpha))), resamples) - 1]
    low = t[max(int(np.floor((resamples + 1) * alpha)), 1) - 1]
    lower, upper = float(estimate - error * high), float(estimate - error * low)
    return Interval(estimate, lower, upper, n, n_eff, error, resamples)


def sign_flip_p(
    differences: Floats,
    weights: Floats | None = None,
    *,
    resamples: int = 10_000,
    seed: int,
) -> float:
    """One-sided p-value for "new is better": Fisher's randomisation of the signs of differences.

    The share of sign patterns whose weighted sum is at least the observed one. All patterns are
    enumerated for up to 15 differences that are not zero (zeros have no sign to flip); beyond that
    p = (1 + b) / (1 + resamples) with b random patterns at least as good. 1.0 without evidence.

    Args:
        differences: float64[n], new minus old, finite.
        weights: float64[n], not negative; None weighs all equally.
        resamples: random patterns.
        seed: the same seed gives the same p.

    Raises:
        ValueError: a difference is not finite, or a weight is negative or not finite.
    """
    weights = np.ones(differences.size) if weights is None else weights
    _require_numbers(differences, weights)
    terms = weights * differences
    terms = terms[terms != 0]
    # A pattern's sum is twice what it keeps less the total, so it reaches the observed sum (the
    # total) when what it keeps does. The tolerance makes equal sums in another order equal.
    needed = terms.sum() - 1e-12 * np.abs(terms).sum()
    if terms.size <= _EXACT:
        patterns = (np.arange(1 << terms.size)[:, None] >> np.arange(terms.size)) & 1
        return float(np.mean(patterns @ terms >= needed))
    rng = np.random.default_rng(seed)
    as_good = 0
    for count in _chunks(resamples, terms.size):
        bits = rng.integers(0, 256, (count, -(-terms.size // 8)), dtype=np.uint8)
        kept = np.unpackbits(bits, axis=1, count=terms.size)
        as_good += int(np.count_nonzero(kept.astype(np.float64) @ terms >= needed))
    return (1 + as_good) / (1 + resamples)


def clopper_pearson(k: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact lower and upper bounds, each one-sided at 1 - alpha, on a share seen k times in n.

    Clopper and Pearson, Biometrika 1934. Nothing seen (n = 0) gives (0, 1).
    """
    lower = beta_quantile(alpha, k, n - k + 1) if k > 0 else 0.0
    upper = beta_quantile(1 - alpha, k + 1, n - k) if k < n else 1.0
    return lower, upper


def _require_numbers(differences: Floats, weights: Floats) -> None:
    if not np.isfinite(differences).all():
        raise ValueError("differences must be finite; leave out queries without a value first")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("weights must be finite and not negative")


def _stratify(values: Floats, weights: Floats, group: Ints, drawn: Bools) -> list[_Stratum]:
    total = weights.sum()
    sample = []
    for code in np.unique(group[drawn]):
        rows = drawn & (group == code)
        # Weights near 1 and values near 0 keep the sums of squares below from cancelling.
        scaled = weights[rows] / weights[rows].mean()
        centred = values[rows] - np.median(values[rows])
        sample.append(_Stratum(centred, scaled, float(weights[rows].sum() / total)))
    return sample


def _studentised(
    sample: list[_Stratum], error: float, resamples: int, rng: np.random.Generator
) -> Floats:
    """Values of (mean* - mean) / se*, float64[resamples]."""
    rows = sum(stratum.values.size for stratum in sample)
    differing = sum(int(np.count_nonzero(stratum.values)) for stratum in sample)
    fallback = error / sqrt(differing) if differing < rows / 2 else 0.0
    blocks = []
    for count in _chunks(resamples, max(stratum.values.size for stratum in sample)):
        shift, variance = np.zeros(count), np.zeros(count)
        for stratum in sample:
            mean, mean_variance = _resample(stratum, count, rng)
            shift += stratum.share * (mean - stratum.mean)
            variance += stratum.share**2 * mean_variance
        constant = variance <= 1e-12 * error**2  # zero but for rounding
        deviation = np.where(constant, fallback, np.sqrt(variance))
        without = np.where(shift == 0, 0.0, np.copysign(inf, shift))
        blocks.append(np.divide(shift, deviation, out=without, where=deviation > 0))
    return np.concatenate(blocks)


def _resample(stratum: _Stratum, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Weighted mean of each of `count` resamples, and the variance of that mean."""
    n = stratum.values.size
    cell = rng.integers(0, n, (count, n)) + np.arange(count)[:, None] * n
    times = np.bincount(cell.ravel(), minlength=count * n).reshape(count, n).astype(np.float64)
    w, v = stratum.weights, stratum.values
    w_, wv, ww, wwv, wwvv = (times @ np.stack((w, w * v, w**2, w**2 * v, (w * v) ** 2), axis=1)).T
    mean = wv / w_
    squares = np.maximum(wwvv - 2 * mean * wwv + mean**2 * ww, 0.0)
    return mean, n / (n - 1) * squares / w_**2


def _chunks(resamples: int, n: int) -> list[int]:
    size = max(1, _CELLS // n)
    full, rest = divmod(resamples, size)
    return [size] * full + ([rest] if rest else [])
