"""The exhibit of a ranking difference: every query with its old and new list, worst first.

What reports draw from (`kind="ranking-diff"`); keys in brackets may be absent:

    metric, k, severe       whose differences, how long the lists are, when a loss is severe
    titles                  document → what people call it
    queries                 worst difference first, those without one last; each:
        id, text, weight, slices, old, new, delta, overlap, rbo, top1_changed
        old_list            [document, grade or null] from rank 1
        new_list            [document, grade or null, rank in the whole old list or null]
        [spread]            document → grades by annotator, of the documents shown
        [why]               [{doc, from, to, dcg, features: [[name, old, new, difference]]}]:
                            ranks before and after (null: not ranked), what the move did to DCG,
                            and the features that differ, numbers or null
    [why]                   {note, reason}: how to read the whys, or why there are none
    [counts]                {queries, wins, ties, losses, severe, undefined}, when `queries` holds
                            only the worst and the best of a large comparison
    [deltas]                with `counts`: a sorted sample of all differences, at most 600
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gates.checks._ranked import GradedCandidates, Ranked
from gates.checks.ranking_diff.annotators import annotator_grades
from gates.domain.judging import Exhibit
from gates.domain.subject import GoldenSet
from gates.kernels.packed import Bools, Floats

__all__ = ["side_by_side"]


def side_by_side(
    golden: GoldenSet,
    coded: GradedCandidates,
    arms: tuple[Ranked, Ranked],
    *,
    metric: str,
    k: int,
    severe: float,
    values: tuple[Floats, Floats],
    likeness: tuple[Floats, Floats, Bools],
) -> Exhibit:
    """Old and new top k of every query, worst difference first, queries without one last.

    Args:
        golden: The golden set.
        coded: Its documents as integers.
        arms: Old and new lists.
        metric: The metric of `values`.
        k: How many documents of each list to show.
        severe: The difference from which a loss is severe; negative.
        values: The metric of the old and the new lists, each float64[Q].
        likeness: overlap, RBO and top-1-changed, each [Q].
    """
    old, new = arms
    before, after = values
    overlap, rbo, changed = likeness
    delta = after - before
    titles: dict[str, str] = {}
    queries: list[dict[str, Any]] = []
    spread_of = annotator_grades(golden)
    for q in np.lexsort((np.arange(delta.size), delta)):
        start, end = int(coded.starts[q]), int(coded.starts[q + 1])
        old_place = {int(row): place + 1 for place, row in enumerate(old.row[start:end])}
        shown = slice(start, min(start + k, end))
        own = {golden.row_doc[row]: golden.row_title[row] for row in old.row[shown]}
        own |= {golden.row_doc[row]: golden.row_title[row] for row in new.row[shown]}
        titles |= own
        queries.append(
            {
                "id": golden.query_id[q],
                "text": golden.query_text[q],
                "weight": float(golden.weight[q]),
                "slices": {column: column_of[q] for column, column_of in golden.slices.items()},
                "old": _number(before[q]),
                "new": _number(after[q]),
                "delta": _number(delta[q]),
                "overlap": _number(overlap[q]),
                "rbo": _number(rbo[q]),
                "top1_changed": bool(changed[q]),
                "old_list": [
                    [golden.row_doc[row], _number(grade)]
                    for row, grade in zip(old.row[shown], old.grades[shown], strict=True)
                ],
                "new_list": [
                    [golden.row_doc[row], _number(grade), old_place[int(row)]]
                    for row, grade in zip(new.row[shown], new.grades[shown], strict=True)
                ],
            }
        )
        if spread := spread_of(int(q), own):
            queries[-1]["spread"] = spread
    data = {"metric": metric, "k": k, "severe": severe, "queries": queries, "titles": titles}
    return Exhibit("ranking-diff", "Old and new result lists, worst difference first", data)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)
