"""Judgments that stand there twice, or whose documents stand in neither ranking."""

from __future__ import annotations

import numpy as np

from gates.comparison.files.rows import FileRows
from gates.comparison.measure import MeasuredQueries
from gates.domain.id_repairs import meeting
from gates.errors import RankingError
from gates.kernels.informative import UNMEASURED

__all__ = ["judgment_notes"]

_LOOKED_AT = 200  # queries whose lists are read again
_FEW = 0.05  # of the queries: below it, reading files again is not worth it


def judgment_notes(rows: FileRows, queries: MeasuredQueries) -> tuple[str, ...]:
    """What to know of judgments: those repeated, and those whose ids no ranking has.

    Raises:
        RankingError: Not one judged document stands in either ranking.
    """
    again = queries.per_query.repeated
    said = f"{again:,} judgments stand there twice, word for word, and count once"
    return (*((said,) if again else ()), *_unmet(rows, queries))


def _unmet(rows: FileRows, queries: MeasuredQueries) -> tuple[str, ...]:
    """What to know of judged documents whose ids are not those of the rankings.

    Raises:
        RankingError: Not one judged document stands in either ranking.
    """
    change = queries.change(queries.measures.judged)
    unread = np.flatnonzero((change.kind == UNMEASURED) & ~np.isnan(change.gain))
    none = not queries.per_query.met
    if not none and unread.size < _FEW * change.kind.size:
        return ()
    places = unread if unread.size else np.arange(change.kind.size)
    numbers = queries.population.index[places[:_LOOKED_AT]]
    lists = rows.lists(np.sort(numbers), graded=True)
    judged = [(str(q), doc) for q, one in lists.items() for doc in one.grades]
    ranked = [(str(q), doc) for q, one in lists.items() for doc in (*one.old, *one.new)]
    cause = meeting(judged, ranked)
    if not none:
        return (
            (f"judged documents stand in neither ranking: {cause.words}",) if cause.repair else ()
        )
    shown = [repr(ids[0][1]) if ids else "nothing" for ids in (judged, ranked)]
    raise RankingError(
        "not one judged document stands in either ranking",
        path=rows.aligned.judgments.source.path,
        advice=f"write document ids alike: {cause.words}"
        if cause.repair
        else "check that all files write document ids alike: "
        f"{shown[0]} is judged, {shown[1]} is ranked",
    )
