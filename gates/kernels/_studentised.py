"""The studentised bootstrap of weighted means, many columns at once."""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from gates.kernels._resamples import counts, grouping, on_grid, unit_sums
from gates.kernels.packed import Bools, Floats, Ints

_NOTHING = 1e-9  # of the sample's variance: a resample below that has none but for rounding


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """Rows drawn alike, for one column.

    Attributes:
        centre: their median.
        values: float64[n], less the median.
        weights: float64[n], mean 1.
        share: their part of all weight, census included.
    """

    centre: float
    values: Floats
    weights: Floats
    share: float

    @property
    def mean(self) -> float:
        """Weighted mean of `values`."""
        return float((self.weights * self.values).sum() / self.weights.sum())

    @property
    def variance(self) -> float:
        """Of the weighted mean, linearised; s^2/n when the weights are equal."""
        n, residual = self.values.size, self.weights * (self.values - self.mean)
        return float(n / (n - 1) * (residual * residual).sum() / self.weights.sum() ** 2)


def stratify(values: Floats, weights: Floats, group: Ints, drawn: Bools) -> list[Stratum]:
    """The sampled rows of one column, stratum by stratum."""
    total = weights.sum()
    sample = []
    for code in np.unique(group[drawn]):
        rows = drawn & (group == code)
        own = weights[rows]
        # Weights near 1 and values near 0 keep the sums of squares below from cancelling.
        centre = float(np.median(values[rows]))
        share = float(own.sum() / total)
        sample.append(Stratum(centre, values[rows] - centre, own / own.mean(), share))
    return sample


def differing(sample: list[Stratum]) -> int:
    """Sampled rows that differ from the value most of their stratum has."""
    return sum(int(np.count_nonzero(stratum.values)) for stratum in sample)


def standard_error(sample: list[Stratum]) -> float:
    """Of the estimate."""
    return sqrt(sum(stratum.share**2 * stratum.variance for stratum in sample))


def t_values(columns: list[list[Stratum]], resamples: int, seed: int) -> Floats:
    """(mean* - mean) / se* of every column's resamples, float64[columns, resamples].

    Args:
        columns: one sample each, of the same rows in the same strata.
        resamples: how many.
        seed: the same seed gives the same resamples.
    """
    shift = np.zeros((len(columns), resamples))
    variance = np.zeros((len(columns), resamples))
    for number, strata in enumerate(zip(*columns, strict=True)):
        _add_stratum(shift, variance, strata, seed, number)
    found = np.empty((len(columns), resamples))
    for column, sample in enumerate(columns):
        rows, differ = sum(one.values.size for one in sample), differing(sample)
        error = standard_error(sample)
        fallback = error / sqrt(differ) if 0 < differ < rows / 2 else 0.0
        constant = variance[column] <= _NOTHING * error**2
        deviation = np.where(constant, fallback, np.sqrt(variance[column]))
        without = np.where(shift[column] == 0, 0.0, np.copysign(inf, shift[column]))
        found[column] = np.divide(shift[column], deviation, out=without, where=deviation > 0)
    return found


def _add_stratum(
    shift: Floats, variance: Floats, strata: tuple[Stratum, ...], seed: int, number: int
) -> None:
    """Add one stratum's part of every column's shift and variance, float64[columns, resamples]."""
    order = grouping(strata[0].values.size, seed)
    w = unit_sums(strata[0].weights, order)
    units = w.size
    terms = [on_grid(w), on_grid(w * w)]
    for stratum in strata:
        wv = unit_sums(stratum.weights * stratum.values, order)
        terms += [on_grid(wv), on_grid(w * wv), on_grid(wv * wv)]
    table = np.stack(terms)
    share = strata[0].share
    means = np.array([stratum.mean for stratum in strata])[:, None]
    done = 0
    for times in counts(units, shift.shape[1], seed, number):
        sums = table @ times.T.astype(np.float64)
        w_, ww = sums[0], sums[1]
        wv, wwv, wwvv = sums[2::3], sums[3::3], sums[4::3]
        mean = wv / w_
        squares = np.maximum(wwvv - 2 * mean * wwv + mean * mean * ww, 0.0)
        part = slice(done, done + times.shape[0])
        shift[:, part] += share * (mean - means)
        variance[:, part] += share**2 * (units / (units - 1) * squares / (w_ * w_))
        done += times.shape[0]
