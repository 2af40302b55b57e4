"""`behaviour`: what the team expects of single queries, and what must not change an answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks._invariance import METRICS, invariances
from gates.checks._ranked import judged, rank
from gates.domain import Exhibit, Measurement
from gates.subject import Expectation, GoldenSet, Plan, Subject

__all__ = ["CHECK"]

_PLACES = ("must-be-first", "in-top", "never-in-top")
_HOLD = "share of expectations"


class Options(BaseModel):
    """Options of the invariances.

    Attributes:
        variants: How many variants of a query to draw for each invariance, at the most.
        resamples: Bootstrap resamples behind each interval.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    variants: int = Field(default=1, ge=1, le=20)
    resamples: int = Field(default=10_000, ge=1_000, le=1_000_000)


def _measure(subject: Subject, plan: Plan) -> Iterator[Measurement | Exhibit]:
    wanted = set(plan.metrics)
    if wanted & set(_PLACES):
        yield from _places(subject, wanted)
    if wanted - set(_PLACES):
        yield from invariances(subject, plan)


def _places(subject: Subject, wanted: set[str]) -> Iterator[Measurement | Exhibit]:
    golden = subject.golden
    expected = [one for one in golden.expectations if one.kind in _PLACES]
    if golden.manifest.task != "ranking" or not expected:
        for kind in _PLACES:
            if kind in wanted:
                reason = f"the golden set holds no '{kind}' expectation"
                yield Measurement(kind, None, 0, _HOLD, reason=reason)
        return
    coded = judged(golden)
    ranked = rank(golden, coded, subject.candidate.scores(golden.inputs()))
    place = {}
    for row, at in zip(ranked.row, np.arange(ranked.row.size), strict=True):
        query = int(golden.row_query[row])
        place[query, golden.row_doc[row]] = int(at - coded.starts[query]) + 1
    broken: list[list[str | int]] = []
    for kind in _PLACES:
        of_kind = [one for one in expected if one.kind == kind]
        held = [_holds(one, place.get((one.query, one.target))) for one in of_kind]
        n, reason = len(of_kind), ""
        if not n:
            reason = f"the golden set holds no '{kind}' expectation"
        share = sum(held) / n if n else None
        yield Measurement(kind, share, n, _HOLD, reason=reason)
        failed = [one for one, fine in zip(of_kind, held, strict=True) if not fine]
        broken += [_row(golden, one, place.get((one.query, one.target))) for one in failed]
    columns = ["query", "expected", "document", "stands at", "line of expectations.csv"]
    title = f"{len(broken)} of {len(expected)} expectations of single documents are broken"
    yield Exhibit("table", title, {"columns": columns, "rows": broken})


def _holds(expectation: Expectation, place: int | None) -> bool:
    in_top = place is not None and place <= expectation.k
    return in_top if expectation.kind != "never-in-top" else not in_top


def _row(golden: GoldenSet, one: Expectation, place: int | None) -> list[str | int]:
    words = one.kind if one.kind == "must-be-first" else f"{one.kind} {one.k}"
    at = "not in the list" if place is None else str(place)
    return [golden.query_text[one.query], words, one.target, at, one.line]


CHECK = Check(
    CheckSpec(
        name="behaviour",
        summary="expectations of single queries, and changes that must not matter",
        tasks=frozenset({"ranking", "classification"}),
        metrics=(
            MetricSpec("must-be-first", "documents that must be first, and are", _HOLD),
            MetricSpec("in-top", "documents that must be in the top k, and are", _HOLD),
            MetricSpec(
                "never-in-top", "documents that must not be in the top k, and are not", _HOLD
            ),
            *METRICS,
        ),
        options=Options,
    ),
    _measure,
)
