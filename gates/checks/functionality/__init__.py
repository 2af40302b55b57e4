"""`functionality`: what no version may get wrong, however rarely it is searched for.

Every query counts once: a template is a statement about all of its queries, not a sample of what
shoppers type, so the shares are exact and carry no interval. For rankers, the same is said of
documents.

    never_shown.py    documents that must not stand high for any query
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check, Found
from gates.checks._replay import champion_labels, replayed, replayed_spec, texts_of, verdicts
from gates.checks.functionality.never_shown import NEVER, UNIT, never_shown
from gates.domain.counterexamples import Counterexample
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Measurement
from gates.domain.phrases import Expanded, Nothing, Templates
from gates.domain.subject import CheckPlan, Subject
from gates.domain.tasks import AnswerForm

__all__ = ["CHECK"]

_SHARE = "share of expanded queries"
_NOWHERE = "share of listed queries"
_GONE = "no template makes it, with that label, any more"
_NONE = "the golden set has no templates (templates.yaml)"
_SHOWN = 200
_KEPT = 50
_EVERY = "templates"


class FunctionalityOptions(BaseModel):
    """Options of minimum functionality.

    Attributes:
        queries: At most so many queries are made from the templates; beyond it they are drawn
            evenly from all templates, by the card's seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    queries: int = Field(default=2_000, ge=1, le=100_000)


@dataclass(frozen=True, slots=True)
class _Answered:
    """A query that was asked, and what came back."""

    expanded: Expanded
    got: str
    score: float

    @property
    def is_right(self) -> bool:
        return self.got == self.expanded.label


def _measure(subject: Subject, plan: CheckPlan[FunctionalityOptions]) -> Iterator[Found]:
    if subject.golden.manifest.task.has_candidates:
        yield from never_shown(subject, plan.waived.get(NEVER, frozenset()))
        return
    templates = subject.golden.templates
    if templates is None:
        for metric in plan.metrics:
            yield Measurement(metric, None, 0, _SHARE, reason=_NONE)
        return
    options = plan.options
    made = list(templates.expanded(options.queries, subject.seed)) if templates.expect else []
    nowhere = templates.nothing.queries if templates.nothing else ()
    recall = subject.recall("functionality")
    again = texts_of(recall.cases)
    rows = (*again, *(one.query for one in made), *nowhere)
    labels, scores = subject.candidate.labels(subject.golden.texts(rows))
    answers = list(zip(labels, scores.tolist(), strict=True))[len(again) :]
    of_templates = [
        _Answered(one, *answer) for one, answer in zip(made, answers[: len(made)], strict=True)
    ]
    yield from _of_templates(templates, of_templates)
    yield from _of_nothing(templates.nothing, answers[len(made) :])
    cases = verdicts(
        recall.cases,
        lambda case: "" if templates.makes(case.query, case.label) else _GONE,
        lambda case, answers: answers[case.query] != case.label,
        dict(zip(again, labels, strict=False)),
        champion_labels(subject, again),
    )
    yield from replayed(plan, recall, cases)


def _of_templates(templates: Templates, answered: Sequence[_Answered]) -> Iterator[Found]:
    n = len(answered)
    if not n:
        reason = "templates.yaml holds no template ('expect')"
        for metric in ("templates", "worst-template"):
            yield Measurement(metric, None, 0, _SHARE, reason=reason)
        return
    drawn = ""
    if n < templates.total:
        drawn = f"{n:,} of the {templates.total:,} queries that the templates make, drawn by seed"
    wrong = [one for one in answered if not one.is_right]
    yield Measurement("templates", 1 - len(wrong) / n, n, _SHARE, reason=drawn)
    counts = [[0, 0] for _ in templates.expect]
    for one in answered:
        counts[one.expanded.template][0] += one.is_right
        counts[one.expanded.template][1] += 1
    worst = min(range(len(counts)), key=lambda at: counts[at][0] / counts[at][1])
    right, asked = counts[worst]
    template = templates.expect[worst]
    named = f"'{template.query}', line {template.line} of templates.yaml"
    yield Measurement("worst-template", right / asked, asked, _SHARE, reason=named)
    columns = ["template", "query", "expected", "got", "score"]
    rows: list[list[Cell]] = [
        [
            templates.expect[one.expanded.template].query,
            one.expanded.query,
            one.expanded.label,
            one.got,
            round(one.score, 4),
        ]
        for one in wrong[:_SHOWN]
    ]
    shown = f" (the first {_SHOWN} are shown)" if len(wrong) > _SHOWN else ""
    title = f"{len(wrong):,} of {n:,} queries made from templates get another label{shown}"
    yield Table(title, columns, rows)
    for one in wrong[:_KEPT]:
        yield Counterexample(_EVERY, one.expanded.query, label=one.expanded.label)


def _of_nothing(
    nothing: Nothing | None, answers: Sequence[tuple[str, float]]
) -> Iterator[Measurement | Table]:
    if nothing is None:
        reason = "templates.yaml lists no query that belongs nowhere ('nothing')"
        yield Measurement("expected-null", None, 0, _NOWHERE, reason=reason)
        return
    missed: list[list[Cell]] = [
        [query, label, round(score, 4)]
        for query, (label, score) in zip(nothing.queries, answers, strict=True)
        if not nothing.is_met(label, score)
    ]
    n = len(nothing.queries)
    yield Measurement("expected-null", 1 - len(missed) / n, n, _NOWHERE)
    columns = ["query that belongs nowhere", "got", "score"]
    title = f"{len(missed)} of {n} queries that belong nowhere get a category"
    yield Table(title, columns, missed)


CHECK = Check(
    CheckSpec(
        name="functionality",
        summary="what no version may get wrong: templates of queries, gibberish, documents to hide",
        answers=AnswerForm.SCORES | AnswerForm.LABELS,
        metrics=(
            MetricSpec(
                "templates",
                "queries made from templates that get their label",
                _SHARE,
                answers=AnswerForm.LABELS,
            ),
            MetricSpec(
                "worst-template",
                "the same within the worst template, named",
                _SHARE,
                answers=AnswerForm.LABELS,
            ),
            MetricSpec(
                "expected-null",
                "queries that belong nowhere and are answered so",
                _NOWHERE,
                answers=AnswerForm.LABELS,
            ),
            MetricSpec(
                NEVER,
                "listed documents that stay out of the top of every query's list",
                UNIT,
                answers=AnswerForm.SCORES,
                by_query=True,
            ),
            replayed_spec(AnswerForm.LABELS),
        ),
        options=FunctionalityOptions,
    ),
    _measure,
)
