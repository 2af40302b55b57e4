"""Weighted counts of pairs of labels: a confusion matrix, or what changed into what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.kernels.packed import Floats, Ints

__all__ = ["Cells", "cells"]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of the matrix that hold something, the heaviest first.

    Attributes:
        first: int64[C], the label before (or expected).
        second: int64[C], the label after (or given).
        count: int64[C], rows.
        share: float64[C], of all weight; adds up to 1.
        cell: int64[n], the place of each row's cell in the others.
    """

    first: Ints
    second: Ints
    count: Ints
    share: Floats
    cell: Ints


def cells(first: Ints, second: Ints, weight: Floats) -> Cells:
    """Add up rows by their two labels; of equally heavy cells the lower labels come first.

    Args:
        first: int64[n] from 0 on.
        second: int64[n] likewise.
        weight: float64[n] > 0, at least one.
    """
    labels = int(max(first.max(), second.max())) + 1
    key, place = np.unique(first * labels + second, return_inverse=True)
    count, mass = np.bincount(place), np.bincount(place, weight)
    order = np.argsort(-mass, kind="stable")
    position = np.empty(order.size, np.int64)
    position[order] = np.arange(order.size)
    return Cells(
        key[order] // labels,
        key[order] % labels,
        count[order].astype(np.int64),
        mass[order] / mass.sum(),
        position[place],
    )
