"""A difference as a share of what the old ranking is worth, for metrics with a low baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gates.comparison.differences import differences
from gates.comparison.measuring import Sample
from gates.comparison.paired import PairedMetric
from gates.comparison.slices import Slice
from gates.domain.judging import Measurement
from gates.kernels.informative import UNMEASURED
from gates.kernels.packed import Bools, Floats

__all__ = ["relative_change"]

_CELLS, _ROUNDS = 8, 4  # which tell an end to a 4,096th of where it is looked for
_MOST = 16.0  # times as much as before

Ends = Callable[[Floats], tuple[Floats, Floats]]


def relative_change(sample: Sample, change: PairedMetric, cut: Slice) -> Measurement:
    """By what share of its old mean a metric has changed: -0.02 is 2 % less.

    The new mean is at least r times the old one where the mean of `new - r old` is at least 0. That
    is bounded like any difference, so the interval allows for chance in both means.

    Args:
        sample: The queries.
        change: The metric.
        cut: The slice.
    """
    (absolute,) = differences(sample, [change], [cut])
    name = f"{change.metric}.change"
    unit = "relative change"
    old = absolute.extra.get("old")
    if absolute.value is None or absolute.cause is not None:
        return replace(absolute, metric=name, unit=unit)
    if not old or old <= 0:
        reason = f"the old {change.metric} is 0: nothing is a share of it"
        return Measurement(name, None, absolute.n, unit, slice=cut[0], reason=reason)
    ends = _bounds_of(sample, change, cut[1])
    ratio = 1 + absolute.value / old
    lower, _ = _last(lambda r: ends(r)[0] - change.noise >= 0, 0.0, ratio)
    upper = _upper(lambda r: ends(r)[1] + change.noise > 0, ratio)
    return replace(
        absolute,
        metric=name,
        unit=unit,
        value=ratio - 1,
        lower=lower - 1,
        upper=upper - 1,
        pessimistic=_share(absolute.pessimistic, old),
        optimistic=_share(absolute.optimistic, old),
        random_order=_share(absolute.random_order, old),
        extra={one: absolute.extra.get(one) for one in ("old", "new", "n_eff", "left_out")},
    )


def _bounds_of(sample: Sample, change: PairedMetric, rows: Bools) -> Ends:
    """Bounds of the mean of `new - r old` for each r, with queries nobody measured or without."""
    unread = change.kind == UNMEASURED
    least, most = change.ends

    def ends(ratios: Floats) -> tuple[Floats, Floats]:
        columns, open_ = [], []
        for r in ratios.tolist():
            rest = (1 - r) * change.old
            for keep in (True, False) if unread[rows].any() else (True,):
                gone = 0.0 if keep else np.where(unread, np.nan, 0.0)
                columns.append(change.new - r * change.old + gone)
                open_.append((least + rest + gone, most + rest + gone))
        plausible = (-sample.severe, sample.severe)
        found = sample.bounds(columns, rows, plausible, open_ if change.unjudged else None)
        shape = (len(ratios), -1)
        # Where nothing is left without them, they are all there is.
        lower = np.array([one.lower if one.n else np.inf for one in found]).reshape(shape)
        upper = np.array([one.upper if one.n else -np.inf for one in found]).reshape(shape)
        return lower.min(axis=1), upper.max(axis=1)

    return ends


def _upper(open_: Callable[[Floats], Bools], ratio: float) -> float:
    """The ratio above which none is possible; infinite where it is out of reach."""
    while ratio < _MOST:
        _, high = _last(open_, ratio, 2 * ratio)
        if not open_(np.array([high]))[0]:
            return high
        ratio = high
    return float("inf")


def _last(holds: Callable[[Floats], Bools], low: float, high: float) -> tuple[float, float]:
    """The last point from `low` up to which something holds, and the next one that was tried."""
    for _ in range(_ROUNDS):
        points = np.linspace(low, high, _CELLS + 1)[1:]
        held = int(np.logical_and.accumulate(holds(points)).sum())
        low, high = (points[held - 1] if held else low), points[min(held, _CELLS - 1)]
    return float(low), float(high)


def _share(mean: float | None, old: float) -> float | None:
    return None if mean is None else mean / old
