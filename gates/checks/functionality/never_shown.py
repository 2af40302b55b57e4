"""Documents that must not stand high for any query: where they stand in the candidate's lists."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import numpy as np

from gates.checks._ranked import judged, rank
from gates.checks._waived import share_without
from gates.domain.exhibits import LineColumn, Table
from gates.domain.judging import Measurement
from gates.domain.subject import Subject

__all__ = ["NEVER", "UNIT", "never_shown"]

NEVER, UNIT = "must-never-show", "share of (query, listed document) pairs"
_SHOWN = 200


def never_shown(
    subject: Subject, waived: AbstractSet[str] = frozenset()
) -> Iterator[Measurement | Table]:
    """The share of the pairs of a query and a listed candidate of it that stand below their depth.

    Args:
        subject: The candidate and a ranking golden set.
        waived: Queries, by id, whose pairs the card excuses for a while.

    Raises:
        ModelFault: The candidate could not answer.
    """
    golden = subject.golden
    listed = {one.document: one for one in golden.never_shown}
    if not listed:
        reason = "the golden set lists no document that must never show (never-show.csv)"
        yield Measurement(NEVER, None, 0, UNIT, reason=reason)
        return
    found = listed.keys() & set(golden.row_doc)
    if not found:
        reason = f"none of the {len(listed)} listed documents is a candidate of any query"
        yield Measurement(NEVER, None, 0, UNIT, reason=reason)
        return
    coded = judged(golden)
    ranked = rank(coded, subject.candidate.scores(golden.inputs()))
    place = np.empty(len(golden.row_doc), np.int64)
    place[ranked.row] = np.arange(len(place)) - coded.starts[golden.row_query[ranked.row]] + 1
    rows = [at for at, document in enumerate(golden.row_doc) if document in listed]
    stands_low = {at: bool(place[at] > listed[golden.row_doc[at]].k) for at in rows}
    bad = [at for at in rows if not stands_low[at]]
    lost = len(listed) - len(found)
    reason = f"{lost} of the {len(listed)} listed documents are no query's candidate" * bool(lost)
    of_query = [(golden.query_id[golden.row_query[at]], stands_low[at]) for at in rows]
    excused = share_without(waived, of_query)
    share = 1 - len(bad) / len(rows)
    yield Measurement(NEVER, share, len(rows), UNIT, reason=reason, excused=excused)
    columns = ["query", "document", "title", "stands at", "not in top", "line of never-show.csv"]
    cells = [
        [
            golden.query_text[golden.row_query[at]],
            golden.row_doc[at],
            golden.row_title[at],
            int(place[at]),
            listed[golden.row_doc[at]].k,
            listed[golden.row_doc[at]].line,
        ]
        for at in sorted(bad, key=lambda at: int(place[at]))[:_SHOWN]
    ]
    title = f"{len(bad)} of {len(rows)} times a document stands where it must never show"
    yield Table(title, columns, cells, lines=LineColumn("never-show.csv", 5))
