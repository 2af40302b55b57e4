"""How likely a weighted sum of exponential variables is to fall below zero, without drawing any.

S = sum of k_i a_i E_i + constant, with E_i independent and exponential (k_i E_i: the sum of k_i of
them). Its cumulant generating function is K(s) = constant s - sum k_i log(1 - a_i s), so that the
chance is an integral along a vertical line in the complex plane. Through the saddlepoint, where
K' = 0, that integral is nearly a Gaussian's: the approximation of Lugannani and Rice, taken to its
second order, has four digits and more for sums of many comparable terms. Where its second order
says that it has not, the integral itself is worked out, by the trapezoidal rule in a variable in
which its integrand decays doubly exponentially.

Sources: Lugannani and Rice, "Saddle point approximation for the distribution of the sum of
independent random variables", Advances in Applied Probability 1980; Daniels, "Tail probability
approximations", International Statistical Review 1987 (second order); Helstrom, "Approximate
evaluation of detection probabilities by saddlepoint integration", 1978 (the integral).
"""

from dataclasses import dataclass
from math import erfc, nan, pi, sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gates.kernels.packed import Floats

_Number = TypeVar("_Number", np.float64, np.complex128)

_CELLS = 1 << 16  # terms worked on at a time: a few arrays of them stay in cache
_TRUSTED = 0.06  # the largest second-order term with which the approximation is taken
_STEP = 0.25  # of the trapezoidal rule; its error falls like exp(-5 / step)
_NEGLIGIBLE = 1e-12
_AGREED = 1e-6  # between the sums over every other node and over all


