"""Steps of single rows that once moved a score the wrong way, asked again."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from gates.checks import Found
from gates.checks._replay import replayed, verdicts
from gates.checks.directional.sweeps import Sweeps, SweepStep
from gates.domain.counterexamples import Counterexample
from gates.domain.subject import Arm, CheckPlan, Subject
from gates.errors import GatesError

__all__ = ["MONOTONE", "ORDER", "as_counterexample", "replayed_steps"]

MONOTONE, ORDER = "monotone.violations", "order.violations"

_Scores = Mapping[Counterexample, tuple[float, float]]


def as_counterexample(sweeps: Sweeps, metric: str, step: SweepStep) -> Counterexample:
    """A step as a later run can ask it.

    Args:
        sweeps: Who tried it.
        metric: `MONOTONE` or `ORDER`.
    """
    return Counterexample(
        metric,
        sweeps.query(step.row),
        query_id=sweeps.query_id(step.row),
        document=sweeps.document(step.row),
        feature=step.feature,
        values=step.numbers[:2],
    )


def replayed_steps(
    subject: Subject,
    plan: CheckPlan[object],
    sweeps: Sweeps,
    signs: Mapping[str, float],
    below: Collection[tuple[str, tuple[float, float]]],
) -> Iterator[Found]:
    """What became of the steps of earlier runs: one call of each version for all of them.

    A row is asked with its features as the golden set has them now.

    Args:
        subject: Both versions and a ranking golden set.
        plan: The metrics that are wanted.
        sweeps: Tells what moves the wrong way.
        signs: Feature → 1 where its increase must not lower a score, -1 where not raise one.
        below: (feature, (value that must score lower, value that must score higher)).

    Raises:
        ModelFault: The candidate could not answer, by name.
    """
    recall, rows = subject.recall("directional"), _rows(subject)
    wanted = {ORDER} & {*plan.metrics}
    if {MONOTONE, "monotone.worst"} & {*plan.metrics}:
        wanted.add(MONOTONE)
    known = [one for one in recall.cases if one.case.metric in wanted and one.case.values]

    def gone(case: Counterexample) -> str:
        if (case.query_id, case.document) not in rows:
            return "the golden set holds no such candidate of the query any more"
        is_monotone = case.metric == MONOTONE
        declared = case.feature in signs if is_monotone else (case.feature, case.values) in below
        return "" if declared else "the card does not declare it any more"

    def fails(case: Counterexample, scores: _Scores) -> bool:
        first, then = scores[case]
        if case.metric == MONOTONE:
            return sweeps.is_wrong(signs[case.feature], first, then)
        return not sweeps.is_above(np.array(then), np.array(first))

    cases = [one.case for one in known if not gone(one.case)]
    now = _scored(sweeps, subject.candidate, rows, cases)
    of_champion: _Scores | None = None
    if subject.champion is not None and cases:
        with contextlib.suppress(GatesError):  # it is there for the record alone
            of_champion = _scored(sweeps, subject.champion, rows, cases)
    yield from replayed(plan, recall, verdicts(known, gone, fails, now, of_champion))


def _rows(subject: Subject) -> Mapping[tuple[str, str], int]:
    golden = subject.golden
    places = zip(golden.row_query.tolist(), golden.row_doc, strict=True)
    return {(golden.query_id[query], document): at for at, (query, document) in enumerate(places)}


def _scored(
    sweeps: Sweeps,
    arm: Arm,
    rows: Mapping[tuple[str, str], int],
    cases: Collection[Counterexample],
) -> _Scores:
    asked = [
        (rows[one.query_id, one.document], one.feature, one.values)
        for one in cases
        if one.values is not None
    ]
    scores = sweeps.pairs(arm, asked).tolist() if asked else []
    return {case: (first, then) for case, (first, then) in zip(cases, scores, strict=True)}
