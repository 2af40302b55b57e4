"""How one binary's vectors differ under two locks: how far they moved, and whose neighbours did."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from gates.comparison.answers import Tolerance
from gates.domain.exhibits import Table
from gates.domain.subject import GoldenSet
from gates.kernels import vectors as kernel
from gates.kernels.packed import Bools, Floats

__all__ = ["VectorDifference", "compare_vectors"]

_EXAMPLES = 10


@dataclass(frozen=True, slots=True, eq=False)
class VectorDifference:
    """How two runs' vectors of the same texts differ.

    Attributes:
        apart: float64[Q], the length of each vector's difference; infinite where the number of
            dimensions is another.
        moved: bool[Q], whose vector moved beyond the tolerance.
        turned: bool[Q], whose neighbours are others; None where all texts are neighbours.
    """

    apart: Floats
    moved: Bools
    turned: Bools | None

    @property
    def any(self) -> bool:
        """Whether the runs differ at all."""
        return bool(self.moved.any() or (self.turned is not None and self.turned.any()))

    @property
    def words(self) -> str:
        """What changed, such as `3 of 480 vectors`."""
        return f"{int(self.moved.sum()):,} of {self.moved.size:,} vectors"

    def first(self, golden: GoldenSet) -> Table:
        """The texts whose vectors moved furthest, as a table."""
        furthest = np.argsort(-self.apart, kind="stable")[:_EXAMPLES].tolist()
        rows = [
            [
                golden.query_text[at],
                float(f"{self.apart[at]:.3g}") if np.isfinite(self.apart[at]) else None,
                "yes" if self.turned is not None and self.turned[at] else "no",
            ]
            for at in furthest
            if self.apart[at] > 0
        ]
        columns = ["text", "moved by", "other neighbours"]
        title = f"The new lock moves {self.words}; those that moved furthest"
        return Table(title, columns, rows)


def compare_vectors(old: Floats, new: Floats, tolerance: Tolerance, k: int) -> VectorDifference:
    """How two runs on the same texts differ.

    A vector is the same when the length of the difference is at most `absolute` plus `relative`
    times the old vector's length: single numbers near zero may move by more of their own size.

    Args:
        old: float64[Q, D].
        new: float64[Q, D'].
        tolerance: How far a vector may move.
        k: How many nearest texts are neighbours.
    """
    apart, moved = np.full(len(old), np.inf), np.ones(len(old), np.bool_)
    if old.shape == new.shape:
        # At a size of 1, so that no difference is too large for a number.
        size = float(max(np.abs(old).max(initial=0.0), np.abs(new).max(initial=0.0))) or 1.0
        relative = kernel.norms(new / size - old / size)
        allowed = tolerance.absolute / size + tolerance.relative * kernel.norms(old / size)
        moved = relative > allowed
        apart = np.minimum(relative, sys.float_info.max / size) * size
    turned = None
    if not apart.any():
        turned = np.zeros(len(old), np.bool_)
    elif len(old) - 1 > k:
        turned = kernel.changed(kernel.nearest(old, old, k), kernel.nearest(new, new, k))
    return VectorDifference(apart, moved, turned)