def chance_below_zero(
    terms: Floats, constant: Floats, times: Floats | None = None, near: float | None = None
) -> Floats:
    """P(S <= 0) of each row, float64[m]; the same bits for a row alone and among others.

    Args:
        terms: float64[m, n], the factors a_i.
        constant: float64[m].
        times: float64[m, n], how often each term occurs (any k_i >= 0); None is once.
        near: for callers who only ask on which side of `near` a chance lies: farther from it than a
            third the approximation will do, whatever the terms. None is exact everywhere.
    """
    size = max(1, _CELLS // max(terms.shape[1], 1))
    parts = [
        _chances(terms[at : at + size], constant[at : at + size], _part(times, at, size), near)
        for at in range(0, terms.shape[0], size)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _part(times: Floats | None, at: int, size: int) -> Floats | None:
    return None if times is None else times[at : at + size]


def _chances(terms: Floats, constant: Floats, times: Floats | None, near: float | None) -> Floats:
    mean = _total(terms, times) + constant
    # A sum whose mean is below zero is turned over: the tail asked for is then the lighter one.
    over = mean < 0
    sign = np.where(over, -1.0, 1.0)
    a, constant, mean = terms * sign[:, None], constant * sign, mean * sign
    if times is not None:
        a = np.where(times > 0, a, 0.0)
    least = a.min(axis=1, initial=0.0)
    found = np.zeros(mean.size)
    # Without a negative part there is nothing below zero; an empty sum is zero itself.
    possible = (least < 0) | (constant < 0)
    found[~possible & (mean == 0)] = 1.0
    if possible.all():
        found = _tails(a, constant, times, mean, least, near)
    elif possible.any():
        some = None if times is None else times[possible]
        found[possible] = _tails(
            a[possible], constant[possible], some, mean[possible], least[possible], near
        )
    return np.where(over, 1.0 - found, found)


def _tails(
    a: Floats,
    constant: Floats,
    times: Floats | None,
    mean: Floats,
    least: Floats,
    near: float | None,
) -> Floats:
    """P(S <= 0) where the mean is not negative and some part of the sum is."""
    s = _saddlepoint(a, constant, times, mean, least)
    d = 1.0 - a * s[:, None]
    b = a / d
    squares = b * b
    logs = _logs(d) if times is None else _total(np.log(d), times)
    k0 = constant * s - logs
    k2 = _total(squares, times)
    skewness = 2 * _total(squares * b, times) / k2**1.5
    kurtosis = 6 * _total(squares * squares, times) / k2**2
    u, w = s * np.sqrt(k2), -np.sqrt(np.maximum(-2 * k0, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        density = np.exp(k0) / sqrt(2 * pi)
        first = _normal(w) + density * (1 / w - 1 / u)
        tall, skewed = kurtosis / 8, 5 * skewness * skewness / 24
        second = density * (
            skewness / (2 * u * u) - (tall - skewed) / u + 1 / (u * u * u) - 1 / (w * w * w)
        )
        found = first + second
        # The terms may cancel where what comes after them does not: each has to be small.
        sure = (tall + skewed <= _TRUSTED) & (u < -0.5)
        if near is not None:
            sure |= (u < -0.5) & ((found < 0.75 * near) | (found > 1.33 * near))
    for row in np.flatnonzero(~sure):
        k = None if times is None else times[row]
        found[row] = _integral(a[row], float(constant[row]), k, float(s[row]), float(least[row]))
    return found


def _saddlepoint(
    a: Floats, constant: Floats, times: Floats | None, mean: Floats, least: Floats
) -> Floats:
    """The s <= 0 at which K'(s) = 0: Newton's steps, kept inside a bracket that only shrinks."""
    low = np.full(mean.size, -np.inf)
    np.divide(1.0, least, out=low, where=least < 0)
    high = np.zeros(mean.size)
    variance = _total(a * a, times)
    s = np.zeros(mean.size)
    np.divide(-mean, variance, out=s, where=variance > 0)
    s = np.maximum(s, 0.9 * low)
    moving = s < 0
    for _ in range(200):
        if not moving.any():
            break
        b = a / (1.0 - a * s[:, None])
        slope, bend = _total(b, times) + constant, _total(b * b, times)
        low, high = np.where(slope < 0, s, low), np.where(slope >= 0, s, high)
        following = s - slope / bend
        middle = np.where(np.isfinite(low), (low + high) / 2, 2 * s)
        following = np.where((following > low) & (following < high), following, middle)
        # The step after a small one is the square of it.
        s, moving = (
            np.where(moving, following, s),
            moving & (np.abs(following - s) > 1e-6 * np.abs(s)),
        )
    return s


def _integral(a: Floats, constant: float, k: Floats | None, s: float, least: float) -> float:
    """The integral itself: -1/(2 pi i) of exp(K(z)) / z dz, from below to above, left of 0.

    Along a hyperbola through the saddlepoint that bends to the side to which the path of steepest
    descent bends (that of the third cumulant), the integrand ends after a dozen nodes or two, be it
    a sum of two terms or of ten thousand. A large constant may want another path: the first whose
    finer and coarser sums agree is taken.
    """
    if k is None:
        a, k = _tied(a)
    a, k = a[k > 0], k[k > 0]
    # A mean of 0 has its saddlepoint on the pole at 0: pass to the left of it.
    c = min(s, -1.0 / sqrt(float((k * a * a).sum())))
    c = max(c, 0.5 / least) if least < 0 and c <= 1 / least else c
    b = a / (1.0 - a * c)
    scale = 1 / sqrt(float((k * b * b).sum()))
    steepest = 2 / 3 * float((k * b**3).sum()) * scale**3
    against = -0.3 if constant > 0 else 0.3
    found = nan
    for step in (_STEP, _STEP / 4):
        for bend in (steepest, 0.0, against):
            path = _Hyperbola(c, scale, bend)
            coarse = _along(path, a, k, constant, step, 0.0)
            found = (coarse + _along(path, a, k, constant, step, step / 2)) / 2
            if abs(found - coarse) <= _AGREED:
                return min(max(found, 0.0), 1.0)
    return min(max(found, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class _Hyperbola:
    """z = c + scale (bend (cosh x - 1) + i sinh x)."""

    c: float
    scale: float
    bend: float


def _along(
    path: _Hyperbola, a: Floats, k: Floats, constant: float, step: float, first: float
) -> float:
    """The trapezoidal sum over x = first, first + step, ... and their mirror images."""
    total, block = 0.0, max(1, min(16, _CELLS // a.size))
    while first < 30:
        x = first + step * np.arange(block)
        with np.errstate(over="ignore", invalid="ignore"):
            z = path.c + path.scale * (path.bend * (np.cosh(x) - 1) + 1j * np.sinh(x))
            along = path.scale * (path.bend * np.sinh(x) + 1j * np.cosh(x))
            factors = 1.0 - a * z[:, None]
            once = bool((k == 1).all())
            logs = _logs(factors) if once else (np.log(factors) * k).sum(axis=1)
            height = np.exp(constant * z - logs) / z * along
        total += float(height.imag.sum()) - (height[0].imag / 2 if x[0] == 0 else 0.0)
        if abs(height[-1]) < _NEGLIGIBLE:
            break
        first += step * block
    return -total * step / pi


def _logs(factors: NDArray[_Number]) -> NDArray[_Number]:
    """The logarithm of each row's product, but for multiples of 2 pi i."""
    # Sixteen factors cannot overflow, and a product costs a twentieth of a logarithm.
    products = np.multiply.reduceat(factors, np.arange(0, factors.shape[1], 16), axis=1)
    found: NDArray[_Number] = np.log(products).sum(axis=1)
    return found


def _tied(a: Floats) -> tuple[Floats, Floats]:
    """The distinct terms and how often each occurs, where that makes fewer of them."""
    distinct, times = np.unique(a, return_counts=True)
    if 2 * distinct.size > a.size:
        return a, np.ones(a.size)
    return distinct, times.astype(np.float64)


def _total(values: Floats, times: Floats | None) -> Floats:
    found: Floats = (values if times is None else values * times).sum(axis=1)
    return found


def _normal(w: Floats) -> Floats:
    return np.array([erfc(-one / sqrt(2)) / 2 for one in w.tolist()])
