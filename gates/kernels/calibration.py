"""How far a classifier's scores are from how often it is right.

Queries are put into bins of like scores; a bin's gap is the share of right labels less the mean
score, and the expected calibration error adds up the gaps' sizes, each by its bin's weight. Bins of
equal mass hold the same weight each (Nguyen and O'Connor 2015), bins of equal width the same range
of scores (Naeini, Cooper and Hauskrecht, AAAI 2015; Guo et al., ICML 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, pi, sqrt

import numpy as np

from gates.kernels._resamples import counts, grouping, unit_sums
from gates.kernels.packed import Bools, Floats, Ints

__all__ = [
    "BinnedAnswers",
    "Calibration",
    "Gaps",
    "brier",
    "calibration_bounds",
    "calibration_error",
    "equal_mass",
    "equal_width",
    "gaps",
]


@dataclass(frozen=True, slots=True, eq=False)
class BinnedAnswers:
    """One version's answers, with the bin each is compared in.

    Attributes:
        score: float64[n] in [0, 1], the score of the label it gave.
        right: bool[n], whether that label is the expected one.
        bin: int64[n], from 0 on.
    """

    score: Floats
    right: Bools
    bin: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """What each bin that is not empty holds, lowest scores first.

    Attributes:
        count: int64[B], rows.
        share: float64[B], of all weight; adds up to 1.
        score: float64[B], weighted mean score.
        right: float64[B], weighted share of right labels.
    """

    count: Ints
    share: Floats
    score: Floats
    right: Floats


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration error, or the difference of two, with its one-sided bounds.

    Attributes:
        plug_in: As the sample has it: too large by what chance makes of bins that hold few rows.
        estimate: The same less the bias that the resamples show, which is part of the whole.
        lower: One-sided lower bound.
        upper: One-sided upper bound.
    """

    plug_in: float
    estimate: float
    lower: float
    upper: float


def equal_mass(score: Floats, weight: Floats, bins: int) -> Ints:
    """Bins that hold about the same weight each, int64[n]; equal scores share one.

    Args:
        score: float64[n].
        weight: float64[n] > 0.
        bins: How many at most.
    """
    _, place = np.unique(score, return_inverse=True)
    mass = np.bincount(place, weight)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    found: Ints = (middle * bins).astype(np.int64)[place]
    return found


def equal_width(score: Floats, bins: int) -> Ints:
    """Bins over equal parts of [0, 1], int64[n]: (0, 1/bins], (1/bins, 2/bins] …, 0 in the first.

    Args:
        score: float64[n] in [0, 1].
        bins: How many.
    """
    last = np.ceil(score * bins).astype(np.int64) - 1
    found: Ints = np.clip(last, 0, bins - 1)
    return found


def gaps(answers: BinnedAnswers, weight: Floats) -> Gaps:
    """What each bin holds.

    Args:
        answers: n answers.
        weight: float64[n] > 0.
    """
    count = np.bincount(answers.bin)
    held = count > 0
    mass = np.bincount(answers.bin, weight)[held]
    return Gaps(
        count[held].astype(np.int64),
        mass / mass.sum(),
        np.bincount(answers.bin, weight * answers.score)[held] / mass,
        np.bincount(answers.bin, weight * answers.right)[held] / mass,
    )


def calibration_error(answers: BinnedAnswers, weight: Floats) -> float:
    """Expected calibration error, in [0, 1]: the weighted mean over bins of |right - score|.

    Guo et al., "On calibration of modern neural networks", ICML 2017, equation 5, with weights.
    It is the plug-in estimate, which chance makes too large: see `calibration_bounds`.

    Args:
        answers: n answers, at least one.
        weight: float64[n] > 0.
    """
    found = gaps(answers, weight)
    return float((found.share * np.abs(found.right - found.score)).sum())


def brier(score: Floats, right: Bools) -> Floats:
    """Each label's Brier score, float64[n] in [0, 1], 0 best: (score - right)^2.

    Brier, "Verification of forecasts expressed in terms of probability", 1950, for the event that
    the label is right. Unlike the calibration error it is a plain mean and needs no bins.
    """
    error = score - right
    return error * error


