"""Measurements as rows of a table with their pictures, and metrics by slice on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gates.domain.judging import Bound, Judgement, Measurement
from gates.evidence.evidence import CheckRecord
from gates.report import pictures

__all__ = ["BoundRow", "ForestPlot", "forests", "row_of"]


@dataclass(frozen=True, slots=True)
class BoundRow:
    """One measurement with its picture, judged or not."""

    measurement: Measurement | None
    judgement: Judgement | None
    picture: Markup

    @property
    def bound(self) -> Bound | None:
        """What is demanded of it; None when nothing is."""
        return self.judgement.bound if self.judgement else None


@dataclass(frozen=True, slots=True)
class ForestPlot:
    """One metric by slice, the whole golden set first, on one scale."""

    check: str
    fault: str
    metric: str
    unit: str
    rows: tuple[BoundRow, ...]
    axis: Markup


def row_of(
    measurement: Measurement | None, judgement: Judgement | None, scale: pictures.Scale
) -> BoundRow:
    """A row with its picture on a scale."""
    bound, outcome = (judgement.bound, judgement.outcome) if judgement else (None, None)
    return BoundRow(
        measurement, judgement, pictures.interval_picture(measurement, bound, outcome, scale)
    )


def forests(judgements: Sequence[Judgement], records: Sequence[CheckRecord]) -> list[ForestPlot]:
    """Every metric that is judged by slice.

    Args:
        records: What the checks measured.
    """
    keys = dict.fromkeys((j.bound.check, j.bound.metric) for j in judgements if j.bound.slice)
    return [_forest(judgements, records, check, metric) for check, metric in keys]


def _forest(
    judgements: Sequence[Judgement], records: Sequence[CheckRecord], check: str, metric: str
) -> ForestPlot:
    judged = [j for j in judgements if (j.bound.check, j.bound.metric) == (check, metric)]
    asked = {j.bound.slice for j in judged}
    measured = [
        m
        for record in records
        if record.check == check
        for m in record.measurements
        if m.metric == metric and m.slice not in asked
    ]
    pairs: list[tuple[str, Measurement | None, Judgement | None]] = [
        *((j.bound.slice, j.measurement, j) for j in judged),
        *((m.slice, m, None) for m in measured),
    ]
    columns = list(dict.fromkeys(name.partition("=")[0] for name, _, _ in pairs))
    pairs.sort(key=lambda pair: (pair[0] != "", columns.index(pair[0].partition("=")[0])))
    scale = pictures.scale_of((m, j.bound if j else None) for _, m, j in pairs)
    units = [m.unit for _, m, _ in pairs if m]
    rows = tuple(row_of(m, j, scale) for _, m, j in pairs)
    faults = [record.fault for record in records if record.check == check]
    return ForestPlot(
        check, "".join(faults), metric, units[0] if units else "", rows, pictures.axis(scale)
    )
