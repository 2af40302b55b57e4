"""A bound for samples in which hardly any row differs, from what rows outside might have been.

The bootstrap can only draw what the sample holds. When three queries of two hundred changed, or
none did, the rows that decide the mean are mostly outside the sample. Here each sampled row, and
one row more at the worst value that is plausible, gets a random share of the population (uniform
over all ways to share it out), and the bound is a quantile of the mean.

Source: Gaffke, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a
nonnegative variable", Mathematical Methods of Statistics 2005; Learned-Miller and Thomas, "A new
confidence interval for the mean of a bounded random variable", 2020. Without the extra row it is
Rubin's Bayesian bootstrap (1981).
"""

from functools import lru_cache

import numpy as np

from gates.kernels._studentised import Stratum, differing
from gates.kernels.packed import Floats

FEW = 30
"""Below this many differing rows among many alike the bootstrap is not trusted alone."""

_DRAWS = 10_000


def is_sparse(sample: list[Stratum]) -> bool:
    """Whether so few rows differ, of many that do not, that the bootstrap is not trusted alone.

    A small sample in which most rows differ is merely small: its interval is wide by itself.
    """
    rows, differ = sum(one.values.size for one in sample), differing(sample)
    return differ < FEW and 2 * differ < rows


def sparse_bounds(
    sample: list[Stratum], plausible: tuple[float, float], alpha: float, seed: int
) -> tuple[float, float]:
    """Lower and upper bound on the sampled rows' part of the weighted mean.

    Args:
        sample: one column's strata, fewer than `FEW` of whose rows differ.
        plausible: worst and best value a row outside the sample may have; a sampled value beyond
            them takes their place.
        alpha: level of each one-sided bound.
        seed: the same seed gives the same bounds.
    """
    low, high = np.zeros(_DRAWS), np.zeros(_DRAWS)
    for number, stratum in enumerate(sample):
        worst = min(plausible[0] - stratum.centre, float(stratum.values.min()))
        best = max(plausible[1] - stratum.centre, float(stratum.values.max()))
        own, weight, unseen = _shares(stratum, seed, number)
        total = weight + unseen
        low += stratum.share * (stratum.centre + (own + unseen * worst) / total)
        high += stratum.share * (stratum.centre + (own + unseen * best) / total)
    place = int(alpha * _DRAWS)
    lower = float(np.partition(low, place)[place])
    upper = float(np.partition(high, _DRAWS - 1 - place)[_DRAWS - 1 - place])
    return lower, upper


def _shares(stratum: Stratum, seed: int, number: int) -> tuple[Floats, Floats, Floats]:
    """Random sums over the stratum: weight times value, weight, and the weight of the unseen row.

    Rows that share the centre's value matter only by their sum, a gamma variable when they weigh
    the same, and close to the one with its mean and variance when they do not.
    """
    differ = stratum.values != 0
    w, v = stratum.weights[differ], stratum.values[differ]
    shares = _exponentials(seed, number)
    own = shares[:, 1 : w.size + 1] @ (w * v)
    weight = shares[:, 1 : w.size + 1] @ w
    alike = stratum.weights[~differ]
    if alike.size:
        scale = float((alike * alike).sum() / alike.sum())
        rng = np.random.default_rng((seed, number, alike.size))
        weight = weight + scale * rng.standard_gamma(float(alike.sum()) / scale, _DRAWS)
    # One row of the size that traffic meets on average: with uneven weights a sample of n rows
    # says as much as n_eff even ones.
    typical = float((stratum.weights * stratum.weights).sum() / stratum.weights.sum())
    return own, weight, typical * shares[:, 0]


@lru_cache(maxsize=4)
def _exponentials(seed: int, number: int) -> Floats:
    return np.random.default_rng((seed, number)).standard_exponential((_DRAWS, FEW + 1))