def calibration_bounds(
    new: BinnedAnswers,
    old: BinnedAnswers | None,
    weight: Floats,
    *,
    census: Bools,
    alpha: float = 0.05,
    resamples: int = 10_000,
    seed: int,
) -> Calibration:
    """The expected calibration error over all traffic, or how much it grew, with bounds.

    No estimate of a sum of absolute values is unbiased: chance alone gives every bin a gap (Kumar,
    Liang and Ma, "Verified uncertainty calibration", NeurIPS 2019). So the bounds err to the safe
    side. The upper one is the bootstrap's percentile, bias included, with one row more that was not
    drawn and is as wrong as can be, since hardly any label may be wrong. The lower one takes off
    what chance alone can make: the quantile of sum |gap* - gap|. Of a difference the biases need
    not cancel: the upper bound allows for that of the old version alone, the lower one for that of
    the new version alone, around the resamples' spread.

    Bins are held fixed, sampled rows are resampled (in blocks, when they are many), and `census`
    rows stay as they are.

    Args:
        new: n answers.
        old: The n answers of another version to the same queries; None for the error of `new`.
        weight: float64[n] > 0, what each row stands for.
        census: bool[n], rows taken with certainty.
        alpha: Level of each bound.
        resamples: Bootstrap resamples.
        seed: The same seed gives the same bounds.

    Returns:
        The bounds; census alone has no sampling error, and one sampled row gives the widest.
    """
    arms = [new] if old is None else [new, old]
    plug_in = [calibration_error(one, weight) for one in arms]
    value = plug_in[0] - sum(plug_in[1:])
    drawn = ~census
    if not drawn.any():
        return Calibration(value, value, value, value)
    if drawn.sum() == 1:
        return Calibration(value, value, 0.0 if old is None else -1.0, 1.0)
    share = float(weight[drawn].sum() / weight.sum())
    unseen = share * _unseen(weight[drawn], resamples, seed)
    moved = [_resampled(one, weight, drawn, resamples, seed) for one in arms]
    high, low = _place(resamples, 1 - alpha), _place(resamples, alpha)
    if old is None:
        errors, chance = moved[0]
        noise = float(np.partition(chance, high)[high])
        upper = float(np.partition(errors + unseen, high)[high])
        estimate = max(2 * value - float(errors.mean()), 0.0)
        return Calibration(value, estimate, max(value - noise, 0.0), min(upper, 1.0))
    difference = moved[0][0] - moved[1][0]
    centre = float(difference.mean())
    difference -= centre
    bias = [_bias(one, weight, drawn, size) for one, size in zip(arms, plug_in, strict=True)]
    least = float(np.partition(difference - unseen, low)[low])
    most = float(np.partition(difference + unseen, high)[high])
    return Calibration(
        value,
        2 * value - centre,
        max(value + least - bias[0], -1.0),
        min(value + most + bias[1], 1.0),
    )


def _resampled(
    answers: BinnedAnswers, weight: Floats, drawn: Bools, resamples: int, seed: int
) -> tuple[Floats, Floats]:
    """Each resample's calibration error, and its sum |gap* - gap|; float64[resamples] each."""
    parts, certain = _by_bin(answers, weight, drawn)
    order = grouping(int(drawn.sum()), seed)
    table = np.stack([unit_sums(part, order) for part in parts])
    mass = unit_sums(weight[drawn] / weight.sum(), order)
    seen = table.sum(axis=1)[:, None]
    errors, chance, done = np.empty(resamples), np.empty(resamples), 0
    for some in counts(mass.size, resamples, seed, 0):
        times = some.T.astype(np.float64)
        # The sampled rows keep their share of all traffic, whichever of them are drawn again.
        sums = table @ times * (mass.sum() / (mass @ times))
        part = slice(done, done + some.shape[0])
        errors[part] = np.abs(certain[:, None] + sums).sum(axis=0)
        chance[part] = np.abs(sums - seen).sum(axis=0)
        done += some.shape[0]
    return errors, chance


def _by_bin(answers: BinnedAnswers, weight: Floats, drawn: Bools) -> tuple[Floats, Floats]:
    """Each sampled row's part of each bin's gap, float64[B, m], and the census's, float64[B]."""
    gap = weight / weight.sum() * (answers.right - answers.score)
    bins = int(answers.bin.max()) + 1
    certain = np.bincount(answers.bin[~drawn], gap[~drawn], bins).astype(np.float64)
    parts = np.where(answers.bin[drawn] == np.arange(bins)[:, None], gap[drawn], 0.0)
    return parts, certain


def _bias(answers: BinnedAnswers, weight: Floats, drawn: Bools, plug_in: float) -> float:
    """What chance is expected to have added to a calibration error, at most all of it.

    For a bin whose true gap is g and whose sampling error is normal that is the mean of a folded
    normal variable less |g|. g is the gap seen, less the mean size of its error: unshrunk it would
    have chance in it, and the bias of bins without any gap would come out at less than half.
    """
    parts, certain = _by_bin(answers, weight, drawn)
    rows, own = int(drawn.sum()), weight[drawn] / weight[drawn].sum()
    total = parts.sum(axis=1)
    residual = parts - own * total[:, None]
    error = np.sqrt(rows / (rows - 1) * (residual * residual).sum(axis=1))
    noise = sqrt(2 / pi) * error
    gap = np.maximum(np.abs(certain + total) - noise, 0.0)
    ratio = np.divide(gap, error, out=np.zeros_like(gap), where=error > 0)
    beyond = np.array([erfc(one / sqrt(2)) for one in ratio])
    added = noise * np.exp(-ratio * ratio / 2) - gap * beyond
    return min(float(added.sum()), plug_in)


def _unseen(weight: Floats, resamples: int, seed: int) -> Floats:
    """The random share of the population of one row that was not drawn: Beta(1, n_eff)."""
    typical = weight @ weight / weight.sum()
    rng = np.random.default_rng((seed, weight.size))
    return rng.beta(1.0, weight.sum() / typical, resamples)


def _place(resamples: int, level: float) -> int:
    return min(int(np.ceil((resamples + 1) * level)), resamples) - 1
