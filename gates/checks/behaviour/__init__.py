"""`behaviour`: what single queries must give, and what must and must not change an answer.

edits.py                        a query and the single edits that make another of it
invariance.py, perturb.py       what must not change an answer; the changes are in
                                typos.py, spellings.py and wordings.py
sensitivity.py, products.py     what must change it: another product, another brand (brands.py)
shrink.py                       counterexamples made small
options.py                      what a card may set
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check, Found
from gates.checks._answers_by_text import TextAnswers
from gates.checks._ranked import judged, rank
from gates.checks._replay import (
    champion_answers,
    replayed,
    replayed_spec,
    texts_of,
    verdicts,
)
from gates.checks._waived import share_without
from gates.checks.behaviour import invariance, sensitivity
from gates.checks.behaviour.options import BehaviourOptions
from gates.checks.behaviour.perturb import SYNONYMS, variants
from gates.domain.counterexamples import Counterexample
from gates.domain.exhibits import LineColumn, Table
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, Expectation, GoldenSet, Subject
from gates.domain.tasks import AnswerForm

__all__ = ["CHECK"]

_PLACES = ("must-be-first", "in-top", "never-in-top")
_HOLD = "share of expectations"
_MUST_NOT_MATTER = {one.name for one in invariance.METRICS}


def _measure(subject: Subject, plan: CheckPlan[BehaviourOptions]) -> Iterator[Found]:
    wanted = set(plan.metrics)
    if wanted & set(_PLACES):
        yield from _places(subject, plan)
    if wanted - set(_PLACES):
        yield from _retyped(subject, plan)


def _retyped(subject: Subject, plan: CheckPlan[BehaviourOptions]) -> Iterator[Found]:
    """Queries typed otherwise, all of them asked in one call for each 20,000."""
    golden = subject.golden
    if golden.manifest.task.answers is not AnswerForm.LABELS:
        reason = "this model is given features, not the query's text"
        for one in (*invariance.METRICS, *sensitivity.METRICS):
            if one.name in plan.metrics:
                yield Measurement(one.name, None, 0, one.unit, reason=reason)
        return
    same = invariance.draw_invariances(subject, plan)
    other = sensitivity.draw_sensitivities(subject, plan)
    asked = TextAnswers(subject.candidate)
    # By themselves: it is the frame that other checks ask for as well, and is answered once.
    asked.ask(golden.query_text)
    drawn = chain(same.values(), other.values())
    recall = subject.recall("behaviour")
    known = [one for one in recall.cases if one.case.metric in plan.metrics and one.case.typed]
    again = texts_of(known)
    asked.ask(chain(again, (variant.typed for some in drawn for _, variant in some.rows)))
    if same:
        yield from invariance.invariances(subject, plan, same, asked)
    if other:
        yield from sensitivity.sensitivities(subject, plan, other, asked)
    cases = verdicts(
        known,
        lambda case: _gone(case, golden),
        lambda case, answers: _fails(case, answers, plan),
        asked,
        champion_answers(subject, again),
    )
    yield from replayed(plan, recall, cases)


def _gone(case: Counterexample, golden: GoldenSet) -> str:
    listed = (one.typed for one in variants(SYNONYMS, case.query, golden.synonyms))
    if case.metric == invariance.OF_SYNONYMS and case.typed not in listed:
        return "the golden set lists no such synonym any more"
    return ""


def _fails(case: Counterexample, asked: TextAnswers, plan: CheckPlan[BehaviourOptions]) -> bool:
    (label, score), (now, then) = asked[case.query], asked[case.typed]
    if case.metric in _MUST_NOT_MATTER:
        return now != label
    return sensitivity.is_unnoticed((label, score), (now, then), plan.options.noticeable)


def _places(subject: Subject, plan: CheckPlan[BehaviourOptions]) -> Iterator[Measurement | Table]:
    golden, wanted = subject.golden, set(plan.metrics)
    expected = [one for one in golden.expectations if one.kind in _PLACES]
    if not expected:
        for kind in _PLACES:
            if kind in wanted:
                reason = f"the golden set holds no '{kind}' expectation"
                yield Measurement(kind, None, 0, _HOLD, reason=reason)
        return
    coded = judged(golden)
    ranked = rank(coded, subject.candidate.scores(golden.inputs()))
    place = {}
    for row, at in zip(ranked.row, np.arange(ranked.row.size), strict=True):
        query = int(golden.row_query[row])
        place[query, golden.row_doc[row]] = int(at - coded.starts[query]) + 1
    broken: list[list[str | int]] = []
    for kind in _PLACES:
        of_kind = [one for one in expected if one.kind == kind]
        named = bool(of_kind)
        # Among no more documents than the places it names, a document cannot but stand there.
        size = np.diff(coded.starts)
        of_kind = [
            one
            for one in of_kind
            if kind == "never-in-top"
            or size[one.query] > one.k
            or (one.query, one.target) not in place
        ]
        held = [_holds(one, place.get((one.query, one.target))) for one in of_kind]
        n, reason = len(of_kind), ""
        if not n:
            reason = f"the golden set holds no '{kind}' expectation"
            if named:
                reason += " that any order could break"
        share = sum(held) / n if n else None
        excused = share_without(
            plan.waived.get(kind, frozenset()),
            ((golden.query_id[one.query], fine) for one, fine in zip(of_kind, held, strict=True)),
        )
        yield Measurement(kind, share, n, _HOLD, reason=reason, excused=excused)
        failed = [one for one, fine in zip(of_kind, held, strict=True) if not fine]
        broken += [_row(golden, one, place.get((one.query, one.target))) for one in failed]
    columns = ["query", "expected", "document", "stands at", "line of expectations.csv"]
    title = f"{len(broken)} of {len(expected)} expectations of single documents are broken"
    yield Table(title, columns, broken, lines=LineColumn("expectations.csv", 4))


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
        summary="expectations of single queries, and changes that must, or must not, matter",
        answers=AnswerForm.SCORES | AnswerForm.LABELS,
        metrics=(
            MetricSpec(
                "must-be-first", "documents that must be first, and are", _HOLD, by_query=True
            ),
            MetricSpec(
                "in-top", "documents that must be in the top k, and are", _HOLD, by_query=True
            ),
            MetricSpec(
                "never-in-top",
                "documents that must not be in the top k, and are not",
                _HOLD,
                by_query=True,
            ),
            *invariance.METRICS,
            *sensitivity.METRICS,
            replayed_spec(AnswerForm.LABELS),
        ),
        options=BehaviourOptions,
    ),
    _measure,
)
