"""Do the annotators agree: Krippendorff's alpha."""

from typing import Literal

import numpy as np

from gates.kernels.packed import Floats

Level = Literal["nominal", "ordinal", "interval", "ratio"]


def krippendorff_alpha(ratings: Floats, level: Level = "ordinal") -> float:
    """Krippendorff's alpha: 1 is full agreement, 0 what chance gives, below 0 worse than chance.

    Any number of raters, missing ratings allowed. Items with fewer than two ratings say nothing and
    are left out.

    Args:
        ratings: float64[raters, items], NaN where a rater did not rate the item.
        level: what the grades are: names, an order, a scale, or a scale with a true zero (ratings
            then not negative).

    Returns:
        NaN when no item has two ratings, or all ratings are the same: without any variation there
        is nothing to tell agreement from.

    Source: Krippendorff, "Computing Krippendorff's alpha-reliability", 2011.
    """
    given = ~np.isnan(ratings)
    given &= given.sum(axis=0) >= 2
    values, code = np.unique(ratings[given], return_inverse=True)
    if values.size < 2:
        return float("nan")
    item = np.nonzero(given)[1]
    shape = (ratings.shape[1], values.size)
    counts = np.bincount(item * values.size + code, minlength=shape[0] * shape[1]).reshape(shape)
    counts = counts[counts.sum(axis=1) > 0]
    weighted = counts / (counts.sum(axis=1, keepdims=True) - 1)
    coincidences = weighted.T @ counts - np.diag(weighted.sum(axis=0))
    totals = counts.sum(axis=0).astype(np.float64)
    distance = _distance(values, totals, level)
    expected = totals @ distance @ totals / (totals.sum() - 1)
    return float(1 - (coincidences * distance).sum() / expected)


def _distance(values: Floats, totals: Floats, level: Level) -> Floats:
    """Squared difference between each two grades, float64[V, V]."""
    if level == "nominal":
        return 1.0 - np.eye(values.size)
    if level == "ordinal":
        # Grades lie as far apart as the ratings between their middles.
        values = np.cumsum(totals) - totals / 2
    difference = values[:, None] - values[None, :]
    if level == "ratio":
        total = values[:, None] + values[None, :]
        difference = np.divide(difference, total, out=np.zeros_like(total), where=total != 0)
    return difference**2
