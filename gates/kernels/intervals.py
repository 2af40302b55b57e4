"""Bounds on the mean difference between two versions, and tests of it.

The estimand is the traffic-weighted mean over the population of queries, sum w d / sum w, with
d = metric(new) - metric(old). How the queries were drawn decides whether a bound can be trusted:
see `design_weights` and `bootstrap_t`.
"""

from dataclasses import dataclass
from math import inf, nan

import numpy as np

from gates.kernels._beta import beta_quantile
from gates.kernels._sparse import is_sparse, sparse_bounds
from gates.kernels._studentised import differing, standard_error, stratify, t_values
from gates.kernels.packed import Bools, Floats, Ints

_CELLS = 1 << 18  # signs held at a time
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
    plausible: tuple[float, float] | None = None,
) -> Interval:
    """Studentised bootstrap bounds for the weighted mean of paired differences.

    The estimate is sum w d / sum w. Its sampling error is that of the rows drawn at random: within
    each stratum the rows are resampled with replacement, the mean is the weighted (Hájek) mean with
    its linearised variance, and the strata are added up by their share of the total weight, held
    fixed. `census` rows were in the sample with certainty: over the population of queries they have
    no sampling error, so they move the estimate and are never resampled. The bounds are
    estimate - se * t, t the 1 - alpha and alpha quantiles of (mean* - mean) / se*. A stratum of
    480 rows or more is resampled in random blocks of rows, 256 to 1,024 of them.

    With `weights = design_weights(...)` this is the estimator for head queries taken whole and a
    tail drawn in proportion to traffic. Draws without replacement are treated as with replacement,
    which is slightly conservative. On a *uniform* sample with heavy-tailed traffic weights the
    bounds promise too much (a few rows decide the mean, and the rows that would are mostly not in
    the sample); `n_eff` far below `n` is the sign.

    A resample without variance has no t. Where most rows share one value (queries that did not
    change), its se* is taken as se / sqrt(rows that differ), about what one differing row would
    give; otherwise its t is infinite, which leaves tiny samples without bounds, as it should.

    Where few rows differ the sample says little about the rows that would decide the mean. With
    `plausible` each bound is then the wider of this one and `sparse_bounds`; without it the bounds
    are the bootstrap's own, which accept too often.

    Args:
        differences: float64[n], new minus old, finite; queries without a value left out before.
        weights: float64[n], not negative; rows of weight 0 are ignored. None weighs all equally.
        alpha: level of each one-sided bound.
        resamples: bootstrap resamples, at least 1 / alpha.
        seed: the same seed gives the same bounds.
        strata: int64[n], the group each row was drawn in; None is one group.
        census: bool[n], rows in the sample with certainty; None is none.
        plausible: worst and best difference a row outside the sample may have.

    Returns:
        No rows: estimate NaN and no bounds. A sampled stratum of one row: no bounds. Census alone:
        both bounds are the estimate; so are they, without `plausible`, when the differences are
        all equal within each sampled stratum.

    Raises:
        ValueError: a difference is not finite, or a weight is negative or not finite.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 12.
    """
    if not np.isfinite(differences).all():
        raise ValueError("differences must be finite; leave out queries without a value first")
    (found,) = bootstrap_columns(
        differences[:, None],
        weights,
        alpha=alpha,
        resamples=resamples,
        seed=seed,
        strata=strata,
        census=census,
        plausible=plausible,
    )
    return found


