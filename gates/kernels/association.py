"""Which way one number goes with another."""

from __future__ import annotations

import numpy as np

from gates.kernels.packed import Floats

__all__ = ["spearman"]


def spearman(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN where either does not vary.

    Args:
        x: float64[n], finite.
        y: float64[n], finite.
    """
    if x.size < 2:
        return float("nan")
    a, b = (_ranks(one) - (x.size + 1) / 2 for one in (x, y))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip((a @ b) / size, -1.0, 1.0)) if size > 0 else float("nan")


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, code, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(count) - (count - 1) / 2)[code]
    return ranks
