"""Counterexamples of earlier runs, asked again beside what is drawn, and reported by themselves.

They are no part of any rate: a rate is of what the seed draws, and these were chosen for failing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from gates.card.card import MetricSpec
from gates.checks import Found
from gates.checks._answers_by_text import TextAnswers
from gates.domain.counterexamples import (
    Counterexample,
    KnownCounterexample,
    Recall,
    Replay,
    Replayed,
)
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, GoldenSet, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import GatesError

__all__ = [
    "REPLAYED",
    "champion_answers",
    "champion_labels",
    "expected_labels",
    "replayed",
    "replayed_spec",
    "texts_of",
    "verdicts",
]

AnswersT = TypeVar("AnswersT")

REPLAYED = "replayed"
_UNIT = "counterexamples of earlier runs"


def replayed_spec(answers: AnswerForm) -> MetricSpec:
    """The metric that counts the counterexamples of earlier runs that still fail.

    No card bounds it unless it says so: a first run, and a clean checkout, have none to ask.

    Args:
        answers: The forms of answer for which the check keeps any.
    """
    words = "counterexamples of earlier runs that still fail"
    return MetricSpec(REPLAYED, words, _UNIT, answers=answers)


def champion_answers(subject: Subject, texts: Iterable[str]) -> TextAnswers | None:
    """What the champion answers to the texts of known cases; None where there is none that can.

    It is there for the record alone: a champion that cannot answer stops nothing.

    Args:
        subject: Who is asked.
        texts: The texts; nothing is asked where there are none.
    """
    asked = list(texts)
    if subject.champion is None or not asked:
        return None
    answers = TextAnswers(subject.champion)
    try:
        answers.ask(asked)
    except GatesError:
        return None
    return answers


def champion_labels(subject: Subject, texts: Iterable[str]) -> Mapping[str, str] | None:
    """Text → the champion's label; None where there is no champion that can answer.

    Args:
        subject: Who is asked.
        texts: The texts; nothing is asked where there are none.
    """
    asked = list(texts)
    answers = champion_answers(subject, asked)
    return None if answers is None else {text: answers[text][0] for text in asked}


def texts_of(cases: Iterable[KnownCounterexample]) -> list[str]:
    """The texts that have to be asked for some cases: each query, and each as it is typed."""
    return [text for one in cases for text in (one.case.query, one.case.typed) if text]


def expected_labels(golden: GoldenSet) -> Mapping[str, str]:
    """Query → the label that the golden set expects of it, which goes before what a model says.

    Args:
        golden: A classification golden set.
    """
    labels = (one for one in golden.expectations if one.kind == "label")
    return {golden.query_text[one.query]: one.target for one in labels}


def verdicts(
    cases: Sequence[KnownCounterexample],
    gone: Callable[[Counterexample], str],
    fails: Callable[[Counterexample, AnswersT], bool],
    candidate: AnswersT,
    champion: AnswersT | None,
) -> list[Replayed]:
    """What became of each case.

    Args:
        gone: Why nothing demands the right answer any more; empty where something does.
        fails: Whether some version's answers are wrong in a case.
        candidate: The candidate's answers.
        champion: The champion's; None where there are none.
    """
    found = []
    for one in cases:
        if reason := gone(one.case):
            found.append(Replayed(one, None, reason=reason))
            continue
        of_champion = None if champion is None else fails(one.case, champion)
        found.append(Replayed(one, fails(one.case, candidate), of_champion))
    return found


def replayed(plan: CheckPlan[object], recall: Recall, cases: Sequence[Replayed]) -> Iterator[Found]:
    """What became of the counterexamples of earlier runs: a record, a count and a table.

    Args:
        plan: Whether the count is bounded.
        recall: What earlier runs left.
        cases: What became of them, those left out that nothing was asked of.
    """
    yield Replay(tuple(cases), recall.runs, recall.digest, recall.trouble)
    asked = [one for one in cases if one.fails is not None]
    failing = sum(bool(one.fails) for one in asked)
    if asked or recall.trouble or REPLAYED in plan.metrics:
        yield _count(recall, len(asked), failing)
    if cases:
        yield _table(_title(len(asked), failing), cases)


def _count(recall: Recall, asked: int, failing: int) -> Measurement:
    if recall.trouble:
        return Measurement(REPLAYED, None, 0, _UNIT, reason=recall.trouble)
    if not recall.runs:
        reason = (
            f"no earlier run left anything to ask again ({recall.place}): this run does; where "
            "each run starts from a clean checkout, keep that folder between them"
        )
        return Measurement(REPLAYED, None, 0, _UNIT, reason=reason)
    if not asked:
        # The memory was there and holds nothing: that is an answer, over the runs it speaks of.
        runs = f"{recall.runs:,} earlier run{'s' * (recall.runs > 1)}"
        reason = f"counted over {runs}, of which no counterexample is left to ask"
        return Measurement(REPLAYED, 0.0, recall.runs, _UNIT, reason=reason)
    return Measurement(REPLAYED, float(failing), asked, _UNIT)


def _title(asked: int, failing: int) -> str:
    verb = "fails" if failing == 1 else "fail"
    return f"{failing} of {asked} counterexamples of earlier runs still {verb}"


def _table(title: str, cases: Sequence[Replayed]) -> Table:
    columns = ["metric", "query", "asked as", "candidate", "champion", "last failed in", "passed"]
    ordered = sorted(cases, key=lambda one: (one.fails is None, not one.fails))
    rows: list[list[Cell]] = [
        [
            one.known.case.metric,
            one.known.case.query,
            _asked_as(one.known.case),
            _said(one),
            {True: "fails too", False: "does not fail", None: "not asked"}[one.champion_fails],
            one.known.found,
            len(one.known.passed),
        ]
        for one in ordered
    ]
    return Table(title, columns, rows)


def _asked_as(case: Counterexample) -> str:
    if case.values is not None:
        first, then = case.values
        return f"{case.document}: {case.feature} {first:.6g}, then {then:.6g}"
    return case.typed or f"must be {case.label}"


def _said(one: Replayed) -> str:
    if one.fails is None:
        return f"not asked, and forgotten: {one.reason}"
    return "still fails" if one.fails else "no longer fails"
