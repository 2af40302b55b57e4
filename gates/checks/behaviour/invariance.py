"""What must not change an answer: how often a label flips, how far a score shifts, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gates.card.card import MetricSpec
from gates.checks import Found
from gates.checks._answers_by_text import TextAnswers
from gates.checks._replay import expected_labels
from gates.checks.behaviour.edits import EditedQuery
from gates.checks.behaviour.options import BehaviourOptions
from gates.checks.behaviour.perturb import INVARIANCES, SYNONYMS, Drawn, draw
from gates.comparison.measuring import Sample, means
from gates.comparison.slices import Slice, cuts
from gates.domain.counterexamples import Counterexample
from gates.domain.exhibits import Cell, Example, Table
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, GoldenSet, Subject
from gates.kernels.packed import Floats

__all__ = ["METRICS", "OF_SYNONYMS", "draw_invariances", "invariances"]

_FLIPS, _SHIFTS = "invariance.", "score-shift."
_FLIP = "share of traffic"
OF_SYNONYMS = f"{_FLIPS}{SYNONYMS}"
"""The metric whose counterexamples rest on the golden set's own list."""
_SCORE = "score"
_SHRUNK = 5
_ROWS = 100

METRICS = (
    *(
        MetricSpec(
            f"{_FLIPS}{kind}",
            f"queries whose label changes with {one.words}",
            _FLIP,
            sliceable=True,
        )
        for kind, one in INVARIANCES.items()
    ),
    *(
        MetricSpec(
            f"{_SHIFTS}{kind}",
            f"mean move of an unchanged label's score with {one.words}",
            _SCORE,
            sliceable=True,
        )
        for kind, one in INVARIANCES.items()
    ),
)
"""What there is to bound."""


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """What the variants of one invariance came to, query by query.

    Attributes:
        drawn: The variants.
        flips: Those that get another label, the surest query first.
        flipped: float64[Q], the share of a query's variants that do; NaN without a variant.
        shifted: float64[Q], by how much the score of a label that stays moves; NaN without one.
    """

    drawn: Drawn
    flips: tuple[EditedQuery, ...]
    flipped: Floats
    shifted: Floats


def draw_invariances(subject: Subject, plan: CheckPlan[BehaviourOptions]) -> dict[str, Drawn]:
    """The variants of every invariance that a card bounds.

    Args:
        subject: A classification golden set.
        plan: The metrics that are wanted, those of other kinds left aside.
    """
    golden = subject.golden
    return {
        kind: draw(
            kind,
            golden.query_text,
            seed=subject.seed,
            count=plan.options.variants,
            synonyms=golden.synonyms,
        )
        for kind in INVARIANCES
        if {f"{_FLIPS}{kind}", f"{_SHIFTS}{kind}"} & {*plan.metrics}
    }


def invariances(
    subject: Subject,
    plan: CheckPlan[BehaviourOptions],
    drawn: Mapping[str, Drawn],
    asked: TextAnswers,
) -> Iterator[Found]:
    """Every invariance that a card bounds.

    Counterexamples are shrunk in at most `gates.checks.behaviour.shrink.ROUNDS` calls.

    Args:
        subject: The candidate and a classification golden set.
        plan: The metrics that are wanted, those of other kinds left aside.
        drawn: Invariance → variants, in the order to report.
        asked: What was answered to the queries and to all variants.
    """
    golden = subject.golden
    wanted = {*plan.metrics}
    found = {kind: _outcome(golden, some, asked) for kind, some in drawn.items()}
    slices = list(cuts(golden.slices, plan.slices, len(golden.query_id)))
    measured = _Measured(golden, asked)
    for kind, outcome in found.items():
        for metric in (f"{_FLIPS}{kind}", f"{_SHIFTS}{kind}"):
            if metric in wanted:
                yield from (measured.of(metric, outcome, cut) for cut in slices)
    yield _all_flips(found, asked)
    if any(outcome.flips for outcome in found.values()):
        yield from _counterexamples(found, asked, subject)


def _outcome(golden: GoldenSet, drawn: Drawn, asked: TextAnswers) -> _Outcome:
    texts = golden.query_text
    flips: dict[EditedQuery, None] = {}
    changed: list[list[float]] = [[] for _ in texts]
    moved: list[list[float]] = [[] for _ in texts]
    for at, one in drawn.rows:
        (label, score), (now, then) = asked[texts[at]], asked[one.typed]
        changed[at].append(float(now != label))
        if now == label:
            moved[at].append(abs(then - score))
        else:
            flips[one] = None
    surest = sorted(flips, key=lambda one: -asked[one.query][1])
    return _Outcome(drawn, tuple(surest), _means(changed), _means(moved))


def _means(values: Sequence[Sequence[float]]) -> Floats:
    return np.array([sum(some) / len(some) if some else np.nan for some in values])