def bootstrap_columns(
    differences: Floats,
    weights: Floats | None = None,
    *,
    alpha: float = 0.05,
    resamples: int = 10_000,
    seed: int,
    strata: Ints | None = None,
    census: Bools | None = None,
    plausible: tuple[float, float] | None = None,
) -> list[Interval]:
    """`bootstrap_t` of each column, to the last bit, with the resamples shared between columns.

    Args:
        differences: float64[n, m], m metrics of the same n queries; NaN where a query has no value
            for a metric, and is left out of that column.
        weights: as in `bootstrap_t`, as are all others.
        alpha: level of each one-sided bound.
        resamples: bootstrap resamples.
        seed: the same seed gives the same bounds.
        strata: int64[n].
        census: bool[n].
        plausible: worst and best difference a row outside the sample may have, in every column.

    Raises:
        ValueError: a difference is infinite, or a weight is negative or not finite.
    """
    n, columns = differences.shape
    weights = np.ones(n) if weights is None else weights
    if np.isinf(differences).any():
        raise ValueError("differences must be finite, or NaN where there is none")
    _require_weights(weights)
    group = np.zeros(n, np.int64) if strata is None else strata
    drawn = np.ones(n, np.bool_) if census is None else ~census
    by_rows: dict[bytes, list[int]] = {}
    exists = np.ascontiguousarray((~np.isnan(differences) & (weights > 0)[:, None]).T)
    for column in range(columns):
        by_rows.setdefault(exists[column].tobytes(), []).append(column)
    found: dict[int, Interval] = {}
    for alike in by_rows.values():
        rows = exists[alike[0]]
        design = (weights[rows], group[rows], drawn[rows])
        values = [np.ascontiguousarray(differences[rows, column]) for column in alike]
        bounds = _of_same_rows(values, design, alpha, resamples, seed, plausible)
        found.update(zip(alike, bounds, strict=True))
    return [found[column] for column in range(columns)]


def _of_same_rows(
    columns: list[Floats],
    design: tuple[Floats, Ints, Bools],
    alpha: float,
    resamples: int,
    seed: int,
    plausible: tuple[float, float] | None,
) -> list[Interval]:
    weights, group, drawn = design
    n = weights.size
    if n == 0:
        return [Interval(nan, -inf, inf, 0, 0.0, nan, 0)] * len(columns)
    # Around the median, so that equal differences give their own value to the last bit.
    centres = [float(np.median(values)) for values in columns]
    estimates = [
        centre + float((weights * (values - centre)).sum() / weights.sum())
        for centre, values in zip(centres, columns, strict=True)
    ]
    if not drawn.any():
        return [Interval(one, one, one, n, float(n), 0.0, 0) for one in estimates]
    n_eff = effective_n(weights[drawn])
    samples = [stratify(values, weights, group, drawn) for values in columns]
    if min(stratum.values.size for stratum in samples[0]) == 1:
        return [Interval(one, -inf, inf, n, n_eff, nan, 0) for one in estimates]
    varying = [column for column, sample in enumerate(samples) if differing(sample)]
    t = t_values([samples[column] for column in varying], resamples, seed) if varying else None
    # Order statistics rather than interpolation: they hold for infinite t as well.
    above = min(int(np.ceil((resamples + 1) * (1 - alpha))), resamples) - 1
    below = max(int(np.floor((resamples + 1) * alpha)), 1) - 1
    found = []
    for column, (estimate, sample) in enumerate(zip(estimates, samples, strict=True)):
        lower = upper = estimate
        error, used = standard_error(sample), 0
        if t is not None and column in varying:
            low, high = np.partition(t[varying.index(column)], (below, above))[[below, above]]
            lower, upper = float(estimate - error * high), float(estimate - error * low)
            used = resamples
        if plausible and is_sparse(sample):
            certain = estimate - sum(one.share * (one.centre + one.mean) for one in sample)
            least, most = sparse_bounds(sample, plausible, alpha, seed)
            lower, upper = min(lower, certain + least), max(upper, certain + most)
        found.append(Interval(estimate, lower, upper, n, n_eff, error, used))
    return found


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
    if not np.isfinite(differences).all():
        raise ValueError("differences must be finite; leave out queries without a value first")
    _require_weights(weights)
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


def _require_weights(weights: Floats) -> None:
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("weights must be finite and not negative")


def _chunks(resamples: int, n: int) -> list[int]:
    size = max(1, _CELLS // n)
    full, rest = divmod(resamples, size)
    return [size] * full + ([rest] if rest else [])
