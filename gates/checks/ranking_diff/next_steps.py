"""Where to look next: documents worth judging, and slices that lost most."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gates.checks.ranking_diff.pair import RankingPair
from gates.comparison.measuring import PairedMetric, places, to_judge
from gates.domain.judging import Exhibit
from gates.domain.subject import GoldenSet
from gates.kernels.discovery import code, worst_slices
from gates.kernels.traits import traits

__all__ = ["judge_next", "worst_places"]

_DOCUMENTS = 50


def judge_next(pair: RankingPair, k: int) -> Iterator[Exhibit]:
    """The unjudged documents in either top k that could move the mean most; none when all are.

    Args:
        pair: Both versions' lists.
        k: How deep the judged metric looks.
    """
    golden, found = pair.golden, pair.unjudged(k)
    weight = golden.design_weight
    power = weight[found.query] * found.swing / weight.sum()
    rows: list[list[object]] = []
    for at in np.argsort(-power, kind="stable")[:_DOCUMENTS]:
        if not power[at] > 0:
            break
        query, old, new = int(found.query[at]), int(found.old_row[at]), int(found.new_row[at])
        row = int(pair.new.row[new] if new >= 0 else pair.old.row[old])
        first = int(pair.coded.starts[query])
        rows.append(
            [
                golden.query_text[query],
                golden.row_doc[row],
                golden.row_title[row],
                old - first + 1 if old >= 0 else None,
                new - first + 1 if new >= 0 else None,
                round(float(power[at]), 6),
            ]
        )
    if rows:
        yield to_judge(rows)


def worst_places(golden: GoldenSet, change: PairedMetric) -> Iterator[Exhibit]:
    """Slices, found by search, in which the candidate is worse than elsewhere; none when all hold.

    Args:
        golden: The golden set, whose slice columns are searched beside what its queries show.
        change: The judged metric.
    """
    brands = {one for one in golden.slices.get("brand", ()) if one}
    columns = {**traits(golden.query_text, golden.weight, brands), **golden.slices}
    found = worst_slices(code(columns), change.new - change.old, golden.design_weight)
    if found:
        yield places(found)
