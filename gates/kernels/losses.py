"""What a bound on the mean loss guarantees, in two parts and together.

A mean is bounded with a stated worst for the query that nobody saw, or the bound would be too wide
to be of use: no query is counted as losing more than `severe`. What may be lost beyond that is
bounded by itself, as a share of queries that lose `severe` or more; and both together by the bound
in which the unseen query loses all there is to lose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.kernels.design import SampleDesign
from gates.kernels.mean_bounds import mean_bounds
from gates.kernels.packed import Floats


@dataclass(frozen=True, slots=True)
class LossBounds:
    """How much may be lost, each bound at level 1 - alpha by itself.

    Each is true of all but a share alpha of the samples, whatever the distribution of losses; the
    first two at once of all but twice that at most (union bound), and so all three.

    Attributes:
        mean_loss: the mean loss is at most this, no query counted as losing more than `severe`.
            Negative where a gain is sure.
        severe: the loss that is severe.
        severe_share: at most this share (of traffic, as the weights have it) loses `severe` or
            more.
        together: the mean loss is at most this, every loss counted in full. Not more than
            `mean_loss` + `severe_share` (1 - `severe`) would be, or hardly, and at 1 - alpha.
        alpha: level of each.
    """

    mean_loss: float
    severe: float
    severe_share: float
    together: float
    alpha: float

    @property
    def confidence(self) -> float:
        """With what confidence all three hold at once, at least."""
        return 1 - 2 * self.alpha


def loss_bounds(
    differences: Floats,
    design: SampleDesign,
    *,
    severe: float,
    most: float = 1.0,
    alpha: float = 0.05,
    least: Floats | None = None,
) -> list[LossBounds]:
    """The bounds of each column; infinite, and a share of 1, without rows.

    Args:
        differences: float64[n, m], new minus old; NaN where a query has no value.
        design: of the n rows.
        severe: the loss from which on it is severe, positive.
        most: the most that a query can lose.
        alpha: level of each bound.
        least: float64[n, m], what grades still to come make least; None is `differences`.
    """
    values = differences if least is None else least
    hit = np.where(np.isnan(values), np.nan, (values <= -severe).astype(np.float64))
    counted = mean_bounds(values, design, worst=-severe, best=most, alpha=alpha)
    full = mean_bounds(values, design, worst=-most, best=most, alpha=alpha)
    shares = mean_bounds(hit, design, worst=0.0, best=1.0, alpha=alpha)
    return [
        LossBounds(-one.lower, severe, min(share.upper, 1.0), -whole.lower, alpha)
        for one, share, whole in zip(counted, shares, full, strict=True)
    ]