class _Measured:
    """Measurements by name, each of one slice."""

    def __init__(self, golden: GoldenSet, asked: TextAnswers) -> None:
        self._synonyms = golden.synonyms
        scores = [asked[text][1] for text in golden.query_text]
        self._span = (0.0, max(1.0, max(scores, default=0.0) - min(scores, default=0.0)))
        self._sample = Sample.of_golden(golden)

    def of(self, metric: str, outcome: _Outcome, cut: Slice) -> Measurement:
        """One metric of one slice; several variants of a query count as one observation."""
        name, rows = cut
        flips = metric.startswith(_FLIPS)
        values = outcome.flipped if flips else outcome.shifted
        if not (rows & ~np.isnan(values)).any():
            reason = "no golden query has such a variant"
            if metric.endswith(f".{SYNONYMS}") and not self._synonyms:
                reason = "the golden set lists no synonyms (synonyms.csv)"
            elif not flips and (rows & ~np.isnan(outcome.flipped)).any():
                reason = "every variant gets another label"
            return Measurement(metric, None, 0, self._unit(metric), slice=name, reason=reason)
        span = (0.0, 1.0) if flips else self._span
        (found,) = means(self._sample, {metric: values}, cut, plausible=span)
        found = replace(
            found,
            unit=self._unit(metric),
            extra={
                "variants": float(sum(rows[at] for at, _ in outcome.drawn.rows)),
                "untouched": float(rows.sum() - found.n),
            },
        )
        sampled = INVARIANCES[metric.partition(".")[2]].sampled
        return found if sampled else replace(found, lower=None, upper=None)

    def _unit(self, metric: str) -> str:
        return self._sample.share if metric.startswith(_FLIPS) else _SCORE


def _all_flips(found: dict[str, _Outcome], asked: TextAnswers) -> Table:
    flips = [(kind, one) for kind, outcome in found.items() for one in outcome.flips]
    total = sum(len(outcome.drawn.rows) for outcome in found.values())
    rows: list[list[str | float]] = []
    for kind, one in flips[:_ROWS]:
        (label, score), (now, then) = asked[one.query], asked[one.typed]
        rows.append([kind, one.query, one.typed, label, now, round(score - then, 4)])
    columns = ["change", "query", "typed as", "label", "label then", "score lost"]
    title = f"{len(flips):,} of {total:,} changed queries get another label"
    if len(flips) > _ROWS:
        title += f"; the first {_ROWS}"
    return Table(title, columns, rows)


def _counterexamples(
    found: dict[str, _Outcome], asked: TextAnswers, subject: Subject
) -> Iterator[Found]:
    # Hypothesis costs a third of a second to import; a run without a flip does not pay it.
    from gates.checks.behaviour.shrink import shrink

    worst = [(kind, one) for kind, outcome in found.items() for one in _few(outcome.flips)]
    small = shrink([one for _, one in worst], asked)
    rows: dict[tuple[str, EditedQuery], list[Cell]] = {}
    examples = []
    kept: dict[tuple[str, EditedQuery], Counterexample] = {}
    expected = expected_labels(subject.golden)
    for (kind, whole), one in zip(worst, small, strict=True):
        (label, score), (now, then) = asked[one.query], asked[one.typed]
        before, after = f"{label} {score:.2f}", f"{now} {then:.2f}"
        near = INVARIANCES[kind].one if len(one.edits) == 1 else INVARIANCES[kind].many
        # Tabs and breaks that are part of the change must be seen.
        shown = one.typed.replace("\t", "⇥").replace("\u00a0", "⍽")
        goes = "falls" if then < score else "goes"
        words = f"query ‘{shown}’ ({near} ‘{one.query}’): {goes} from {before} to {after}"
        # A query that has its expectation needs no other.
        right = "" if one.typed in expected else expected.get(one.query, label)
        kept[kind, one] = Counterexample(f"{_FLIPS}{kind}", one.query, one.typed, right)
        examples.append(Example(f"{_FLIPS}{kind}", words))
        rows[kind, one] = [kind, words, one.query, shown, before, after, whole.query]
    columns = ["change", "in words", "query", "typed as", "before", "after", "found in"]
    title = f"Smallest queries whose label changes (up to {_SHRUNK} a change; seed {subject.seed})"
    of = tuple(sorted({f"{_FLIPS}{kind}" for kind, _ in worst}))
    yield Table(title, columns, list(rows.values()), of=of, examples=tuple(examples))
    yield from kept.values()


def _few(flips: Sequence[EditedQuery]) -> list[EditedQuery]:
    """The first few that differ in the query and in the words that are typed otherwise."""
    chosen: list[EditedQuery] = []
    seen: set[object] = set()
    for one in flips:
        new = frozenset(one.typed.split()) - {*one.query.split()}
        if len(chosen) < _SHRUNK and one.query not in seen and new not in seen:
            chosen.append(one)
            seen |= {one.query, new} if new else {one.query}
    return chosen
