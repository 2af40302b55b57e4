"""The noncentral chi-squared distribution without SciPy, for bounds of its noncentrality."""

from math import erf, lgamma, log, sqrt

import numpy as np

_STEPS = 100


def noncentrality_bounds(x: float, freedom: int, alpha: float) -> tuple[float, float]:
    """One-sided bounds of the noncentrality, each at level 1 - alpha, where `x` was observed.

    Args:
        x: Not negative.
        freedom: Degrees of freedom, 1 or more.
        alpha: Level of each bound.
    """
    return _reaching(1 - alpha, x, freedom), _reaching(alpha, x, freedom)


def noncentral_cdf(x: float, freedom: int, noncentrality: float) -> float:
    """How likely at most `x` is: central distributions, mixed by a Poisson distribution.

    Args:
        x: Not negative.
        freedom: Degrees of freedom, 1 or more.
        noncentrality: Not negative.
    """
    if x <= 0:
        return 0.0
    half = noncentrality / 2
    # All but 1e-20 of the Poisson distribution's mass.
    last = int(half + 10 * sqrt(half) + 40)
    first = max(int(half - 10 * sqrt(half)) - 1, 0)
    mixed = np.arange(first, last + 1)
    central = _central_cdf(x, freedom, last)[first:]
    if not half:
        return float(central[0])
    logs = np.concatenate(([lgamma(first + 1)], np.log(mixed[1:]))).cumsum()
    return float(np.exp(mixed * log(half) - half - logs) @ central)


def _central_cdf(x: float, freedom: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The central distribution functions with freedom, freedom + 2, … freedom + 2 last degrees.

    Each is the one before less (x/2)^(k/2) e^(-x/2) / Gamma(k/2 + 1).
    """
    odd = freedom % 2
    start = erf(sqrt(x / 2)) if odd else -np.expm1(-x / 2)
    least = 1 if odd else 2
    k = least / 2 + np.arange((freedom - least) // 2 + last)
    logs = (k * log(x / 2)) - x / 2
    logs -= lgamma(least / 2 + 1) + np.concatenate(([0.0], np.log(k[1:]))).cumsum()[: k.size]
    whole = np.concatenate(([start], start - np.exp(logs).cumsum()))
    return np.maximum(whole[(freedom - least) // 2 :], 0.0)


def _reaching(probability: float, x: float, freedom: int) -> float:
    """The noncentrality under which at most `x` has a probability; 0 where none is as likely."""
    if noncentral_cdf(x, freedom, 0.0) <= probability:
        return 0.0
    low, high = 0.0, x + 10 * sqrt(x + freedom) + 50
    while noncentral_cdf(x, freedom, high) > probability:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if noncentral_cdf(x, freedom, middle) > probability:
            low = middle
        else:
            high = middle
        if high - low <= 1e-9 * high:
            break
    return high
