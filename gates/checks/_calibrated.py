"""Whether a score of 0.8 is right four times in five: the calibration of a classifier."""

from __future__ import annotations

import numpy as np

from gates.checks._labelled import Given, Labelled
from gates.domain import Exhibit, Measurement
from gates.kernels.calibration import Answers, calibration_bounds, equal_mass, gaps
from gates.kernels.intervals import effective_n
from gates.kernels.packed import Bools, Floats
from gates.measuring import Sample, Slice

__all__ = ["calibration", "reliability"]

_A_BIN = 30  # queries a bin needs before its gap says more than chance


def calibration(
    labelled: Labelled, sample: Sample, cut: Slice, bins: int, *, grown: bool = False
) -> Measurement:
    """The candidate's calibration error in a slice, or how much it is above the champion's.

    Args:
        labelled: Both versions' answers, with scores in [0, 1].
        sample: How the queries were drawn.
        cut: The slice.
        bins: How many bins at most.
        grown: Whether the difference from the champion is asked for.
    """
    name, rows = cut
    weight, used = sample.weight[rows], _bins(sample.weight[rows], bins)
    arms = [labelled.new, labelled.before] if grown else [labelled.new]
    new, *old = (_answers(one, rows, weight, used) for one in arms)
    found = calibration_bounds(
        new,
        old[0] if old else None,
        weight,
        census=sample.census[rows],
        alpha=sample.alpha,
        resamples=sample.resamples,
        seed=sample.seed,
    )
    return Measurement(
        "calibration-error.delta" if grown else "calibration-error",
        found.estimate,
        int(rows.sum()),
        "calibration error",
        found.lower,
        found.upper,
        slice=name,
        extra={"plug_in": found.plug_in, "bins": float(used)},
    )


def reliability(labelled: Labelled, bins: int) -> Exhibit:
    """The candidate's bins as a table: what it said, and how often it was right.

    Args:
        labelled: Its answers, with scores in [0, 1].
        bins: How many bins at most.
    """
    score, weight = labelled.new.score, labelled.weight
    answers = _answers(labelled.new, np.ones(score.size, bool), weight, _bins(weight, bins))
    found = gaps(answers, weight)
    gap = found.right - found.score
    rows = []
    for at, one in enumerate(np.unique(answers.bin)):
        inside = score[answers.bin == one]
        shares = (found.share[at], found.score[at], found.right[at], gap[at])
        rows.append(
            [
                f"{inside.min():.3f} to {inside.max():.3f}",
                int(found.count[at]),
                *(round(float(value), 4) for value in shares),
            ]
        )
    over = -float((found.share * gap).sum())
    way = "above" if over > 0 else "below"
    title = f"The candidate's scores are on average {abs(over):.3f} {way} how often it is right"
    columns = ["scores", "queries", "share of traffic", "mean score", "right", "right − score"]
    return Exhibit("table", title, {"columns": columns, "rows": rows})


def _bins(weight: Floats, bins: int) -> int:
    return int(np.clip(effective_n(weight) // _A_BIN, 1, bins))


def _answers(given: Given, rows: Bools, weight: Floats, bins: int) -> Answers:
    score = given.score[rows]
    return Answers(score, given.right[rows], equal_mass(score, weight, bins))
