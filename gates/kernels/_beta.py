"""The beta distribution without SciPy, whose import alone would cost a quarter second a start."""

from math import exp, lgamma, log, log1p

_TINY = 1e-300


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x at which the Beta(a, b) distribution function reaches `probability`.

    Bisection, because the function is monotone and the handful of calls a gate makes cost
    milliseconds; it stops when two neighbouring doubles are left.
    """
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b), for 0 < x < 1 and positive a and b.

    Continued fraction of the Digital Library of Mathematical Functions, 8.17.22, on the side of
    the mean where it converges fast.
    """
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _lower_side(1.0 - x, b, a)
    return _lower_side(x, a, b)


def _lower_side(x: float, a: float, b: float) -> float:
    log_front = a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b) - log(a)
    return exp(log_front) / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Value of 1 + d1/(1 + d2/(1 + ...)) by the modified Lentz method."""
    value, c, d = 1.0, 1.0, 0.0
    n = 0
    while True:
        n += 1
        m = n // 2
        if n % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / _nonzero(1.0 + term * d)
        c = _nonzero(1.0 + term / c)
        value *= c * d
        if abs(c * d - 1.0) < 1e-14:
            return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
