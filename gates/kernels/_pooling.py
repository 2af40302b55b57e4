"""Slices of one column share what is known of how much differences scatter.

Twenty queries tell little of their own scatter. What a slice showed is drawn toward that of all
slices, by as much as chance alone would part them: moment estimates of a normal hierarchy, as
James and Stein's shrinkage has them, for variances instead of means.

Source: Efron and Morris, "Data analysis using Stein's estimator and its generalizations", JASA 70
(1975).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gates.kernels.packed import Floats

_FEWEST = 3  # slices, from which on their scatter tells how much slices differ


def pooled(values: Sequence[Floats], weight: Floats) -> list[Floats]:
    """The values of each slice, stretched around its mean to the scatter it is taken to have.

    Args:
        values: float64[n] a slice, NaN where a row is outside it.
        weight: float64[n], what each row stands for.
    """
    found = list(values)
    parts = [_moments(one, weight) for one in values]
    # A slice whose queries all differ alike has no scatter to stretch.
    known = [at for at, (n_eff, _, square, _) in enumerate(parts) if n_eff > 1 and square > 0]
    if len(known) < _FEWEST:
        return found
    columns = zip(*(parts[at] for at in known), strict=True)
    n, mean, square, fourth = (np.array(one) for one in columns)
    share = n / n.sum()
    common = float(share @ square)
    chance = np.maximum(float(share @ fourth) - common * common, 0.0) / n
    apart = float(share @ (square - common) ** 2) - float(chance.mean()) * (1 - 1 / len(known))
    trust = max(apart, 0.0) / (chance + max(apart, 0.0)) if apart > 0 else np.zeros(n.size)
    taken = trust * square + (1 - trust) * common
    for at, centre, stretch in zip(known, mean, np.sqrt(taken / square), strict=True):
        found[at] = centre + (values[at] - centre) * stretch
    return found


def _moments(values: Floats, weight: Floats) -> tuple[float, float, float, float]:
    """Effective rows, mean, variance and fourth central moment."""
    there = ~np.isnan(values) & (weight > 0)
    if not there.any():
        return 0.0, 0.0, 0.0, 0.0
    w, v = weight[there], values[there]
    n_eff = float(w.sum() ** 2 / (w * w).sum())
    mean = float(np.average(v, weights=w))
    square, fourth = (float(np.average((v - mean) ** power, weights=w)) for power in (2, 4))
    return n_eff, mean, square * n_eff / max(n_eff - 1, 1.0), fourth
