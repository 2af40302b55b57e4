"""Quantiles of response times, with bounds that assume no shape of their distribution."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, exp, inf, log

import numpy as np

from gates.kernels._beta import beta_cdf
from gates.kernels.packed import Floats

__all__ = ["QuantileInterval", "least_n", "quantile", "quantile_bounds", "quantile_ratio"]

_SECTIONS = 4
_STUDENT = 2.3533634348018264  # its 95 % quantile with three degrees of freedom


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """A quantile, or a ratio of two, with its one-sided bounds.

    Attributes:
        estimate: The quantile, in the unit of the values; of a ratio, without a unit.
        lower: One-sided lower bound at level 1 - alpha; 0 when the data cannot give one.
        upper: One-sided upper bound at level 1 - alpha; inf when the data cannot give one.
    """

    estimate: float
    lower: float
    upper: float


def quantile(values: Floats, q: float) -> float:
    """The least value that a share q of the values does not exceed (the inverse ECDF).

    Args:
        values: float64[n], n at least 1.
        q: Above 0, below 1.
    """
    at = _place(values.size, q)
    return float(np.partition(values, at)[at])


def least_n(q: float, alpha: float = 0.05) -> int:
    """How many values a q-quantile needs before it has both bounds.

    Args:
        q: Above 0, below 1.
        alpha: Level of each one-sided bound.
    """
    return ceil(log(alpha) / log(max(q, 1 - q)))


def quantile_bounds(values: Floats, q: float, alpha: float = 0.05) -> QuantileInterval:
    """A quantile with bounds that are values of the sample, whatever their distribution is.

    How many of n independent values lie below the true quantile is binomial (n, q). So the l-th
    smallest is a lower bound when at most l - 1 lie below with probability alpha or less, and the
    u-th smallest an upper bound when at most u - 1 do with probability 1 - alpha or more.

    Args:
        values: float64[n], n at least 1, not negative.
        q: Above 0, below 1.
        alpha: Level of each one-sided bound.

    Source: David and Nagaraja, "Order Statistics", 3rd edition, 2003, section 7.1.
    """
    n = values.size
    ordered = np.sort(values)
    low = _first(n, lambda k: _binomial_cdf(k, n, q) > alpha)
    high = _first(n, lambda k: _binomial_cdf(k, n, q) >= 1 - alpha)
    return QuantileInterval(
        float(ordered[_place(n, q)]),
        float(ordered[low - 1]) if low > 0 else 0.0,
        float(ordered[high]) if high < n else inf,
    )


def quantile_ratio(new: Floats, old: Floats, q: float) -> QuantileInterval:
    """A quantile of new over the same quantile of old, of requests timed in turns.

    The requests are cut into four sections in the order of their timing. How far the ratios of the
    sections scatter about that of all, in logarithms, gives Student's bounds with three degrees of
    freedom: a spell of other work beside one version widens them, where single requests, or short
    blocks of them, would be taken for independent.

    Args:
        new: float64[n], positive, in the order of their timing; n at least 1.
        old: float64[n], the same requests.
        q: Above 0, below 1.

    Source: sectioning, Asmussen and Glynn, "Stochastic Simulation", 2007, section III.5a.
    """
    estimate = quantile(new, q) / quantile(old, q)
    if new.size < 2 * _SECTIONS:
        return QuantileInterval(estimate, 0.0, inf)
    sections = zip(*(np.array_split(one, _SECTIONS) for one in (new, old)), strict=True)
    apart = [log(quantile(a, q) / quantile(b, q) / estimate) for a, b in sections]
    reach = _STUDENT * (sum(one**2 for one in apart) / (_SECTIONS * (_SECTIONS - 1))) ** 0.5
    return QuantileInterval(estimate, estimate * exp(-reach), estimate * exp(reach))


def _place(n: int, q: float) -> int:
    # Less a rounding error: 0.95 * 20 is a hair above 19 in binary.
    return max(ceil(q * n - 1e-9), 1) - 1


def _first(n: int, reached: Callable[[int], bool]) -> int:
    """The least k from 0 to n at which something that stays so is so; n where it never is."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low


def _binomial_cdf(k: int, n: int, q: float) -> float:
    return 1.0 if k >= n else 1.0 - beta_cdf(q, k + 1, n - k)
