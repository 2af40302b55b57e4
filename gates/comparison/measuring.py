"""How sure the mean of a column, or a share of queries, is.

The one place where intervals of queries are made; differences.py: of differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gates.comparison.slices import Slice
from gates.domain.judging import Measurement
from gates.kernels.design import SampleDesign
from gates.kernels.mean_bounds import Bounds, mean_bounds
from gates.kernels.packed import Bools, Floats, Ints

if TYPE_CHECKING:
    from gates.domain.subject import GoldenSet

__all__ = ["Sample", "ShareOf", "means", "open_mean", "share", "share_of"]

ShareOf = Literal["traffic", "queries"]
"""Of what a share is one: of traffic, or of queries where each counts alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """How the queries were drawn, and what one outside the sample may do.

    Attributes:
        weight: float64[Q], what each query stands for.
        census: bool[Q], those taken with certainty.
        severe: The most that a query outside the sample is taken to lose or gain; losses beyond it
            are bounded by themselves.
        cluster: int64[Q], queries that were drawn together share a number; None where none were.
        share_of: Of what a share is one.
        alpha: Level of each one-sided bound.
    """

    weight: Floats
    census: Bools
    severe: float
    cluster: Ints | None = None
    share_of: ShareOf = "queries"
    alpha: float = 0.05

    @classmethod
    def of_golden(cls, golden: GoldenSet, rows: Ints | None = None) -> Sample:
        """A golden set's queries, of which one outside may be wrong where all others are right.

        Args:
            golden: The set.
            rows: int64[Q], which queries, where not all of them in their order.
        """
        every = np.arange(len(golden.query_id)) if rows is None else rows
        return cls(
            golden.design_weight[every],
            golden.census[every],
            severe=1.0,
            cluster=None if golden.cluster is None else golden.cluster[every],
            share_of=share_of(golden.weight),
        )

    @property
    def share(self) -> str:
        """The unit of a share."""
        return f"share of {self.share_of}"

    def design(self, rows: Bools) -> SampleDesign:
        """How some of the queries were drawn."""
        return SampleDesign(self.weight, self.census, self.cluster).of(rows)

    def bounds(
        self,
        values: Sequence[Floats],
        rows: Bools,
        ends: tuple[float, float],
        open_: Sequence[tuple[Floats, Floats]] | None = None,
    ) -> list[Bounds]:
        """The weighted mean of each column with its bounds, NaN left out.

        Args:
            values: float64[Q] each.
            rows: bool[Q], the queries that count.
            ends: Worst and best value of a query outside the sample.
            open_: The least and the greatest values that grades still to come could make; None
                where all are known.
        """
        least = most = None
        if open_ is not None:
            least, most = (np.stack(one, axis=1)[rows] for one in zip(*open_, strict=True))
        return mean_bounds(
            np.stack(values, axis=1)[rows],
            self.design(rows),
            worst=ends[0],
            best=ends[1],
            alpha=self.alpha,
            least=least,
            most=most,
        )


def share_of(traffic: Floats) -> ShareOf:
    """Of what a share of queries with such traffic is one."""
    return "traffic" if traffic.size and np.ptp(traffic) > 0 else "queries"


def means(
    sample: Sample,
    values: Mapping[str, Floats],
    cut: Slice,
    *,
    plausible: tuple[float, float] = (0.0, 1.0),
) -> list[Measurement]:
    """The weighted mean of each column over a slice, NaN left out.

    Args:
        sample: The queries.
        values: metric → float64[Q].
        plausible: The least and the greatest value there can be.
    """
    name, rows = cut
    found = sample.bounds(list(values.values()), rows, plausible)
    return [
        Measurement(metric, one.estimate, one.n, metric, one.lower, one.upper, slice=name)
        if one.n
        else Measurement(metric, None, 0, metric, slice=name, reason="no query to compare")
        for metric, one in zip(values, found, strict=True)
    ]


def share(
    sample: Sample,
    metric: str,
    hit: Floats,
    cut: Slice,
    *,
    open_: tuple[Floats, Floats] | None = None,
) -> Measurement:
    """The share for which something is so: of traffic, or of queries where each counts alike.

    Args:
        sample: The queries.
        metric: Its name.
        hit: float64[Q], 1 where it is so, 0 where not, NaN where nobody can tell.
        open_: `hit` as grades still to come could make it least and most often; None where all are
            known.
    """
    name, rows = cut
    kept = rows & ~np.isnan(hit)
    if not kept.any():
        reason = "no query to compare"
        return Measurement(metric, None, 0, sample.share, slice=name, reason=reason)
    (found,) = sample.bounds([hit], rows, (0.0, 1.0), None if open_ is None else [open_])
    pessimistic, optimistic = open_mean(open_, kept, sample.weight[kept])
    return Measurement(
        metric,
        found.estimate,
        found.n,
        sample.share,
        max(found.lower, 0.0),
        min(found.upper, 1.0),
        name,
        pessimistic=pessimistic,
        optimistic=optimistic,
        extra={"queries": float(hit[kept].sum())},
    )


def open_mean(
    ends: tuple[Floats, Floats] | None, rows: Bools, weight: Floats
) -> tuple[float | None, float | None]:
    """The weighted means that grades still to come could make; None where all are known."""
    if ends is None:
        return None, None
    least, most = (float(np.average(one[rows], weights=weight)) for one in ends)
    # Equal but for rounding: nothing that was served is unjudged.
    return (least, most) if most - least > 1e-12 else (None, None)
