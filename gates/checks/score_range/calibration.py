"""Whether a score of 0.8 is right four times in five: the calibration of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.checks.score_range.labelled import Given, Labelled
from gates.comparison.measuring import Sample
from gates.comparison.slices import Slice
from gates.domain.exhibits import Cell, ReliabilityBin, Table
from gates.domain.judging import Measurement
from gates.kernels.calibration import (
    BinnedAnswers,
    calibration_bounds,
    equal_mass,
    equal_width,
    gaps,
)
from gates.kernels.design import effective_n
from gates.kernels.packed import Bools, Floats

__all__ = ["Binning", "Resamples", "calibration", "reliability"]

_A_BIN = 30  # queries a bin needs before its gap says more than chance


@dataclass(frozen=True, slots=True)
class Resamples:
    """What the bootstrap of a calibration error draws.

    Attributes:
        count: How many.
        seed: The same seed gives the same interval.
    """

    count: int
    seed: int


@dataclass(frozen=True, slots=True)
class Binning:
    """Into which bins of like scores queries are put.

    Attributes:
        bins: How many at most; fewer where one would hold less than 30 queries.
        is_even: Whether each holds the same range of scores, rather than the same weight.
    """

    bins: int
    is_even: bool

    def of(self, given: Given, rows: Bools, weight: Floats) -> BinnedAnswers:
        """A version's answers in some rows, in their bins.

        Args:
            given: The version's answers.
            rows: bool[E], the rows.
            weight: float64[rows], what each of them stands for.
        """
        score, bins = given.score[rows], self.within(weight)
        found = equal_width(score, bins) if self.is_even else equal_mass(score, weight, bins)
        return BinnedAnswers(score, given.right[rows], found)

    def within(self, weight: Floats) -> int:
        """How many bins rows of these weights are put into."""
        return int(np.clip(effective_n(weight) // _A_BIN, 1, self.bins))


def calibration(
    labelled: Labelled,
    sample: Sample,
    cut: Slice,
    binning: Binning,
    resamples: Resamples,
    *,
    grown: bool = False,
) -> Measurement:
    """The candidate's calibration error in a slice, or how much it is above the champion's.

    Args:
        labelled: Both versions' answers, with scores in [0, 1].
        sample: How the queries were drawn.
        binning: Into which bins its queries are put.
        resamples: Behind the interval.
        grown: Whether the difference from the champion is asked for.
    """
    name, rows = cut
    weight = sample.weight[rows]
    arms = [labelled.new, labelled.before] if grown else [labelled.new]
    new, *old = (binning.of(one, rows, weight) for one in arms)
    found = calibration_bounds(
        new,
        old[0] if old else None,
        weight,
        census=sample.census[rows],
        alpha=sample.alpha,
        resamples=resamples.count,
        seed=resamples.seed,
    )
    return Measurement(
        "calibration-error.delta" if grown else "calibration-error",
        found.estimate,
        int(rows.sum()),
        "calibration error",
        found.lower,
        found.upper,
        slice=name,
        extra={"plug_in": found.plug_in, "bins": float(binning.within(weight))},
    )


def reliability(labelled: Labelled, binning: Binning) -> Table:
    """The candidate's bins as a table: what it said, and how often it was right.

    Args:
        labelled: Its answers, with scores in [0, 1].
        binning: Into which bins its queries are put.
    """
    score, weight = labelled.new.score, labelled.weight
    answers = binning.of(labelled.new, np.ones(score.size, bool), weight)
    found = gaps(answers, weight)
    gap = found.right - found.score
    rows: list[list[Cell]] = []
    bins = []
    for at, one in enumerate(np.unique(answers.bin)):
        inside = score[answers.bin == one]
        share, said, right, more = (
            round(float(value), 4)
            for value in (found.share[at], found.score[at], found.right[at], gap[at])
        )
        rows.append(
            [
                f"{inside.min():.3f} to {inside.max():.3f}",
                int(found.count[at]),
                share,
                said,
                right,
                more,
            ]
        )
        bins.append(ReliabilityBin(said, right, share))
    over = -float((found.share * gap).sum())
    way = "above" if over > 0 else "below"
    title = f"The candidate's scores are on average {abs(over):.3f} {way} how often it is right"
    columns = ["scores", "queries", "share of traffic", "mean score", "right", "right − score"]
    return Table(title, columns, rows, reliability=tuple(bins))
