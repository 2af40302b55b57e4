"""How rows were drawn, and what they come to unit by unit: what every weighted mean starts from."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from gates.kernels.packed import Bools, Floats, Ints


def effective_n(weights: Floats, cluster: Ints | None = None) -> float:
    """Kish's effective sample size (sum w)^2 / sum w^2; 0 when no row carries weight.

    Args:
        weights: float64[n].
        cluster: int64[n], rows that share a number count as one; None where none do.
    """
    if cluster is not None:
        place = np.unique(cluster, return_inverse=True)[1]
        weights = np.bincount(place, weights).astype(np.float64)
    total = float(weights.sum())
    return total**2 / float(weights @ weights) if total > 0 else 0.0


def design_weights(traffic: Floats, inclusion_probability: Floats) -> Floats:
    """What each sampled query stands for: its traffic over its probability of being drawn.

    A `census` query (probability 1) stands for itself. Queries drawn with probability proportional
    to traffic all stand for the same amount: weighted equally. The sum estimates the traffic of the
    population (Horvitz and Thompson 1952).
    """
    return traffic / inclusion_probability


@dataclass(frozen=True, slots=True, eq=False)
class SampleDesign:
    """How n rows were drawn.

    Attributes:
        weight: float64[n] >= 0, what each row stands for (`design_weights`).
        census: bool[n], rows in the sample with certainty: they move the mean, and no chance is in
            them. None is none.
        cluster: int64[n], rows drawn together (near-duplicate queries) share a number and count as
            one unit. None: every row is its own.
    """

    weight: Floats
    census: Bools | None = None
    cluster: Ints | None = None

    def of(self, rows: Bools) -> SampleDesign:
        """The design of some of the rows, such as a slice's."""
        census = None if self.census is None else self.census[rows]
        cluster = None if self.cluster is None else self.cluster[rows]
        return SampleDesign(self.weight[rows], census, cluster)


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What the rows of m columns come to, unit by unit; U sampled units.

    Attributes:
        weight: float64[m, U], 0 where a unit has no value in a column.
        sum: float64[m, U], of weight times value.
        certain_weight: float64[m], of the census rows.
        certain_sum: float64[m].
    """

    weight: Floats
    sum: Floats
    certain_weight: Floats
    certain_sum: Floats

    @property
    def unseen(self) -> Floats:
        """The weight of the unit that nobody saw, float64[m]: that which traffic meets on average.

        With uneven weights a sample of n units says as much as n_eff even ones.
        """
        total, squares = self.weight.sum(axis=1), (self.weight * self.weight).sum(axis=1)
        return ratio(squares, total)

    def worst(self, worst: float) -> Floats:
        """The least value of a unit that nobody saw, float64[m]: as stated, or as was seen."""
        seen = np.full(self.sum.shape, inf)
        np.divide(self.sum, self.weight, out=seen, where=self.weight > 0)
        found: Floats = np.minimum(seen.min(axis=1, initial=inf), worst)
        return found

    def of(self, columns: Ints) -> Units:
        """Some of the columns."""
        return Units(
            self.weight[columns],
            self.sum[columns],
            self.certain_weight[columns],
            self.certain_sum[columns],
        )


def units(values: Floats, design: SampleDesign) -> Units:
    """The rows of each column added up by unit.

    Args:
        values: float64[n, m], NaN where a row has no value.
        design: of the n rows.
    """
    columns = np.ascontiguousarray(values.T)
    exists = ~np.isnan(columns)
    weight = np.where(exists, design.weight, 0.0)
    product = np.where(exists, columns, 0.0) * weight
    certain = tuple(np.zeros((2, len(columns))))
    if design.census is not None and design.census.any():
        # Compress and take leave each column's rows side by side in memory, whatever the others:
        # sums then run in one order.
        sure = (np.compress(design.census, one, axis=1) for one in (weight, product))
        certain = tuple(one.sum(axis=1) for one in sure)
        weight, product = (np.compress(~design.census, one, axis=1) for one in (weight, product))
    if design.cluster is not None:
        cluster = design.cluster if design.census is None else design.cluster[~design.census]
        order = np.argsort(cluster, kind="stable")
        starts = np.flatnonzero(np.diff(cluster[order], prepend=np.nan) != 0)
        if starts.size:
            weight = np.add.reduceat(np.take(weight, order, axis=1), starts, axis=1)
            product = np.add.reduceat(np.take(product, order, axis=1), starts, axis=1)
    return Units(weight, product, certain[0], certain[1])


def ratio(part: Floats, whole: Floats) -> Floats:
    """One by the other, and 0 where the other is not above 0."""
    found: Floats = np.divide(part, whole, out=np.zeros(whole.size), where=whole > 0)
    return found
