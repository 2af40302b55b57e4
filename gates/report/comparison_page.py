"""Two rankings compared, as one HTML file that asks nothing of any server."""

from __future__ import annotations

from collections.abc import Sequence

from gates.domain.comparison import Comparison
from gates.domain.exhibits import Table
from gates.evidence.evidence import CheckRecord
from gates.report import contrasts, pictures, summary, wording
from gates.report.bounds import forests, row_of
from gates.report.differences import shown_differences
from gates.report.queries import RenderedQueries, fitted
from gates.report.templating import page

__all__ = ["render"]


def render(comparison: Comparison) -> str:
    """A comparison as a self-contained HTML page.

    Args:
        comparison: The record; everything in it is treated as untrusted text.

    Returns:
        The page, under the same budget as the report of a run.
    """
    differences = tuple(shown_differences(comparison.exhibits))
    return fitted(differences, lambda lists: _page(comparison, lists))


def _page(comparison: Comparison, lists: Sequence[RenderedQueries]) -> str:
    judged = summary.reading_order(comparison.judgements)
    checks = dict.fromkeys(one.bound.check for one in judged)
    return page(
        "comparison.html.j2",
        comparison=comparison,
        verdict=comparison.verdict,
        headline=summary.comparison_headline(comparison),
        reasons=[one.text for one in wording.reasons(comparison)],
        rows=[
            row_of(one.measurement, one, pictures.scale_of([(one.measurement, one.bound)]))
            for one in judged
            if not one.bound.slice
        ],
        quality=contrasts.quality(comparison),
        likeness=contrasts.likeness(comparison),
        columns=contrasts.COLUMNS,
        cells=contrasts.cells,
        remarks=contrasts.remarks,
        forests=forests(judged, [CheckRecord(name, comparison.measurements) for name in checks]),
        tables=[one for one in comparison.exhibits if isinstance(one, Table)],
        lists=lists,
    )
