"""Writing a version's answers into `expectations.csv`, so that the next version is held to them.

What a person wrote stays as it is, to the byte; so does the order of the rows. A review then sees
what changed and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from pathlib import Path

from gates.domain.golden_set import GoldenSet
from gates.errors import GoldenError
from gates.golden.expectations import JUDGED, RECORDED
from gates.golden.files import read_text
from gates.golden.sheet import Sheet, difference, read_sheet

__all__ = ["COLUMNS", "Disagreement", "Recording", "record"]

COLUMNS = {
    **dict.fromkeys(("query_id", "expect", "target", "low", "high"), ""),
    "source": JUDGED,
}
"""The columns of expectations that are written, and what rows from before get in them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A version's label for one query, and the label's score."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A query whose judged label is not what the version answered.

    Attributes:
        query_id: The query's id.
        query: What the shopper typed.
        judged: The label a person expects.
        answered: The version's label.
        score: The label's score.
        line: The expectation's line in the file as it was.
    """

    query_id: str
    query: str
    judged: str
    answered: str
    score: float
    line: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What recording makes of an `expectations.csv`; nothing is written yet.

    Attributes:
        before: Its text as it is; empty when there is none.
        after: Its text as it would be.
        added: Queries that had no expectation.
        changed: Recorded expectations with another label or range.
        same: Recorded expectations that stay.
        judged: Expectations a person wrote, all of which stay.
        disagreements: Those of them that the version does not meet in its label.
    """

    path: Path
    before: str
    after: str
    added: int
    changed: int
    same: int
    judged: int
    disagreements: tuple[Disagreement, ...]

    @property
    def diff(self) -> str:
        """Before and after as a unified diff; empty when nothing changes."""
        return difference(self.path, self.before, self.after)


def record(
    golden: GoldenSet,
    labels: Sequence[str],
    scores: Sequence[float],
    *,
    tolerance: float,
    only_new: bool = False,
) -> Recording:
    """What a version's answers make of a classification set's `expectations.csv`.

    A query without an expectation gets one: the label, and the score with the tolerance around it.
    One recorded before is brought up to date; one a person wrote is never touched. New rows go
    where their query stands in `queries.csv`, or to the end when the file has an order of its own.

    Args:
        labels: Q labels, one for each query.
        scores: Q scores.
        tolerance: How far a score may be from the one recorded, above 0. Bounds are rounded
            outwards to a tenth of it or finer, and stay within [0, 1] where the score does.
        only_new: Whether what was recorded before stays as it is.

    Returns:
        The recording; nothing is written.

    Raises:
        GoldenError: The file has line ends that cannot be kept, or the version gave a blank label.
    """
    path = golden.path / "expectations.csv"
    before = read_text(path) if path.exists() else ""
    sheet = read_sheet(path, before, len(golden.expectations), tuple(COLUMNS))
    given = [Answer(label, score) for label, score in zip(labels, scores, strict=True)]
    _require_labels(golden, given)
    wanted = {
        at: (answer.label, *_range(answer.score, tolerance)) for at, answer in enumerate(given)
    }
    held = {one.query for one in golden.expectations}
    added = [at for at in range(len(given)) if at not in held]
    is_recorded = [sheet.cell(row, "source") == RECORDED for row in range(len(sheet.rows))]
    changed = [
        row
        for row, one in enumerate(golden.expectations)
        if is_recorded[row] and not only_new and _told(sheet, row) != wanted[one.query]
    ]
    if added or changed:
        sheet.widen(COLUMNS)
    for row in changed:
        cells = dict(zip(sheet.names, sheet.rows[row], strict=True))
        cells |= zip(("target", "low", "high"), wanted[golden.expectations[row].query], strict=True)
        sheet.raw[row] = sheet.row(cells)
    lines = _merged(sheet, golden, {at: wanted[at] for at in added})
    disagreements = tuple(
        Disagreement(
            golden.query_id[one.query],
            golden.query_text[one.query],
            one.target,
            given[one.query].label,
            given[one.query].score,
            one.line,
        )
        for row, one in enumerate(golden.expectations)
        if not is_recorded[row] and one.target != given[one.query].label
    )
    return Recording(
        path,
        before,
        sheet.text(lines) if added or changed else before,
        len(added),
        len(changed),
        sum(is_recorded) - len(changed),
        len(is_recorded) - sum(is_recorded),
        disagreements,
    )


def _require_labels(golden: GoldenSet, given: Sequence[Answer]) -> None:
    blank = [at for at, one in enumerate(given) if not one.label.strip()]
    if blank:
        raise GoldenError(
            f"the version answers {len(blank)} queries with a blank label, which nothing can be "
            f"held to; the first is '{golden.query_text[blank[0]]}'",
            path=golden.path,
            advice="Record from a version that labels every query.",
        )


def _range(score: float, tolerance: float) -> tuple[str, str]:
    digits = max(2, 1 - floor(log10(tolerance)))
    step = 10.0**digits
    # Rounded first: 0.85 - 0.05 is a hair below 0.8, and would be written as 0.799.
    low = floor(round((score - tolerance) * step, 6)) / step
    high = ceil(round((score + tolerance) * step, 6)) / step
    if 0 <= score <= 1:
        low, high = max(low, 0.0), min(high, 1.0)
    return f"{low:.{digits}f}", f"{high:.{digits}f}"


def _told(sheet: Sheet, row: int) -> tuple[str, str, str]:
    return sheet.cell(row, "target"), sheet.cell(row, "low"), sheet.cell(row, "high")


def _merged(sheet: Sheet, golden: GoldenSet, added: dict[int, tuple[str, str, str]]) -> list[str]:
    rows = [(one.query, line) for one, line in zip(golden.expectations, sheet.raw, strict=True)]
    is_sorted = all(a[0] <= b[0] for a, b in pairwise(rows))
    for at, (label, low, high) in added.items():
        cells = {"query_id": golden.query_id[at], "expect": "label", "target": label}
        cells |= {"low": low, "high": high, "source": RECORDED}
        rows.append((at, sheet.row(cells)))
    return [line for _, line in (sorted(rows, key=lambda row: row[0]) if is_sorted else rows)]
