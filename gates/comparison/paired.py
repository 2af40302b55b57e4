"""A metric of two rankings, query by query: both values, and what is still open of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gates.kernels.informative import TELLS, UNMEASURED
from gates.kernels.packed import Bools, Floats

__all__ = ["PairedMetric"]


@dataclass(frozen=True, slots=True, eq=False)
class PairedMetric:
    """A metric under both rankings.

    Attributes:
        metric: Its name, such as `ndcg@10`.
        old: float64[Q], NaN where it does not exist.
        new: float64[Q], likewise.
        unjudged: (float64[Q], float64[Q]): the least and the greatest difference that grades still
            to come could make of each query; None where that is not asked.
        noise: How much of the mean difference a ranking that is not deterministic could make.
        higher_is_better: Whether more of it is better.
        unit: What it counts; empty for the metric itself.
        informative: float64[Q], whether each query can tell old from new: a value of
            `gates.kernels.informative`; None where all can.
        random: float64[Q], of a random order of the old documents; None where nobody knows.
        ideal: float64[Q], of their best order; likewise.
        random_order: Whether a margin may be so wide that random order keeps it.
    """

    metric: str
    old: Floats
    new: Floats
    unjudged: tuple[Floats, Floats] | None = None
    noise: float = 0.0
    higher_is_better: bool = True
    unit: str = ""
    informative: Floats | None = None
    random: Floats | None = None
    ideal: Floats | None = None
    random_order: Literal["refused", "allowed"] = "refused"

    def in_random_order(self, rows: Bools, weight: Floats) -> float | None:
        """What `new - old` would be on average for a random order; None where nobody knows.

        Args:
            rows: bool[Q], the queries that count, both of whose values exist.
            weight: float64[Q].
        """
        if self.random is None or not rows.any():
            return None
        return float(np.average((self.random - self.old)[rows], weights=weight[rows]))

    @property
    def kind(self) -> Floats:
        """Whether each query can tell old from new, float64[Q]."""
        return np.full(self.old.size, TELLS) if self.informative is None else self.informative

    @property
    def gain(self) -> Floats:
        """By how much the new ranking is better, float64[Q]; below 0 where it is worse."""
        return self.new - self.old if self.higher_is_better else self.old - self.new

    @property
    def measured(self) -> Floats:
        """New minus old, float64[Q], NaN also where judgments do not reach what is read."""
        return np.where(self.kind == UNMEASURED, np.nan, self.new - self.old)

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """The least and the greatest new minus old that grades still to come could make."""
        return self.unjudged or (self.new - self.old, self.new - self.old)

    @property
    def gain_ends(self) -> tuple[Floats, Floats]:
        """The least and the greatest gain that grades still to come could make, float64[Q] each."""
        least, most = self.ends
        return (least, most) if self.higher_is_better else (-most, -least)

    def tells(self, rows: Bools) -> bool:
        """Whether it could have moved for any of some queries."""
        return bool((self.kind[rows & ~np.isnan(self.gain)] == TELLS).any())
