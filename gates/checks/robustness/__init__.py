"""`robustness`: odd input must not break a model, and nothing but a row may change its answer.

Every question here goes to a process apart, and to a fresh one after a fault: what breaks the model
here breaks no other check. Once the model has answered the golden inputs, a fault is its own.

    odd_inputs.py         a fixed list of text that nobody should have sent
    row_consistency.py    the same rows in another order, and in small batches
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.card.policy import Limit
from gates.checks import Check, Found
from gates.checks._replay import (
    REPLAYED,
    champion_labels,
    expected_labels,
    replayed,
    replayed_spec,
    texts_of,
    verdicts,
)
from gates.checks._separate_process import SeparateProcess
from gates.checks.features.missing_features import at_least, missing_features
from gates.checks.robustness.odd_inputs import FAMILIES, VERSION, made_up_words
from gates.checks.robustness.row_consistency import CONSISTENCY, RowConsistency, broken_by
from gates.comparison.answers import Answers, Tolerance
from gates.comparison.measuring import Sample, share
from gates.domain.counterexamples import Counterexample, KnownCounterexample, Recall
from gates.domain.exhibits import Table
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, GoldenSet, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import ModelFault

__all__ = ["CHECK"]

_NONE = Limit(max=0.0)
_FLIP = "share of traffic"
_PATIENCE = 24
_SHOWN = 60
_KEPT = 20
_UNSEEN = "unseen-words.flips"


class RobustnessOptions(BaseModel):
    """Options of the robustness.

    Attributes:
        absolute: How far a score may move and be the same, in its own units.
        relative: How far it may move further, as a share of the score's size.
        batches: The most calls for each size of batch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    absolute: float = Field(default=1e-9, ge=0)
    relative: float = Field(default=1e-6, ge=0)
    batches: int = Field(default=100, ge=1, le=10_000)


def _measure(subject: Subject, plan: CheckPlan[RobustnessOptions]) -> Iterator[Found]:
    golden, wanted = subject.golden, set(plan.metrics)
    options, form = plan.options, golden.manifest.task.answers
    with SeparateProcess(subject.candidate, form=form, patience=_PATIENCE) as asker:
        first = asker.answers(golden.inputs())
        if wanted & set(CONSISTENCY):
            steadiness = RowConsistency(
                golden,
                asker,
                first,
                tolerance=Tolerance(options.absolute, options.relative),
                batches=options.batches,
                seed=subject.seed,
            )
            yield from steadiness.measure(wanted)
        if wanted & {_UNSEEN, REPLAYED} and form is AnswerForm.LABELS:
            yield from _unseen_words(subject, plan, asker, first)
        if "hostile-text.faults" in wanted:
            yield from _odd_text(golden, asker)
        if any(metric.startswith("missing-feature.") for metric in wanted):
            yield from missing_features(golden, asker, first.scores, wanted, plan.slices)


def _unseen_words(
    subject: Subject, plan: CheckPlan[RobustnessOptions], asker: SeparateProcess, first: Answers
) -> Iterator[Found]:
    golden = subject.golden
    texts = golden.query_text
    words = made_up_words(texts, seed=subject.seed)
    longer = tuple(f"{text} {word}" for text, word in zip(texts, words, strict=True))
    recall = subject.recall("robustness")
    known = [one for one in recall.cases if one.case.typed.strip()]
    again = texts_of(known)
    answer = asker.attempt(golden.texts((*again, *longer)))
    if isinstance(answer, ModelFault):
        for metric in (one for one in (_UNSEEN, REPLAYED) if one in plan.metrics):
            yield broken_by(metric, answer, _FLIP, "a word it has never seen")
        return
    old, every = cast("tuple[str, ...]", first.labels), cast("tuple[str, ...]", answer.labels)
    # The cases of earlier runs were chosen for failing: they stand in front, and in no share.
    new, scores = every[len(again) :], answer.scores[len(again) :]
    flips = [at for at, label in enumerate(new) if label != old[at]]
    flipped: list[list[str | float]] = [
        [longer[at], old[at], new[at], round(float(first.scores[at] - scores[at]), 4)]
        for at in flips
    ]
    n = len(texts)
    changed = np.zeros(n)
    changed[flips] = 1.0
    yield share(Sample.of_golden(golden), _UNSEEN, changed, ("", np.ones(n, np.bool_)))
    columns = ["query with a made-up word", "label without", "label", "score lost"]
    title = f"{len(flipped)} of {n} queries get another label with a made-up word behind them"
    yield Table(title, columns, flipped)
    expected = expected_labels(golden)
    surest = sorted(flips, key=lambda at: -float(first.scores[at]))
    for at in surest[:_KEPT]:
        right = expected.get(texts[at], old[at])
        yield Counterexample(_UNSEEN, texts[at], longer[at], right)
    labels = dict(zip(again, every, strict=False))
    yield from _again(subject, plan, recall, known, labels)


