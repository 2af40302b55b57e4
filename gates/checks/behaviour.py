"""`behaviour`: what the team expects of single queries, and what must not change an answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict

from gates.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks._ranked import judged, rank
from gates.domain import Exhibit, Measurement
from gates.kernels.intervals import clopper_pearson
from gates.subject import Expectation, GoldenSet, Plan, Subject

__all__ = ["CHECK"]

_PLACES = ("must-be-first", "in-top", "never-in-top")
_INVARIANCES = {
    "case": "other letter case",
    "whitespace": "stray white space",
    "typo": "one typing mistake in a word of four letters or more",
}
_HOLD = "share of expectations"
_FLIP = "share of changed queries"


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _measure(subject: Subject, plan: Plan) -> Iterator[Measurement | Exhibit]:
    wanted = set(plan.metrics)
    if wanted & set(_PLACES):
        yield from _places(subject, wanted)
    if any(metric.startswith("invariance.") for metric in wanted):
        yield from _invariances(subject, wanted)


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


def _invariances(subject: Subject, wanted: set[str]) -> Iterator[Measurement | Exhibit]:
    # Hypothesis costs a third of a second to import; cards without invariances do not pay it.
    from gates.checks._perturb import draw

    golden = subject.golden
    if golden.manifest.task != "classification":
        for kind in _INVARIANCES:
            reason = "this model is given features, not the query's text"
            yield Measurement(f"invariance.{kind}", None, 0, _FLIP, reason=reason)
        return
    texts = golden.query_text
    labels, scores = subject.candidate.labels({"query": texts})
    flips: list[list[str | float]] = []
    total = 0
    for kind in _INVARIANCES:
        metric = f"invariance.{kind}"
        if metric not in wanted:
            continue
        variants = draw(kind, texts, seed_value=subject.seed)
        n, total = len(variants), total + len(variants)
        if not n:
            reason = "no golden query has such a variant"
            yield Measurement(metric, None, 0, _FLIP, reason=reason)
            continue
        changed, new_scores = subject.candidate.labels({"query": tuple(v for _, v in variants)})
        flipped: list[list[str | float]] = [
            [kind, texts[at], variant, labels[at], label, round(float(scores[at] - score), 4)]
            for (at, variant), label, score in zip(variants, changed, new_scores, strict=True)
            if label != labels[at]
        ]
        lower, upper = clopper_pearson(len(flipped), n)
        # The variants of case and white space stand for themselves; a typo is one of many.
        interval = (lower, upper) if kind == "typo" else (None, None)
        yield Measurement(metric, len(flipped) / n, n, _FLIP, *interval)
        flips += flipped
    columns = ["change", "query", "typed as", "label", "label then", "score lost"]
    title = f"{len(flips)} of {total} changed queries get another label"
    yield Exhibit("table", title, {"columns": columns, "rows": flips})


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
            *(
                MetricSpec(f"invariance.{kind}", f"queries whose label changes with {words}", _FLIP)
                for kind, words in _INVARIANCES.items()
            ),
        ),
        options=Options,
    ),
    _measure,
)
