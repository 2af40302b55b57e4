"""The page of `gates diff`: one HTML file, drawn from a comparison alone."""

from __future__ import annotations

from collections.abc import Sequence

from gates.comparison import Comparison
from gates.domain import Measurement
from gates.evidence import CheckRecord
from gates.report import pictures, summary, wording
from gates.report.bounds import Row, forests, row_of
from gates.report.exhibits import ranking_difference
from gates.report.queries import Lists, fitted
from gates.report.templating import page

__all__ = ["render"]


def render(comparison: Comparison) -> str:
    """The comparison as a self-contained HTML page.

    Args:
        comparison: What was compared; everything in it is treated as untrusted text.

    Raises:
        EvidenceError: An exhibit in it does not hold what its kind promises.
    """
    differences = [
        ranking_difference("diff", one) for one in comparison.exhibits if one.kind == "ranking-diff"
    ]
    return fitted(differences, lambda lists: _page(comparison, lists))


def _page(comparison: Comparison, lists: Sequence[Lists]) -> str:
    whole = [one for one in comparison.measurements if not one.slice]
    differences = [one for one in whole if one.metric.endswith((".delta", ".p-better"))]
    record = CheckRecord("diff", comparison.measurements)
    return page(
        "comparison.html.j2",
        comparison=comparison,
        verdict=comparison.verdict,
        headline=summary.comparison_headline(comparison),
        reasons=[one.text for one in wording.reasons(comparison)],
        differences=_rows(comparison, differences),
        likeness=_rows(comparison, [one for one in whole if one not in differences]),
        forests=forests(comparison.judgements, [record]),
        tables=[one for one in comparison.exhibits if one.kind == "table"],
        lists=lists,
    )


def _rows(comparison: Comparison, measured: Sequence[Measurement]) -> list[Row]:
    judged = {one.bound.metric: one for one in comparison.judgements if not one.bound.slice}
    bounds = {metric: one.bound for metric, one in judged.items()}
    scale = pictures.scale_of((one, bounds.get(one.metric)) for one in measured)
    return [row_of(one, judged.get(one.metric), scale) for one in measured]