def _again(
    subject: Subject,
    plan: CheckPlan[RobustnessOptions],
    recall: Recall,
    cases: Sequence[KnownCounterexample],
    labels: Mapping[str, str],
) -> Iterator[Found]:
    known = {word for text in subject.golden.query_text for word in text.casefold().split()}

    def gone(case: Counterexample) -> str:
        seen = case.typed.casefold().split()[-1] in known
        return "a golden query holds the word now" if seen else ""

    found = verdicts(
        cases,
        gone,
        lambda case, answers: answers[case.query] != answers[case.typed],
        labels,
        champion_labels(subject, texts_of(cases)),
    )
    yield from replayed(plan, recall, found)


def _odd_text(golden: GoldenSet, asker: SeparateProcess) -> Iterator[Measurement | Table]:
    whole: dict[str, Answers | ModelFault] = {}
    for family, texts in FAMILIES.items():
        if not asker.worn:
            whole[family] = asker.attempt(golden.texts(texts))
    found: list[tuple[str, tuple[str, ...], ModelFault]] = []
    for family, answer in whole.items():
        if isinstance(answer, ModelFault):
            found += [(family, *one) for one in _culprits(golden, asker, FAMILIES[family], answer)]
    n = sum(len(FAMILIES[family]) for family in whole)
    together = sum(len(texts) for _, texts, _ in found if len(texts) > 1)
    reason = "; ".join(dict.fromkeys(f"{family}: {fault.kind}" for family, _, fault in found))
    if together:
        reason += f"; at least, for {together} texts were not told apart"
    if untried := [family for family in FAMILIES if family not in whole]:
        reason += f"; after so many faults these were not tried: {', '.join(untried)}"
    # Whatever was not told apart, or not tried, may be at fault as well.
    most = sum(len(texts) for _, texts, _ in found) + sum(len(FAMILIES[one]) for one in untried)
    yield at_least("hostile-text.faults", len(found), most, n, "texts", reason)
    rows = [
        [family, " or ".join(map(_shown, texts)), f"{fault.kind}: {fault.what}"]
        for family, texts, fault in found
    ]
    columns = ["family", "text", "fault"]
    title = f"{len(found)} of {n} odd texts (list {VERSION}) break the model"
    yield Table(title, columns, rows)


def _culprits(
    golden: GoldenSet, asker: SeparateProcess, texts: tuple[str, ...], fault: ModelFault
) -> list[tuple[tuple[str, ...], ModelFault]]:
    """The texts of a faulty batch that are faulty alone; larger groups when patience ends."""
    if len(texts) == 1 or asker.worn:
        return [(texts, fault)]
    middle = len(texts) // 2
    found: list[tuple[tuple[str, ...], ModelFault]] = []
    for part in (texts[:middle], texts[middle:]):
        answer = asker.attempt(golden.texts(part))
        if isinstance(answer, ModelFault):
            found += _culprits(golden, asker, part, answer)
    return found or [(texts, fault)]


def _shown(text: str) -> str:
    more = f"… ({len(text):,} characters)" if len(text) > _SHOWN else ""
    return f"{text[:_SHOWN]!a}{more}"


CHECK = Check(
    CheckSpec(
        name="robustness",
        summary="odd or missing input breaks nothing; only the row itself changes its answer",
        answers=AnswerForm.SCORES | AnswerForm.LABELS,
        metrics=(
            *(MetricSpec(name, words, "rows", _NONE) for name, words in CONSISTENCY.items()),
            MetricSpec(
                "hostile-text.faults",
                "odd texts (empty, long, emoji, markup …) that break the model",
                "texts",
                _NONE,
                answers=AnswerForm.LABELS,
            ),
            MetricSpec(
                _UNSEEN,
                "queries whose label changes with a made-up word behind them",
                _FLIP,
                answers=AnswerForm.LABELS,
            ),
            MetricSpec(
                "missing-feature.faults",
                "features without which the model breaks",
                "features",
                _NONE,
                answers=AnswerForm.SCORES,
            ),
            MetricSpec(
                "missing-feature.worst",
                "mean share of the top 10 lost without the worst feature to lose",
                "mean share of the top 10",
                sliceable=True,
                answers=AnswerForm.SCORES,
            ),
            replayed_spec(AnswerForm.LABELS),
        ),
        options=RobustnessOptions,
    ),
    _measure,
)
