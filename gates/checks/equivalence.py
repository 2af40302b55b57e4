"""`equivalence`: the same model under the old lock and under the new one must answer alike.

An upgrade of libraries is a change like any other. Here it is looked at by itself: one version's
binary is run in both environments on every golden input, so that whatever differs comes from the
libraries. A binary that is not deterministic is found out by a second run under its own lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card import CheckSpec, Limit, MetricSpec
from gates.checks import Check
from gates.checks._ranked import judged, rank
from gates.domain import Exhibit, Measurement
from gates.errors import NoChampion
from gates.kernels.packed import Bools, Floats
from gates.subject import Arm, GoldenSet, Plan, Subject

__all__ = ["CHECK"]

_NONE = Limit(max=0.0)
_SHOWN = 20
_SAME = "both versions run in the same environment: there is no upgrade to look at"


class Options(BaseModel):
    """Options of the equivalence.

    Attributes:
        binary: Whose binary runs under both locks.
        absolute: How far a score may move, in its own units.
        relative: How far it may move further, as a share of the old score's size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    binary: Literal["champion", "candidate"] = "champion"
    absolute: float = Field(default=1e-9, ge=0)
    relative: float = Field(default=1e-6, ge=0)


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """What one binary answered on all golden inputs; labels are empty for a ranker."""

    scores: Floats
    labels: Sequence[str] = ()


def _measure(subject: Subject, plan: Plan) -> Iterator[Measurement | Exhibit]:
    if subject.champion is None:
        raise NoChampion
    golden, options = subject.golden, plan.options
    rows = len(next(iter(golden.inputs().values())))
    units = {"changed-orders": "queries", "changed-labels": "queries"}
    sizes = {"changed-orders": len(golden.query_id)}
    if subject.champion.environment().key == subject.candidate.environment().key:
        for metric in plan.metrics:
            n, unit = sizes.get(metric, rows), units.get(metric, "rows")
            yield Measurement(metric, 0.0, n, unit, reason=_SAME)
        return
    own = subject.champion if options.binary == "champion" else subject.candidate
    there = subject.transplanted(options.binary)
    before, after = (own, there) if options.binary == "champion" else (there, own)
    old, new = _answers(before, golden), _answers(after, golden)
    compare = _Comparison(golden, old, new, options)
    changed = {metric: compare.changed(metric) for metric in plan.metrics}
    doubt = ""
    if any(found.any() for found in changed.values()):
        doubt = _doubt(own, golden, old if own is before else new, options)
    for metric, found in changed.items():
        count = None if doubt else compare.value(metric, found)
        unit = units.get(metric, "rows")
        yield Measurement(metric, count, int(found.size), unit, reason=doubt)
    yield from compare.first_rows()


@dataclass(frozen=True, eq=False)
class _Comparison:
    golden: GoldenSet
    old: _Answers
    new: _Answers
    options: Options

    def changed(self, metric: str) -> Bools:
        """Which rows or queries count for a metric."""
        by_metric: dict[str, Callable[[], Bools]] = {
            "changed-scores": self._scores,
            "largest-difference": self._scores,
            "changed-labels": self._labels,
            "changed-orders": self._orders,
        }
        return by_metric[metric]()

    def value(self, metric: str, found: Bools) -> float:
        """What a metric comes to."""
        if metric == "largest-difference":
            return float(np.abs(self.new.scores - self.old.scores).max(initial=0.0))
        return float(found.sum())

    def _scores(self) -> Bools:
        return _beyond(self.old.scores, self.new.scores, self.options)

    def _labels(self) -> Bools:
        pairs = zip(self.old.labels, self.new.labels, strict=True)
        return np.array([old != new for old, new in pairs], bool)

    def _orders(self) -> Bools:
        coded = judged(self.golden)
        old, new = (rank(self.golden, coded, one.scores).row for one in (self.old, self.new))
        differs = np.zeros(len(self.golden.query_id), bool)
        differs[self.golden.row_query[old != new]] = True
        return differs

    def first_rows(self) -> Iterator[Exhibit]:
        """The first rows that differ, in the order of the golden set."""
        golden = self.golden
        classified = golden.manifest.task == "classification"
        differs = self._scores() | self._labels() if classified else self._scores()
        total = int(differs.sum())
        rows = [self._row(int(row), classified) for row in np.flatnonzero(differs)[:_SHOWN]]
        if not rows:
            return
        what = ["old label", "new label"] if classified else ["document", "title"]
        columns = ["query", *what, "old score", "new score", "difference"]
        first = f", the first {_SHOWN}" if total > _SHOWN else ""
        title = f"{total} of {differs.size} rows differ under the new lock{first}"
        yield Exhibit("table", title, {"columns": columns, "rows": rows})

    def _row(self, row: int, classified: bool) -> list[object]:
        golden = self.golden
        old, new = (float(one.scores[row]) for one in (self.old, self.new))
        numbers = (float(f"{old:.9g}"), float(f"{new:.9g}"), float(f"{new - old:.3g}"))
        if classified:
            labels = (one.labels[row] for one in (self.old, self.new))
            return [golden.query_text[row], *labels, *numbers]
        query = golden.query_text[golden.row_query[row]]
        return [query, golden.row_doc[row], golden.row_title[row], *numbers]


def _answers(arm: Arm, golden: GoldenSet) -> _Answers:
    if golden.manifest.task == "ranking":
        return _Answers(arm.scores(golden.inputs()))
    labels, scores = arm.labels(golden.inputs())
    return _Answers(scores, labels)


def _beyond(old: Floats, new: Floats, options: Options) -> Bools:
    differs: Bools = np.abs(new - old) > options.absolute + options.relative * np.abs(old)
    return differs


def _doubt(own: Arm, golden: GoldenSet, first: _Answers, options: Options) -> str:
    """Why nothing can be told of the upgrade, in words; empty when the binary is deterministic."""
    if golden.manifest.task == "ranking":
        again = _Answers(own.scores_again(golden.inputs()))
    else:
        labels, scores = own.labels_again(golden.inputs())
        again = _Answers(scores, labels)
    itself = _Comparison(golden, first, again, options)
    moved = itself.changed("changed-scores")
    if first.labels:
        moved |= itself.changed("changed-labels")
    if not moved.any():
        return ""
    return (
        f"the {own.role} gives other answers to the same input in a fresh process "
        f"({int(moved.sum())} of {moved.size} rows): what the upgrade changes cannot be told apart"
    )


CHECK = Check(
    CheckSpec(
        name="equivalence",
        summary="the same binary under the old and the new lock gives the same answers",
        tasks=frozenset({"ranking", "classification"}),
        metrics=(
            MetricSpec(
                "changed-scores", "golden rows whose score moves beyond tolerance", "rows", _NONE
            ),
            MetricSpec("largest-difference", "the largest move of a score", "score"),
            MetricSpec(
                "changed-orders",
                "queries whose list is ordered otherwise",
                "queries",
                _NONE,
                tasks=frozenset({"ranking"}),
            ),
            MetricSpec(
                "changed-labels",
                "queries that get another label",
                "queries",
                _NONE,
                tasks=frozenset({"classification"}),
            ),
        ),
        options=Options,
    ),
    _measure,
)
