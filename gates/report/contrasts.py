"""What a comparison measured on all its queries, in the order and columns that people read."""

from __future__ import annotations

from dataclasses import replace

from gates.domain.comparison import Comparison
from gates.domain.judging import Measurement
from gates.report import text, wording

__all__ = ["COLUMNS", "cells", "likeness", "quality", "remarks"]

COLUMNS = ("Metric", "Old", "New", "Difference", "Interval", "n", "n eff.", "Tells from")


def quality(comparison: Comparison) -> tuple[Measurement, ...]:
    """Metrics with an old and a new value, the judged one first."""
    found = [m for m in comparison.measurements if not m.slice and "old" in m.extra]
    judged = f"{comparison.metric}.delta"
    return tuple(sorted(found, key=lambda m: m.metric != judged))


def likeness(comparison: Comparison) -> tuple[Measurement, ...]:
    """Everything else that was measured on all queries."""
    return tuple(m for m in comparison.measurements if not m.slice and "old" not in m.extra)


def cells(measurement: Measurement) -> tuple[str, ...]:
    """One metric in `COLUMNS`; empty where there is nothing to say."""
    extra = measurement.extra
    effective, mde = extra.get("n_eff"), extra.get("mde")
    return (
        text.clean(measurement.metric.removesuffix(".delta")),
        text.number(extra.get("old")),
        text.number(extra.get("new")),
        text.signed(measurement.value),
        text.interval(measurement),
        f"{measurement.n:,}",
        "" if effective is None else f"{effective:,.0f}",
        text.roughly(mde) if mde else "",
    )


def remarks(measurement: Measurement) -> tuple[str, ...]:
    """What the columns leave unsaid: queries that got better, queries it would take, and so on."""
    in_columns = ("old", "new", "n_eff", "mde")
    extra = {name: value for name, value in measurement.extra.items() if name not in in_columns}
    why = measurement.reason if measurement.value is None else ""
    return tuple(filter(None, (why, *wording.details(replace(measurement, extra=extra)))))
