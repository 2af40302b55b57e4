"""`score-range`: the expected top label for each golden query, with a score in its range.

Whether a query's own expectation holds (`in-range`) is a fact of that query, counted as it is. How
often labels are right, how many changed, calibration, recall by class and every difference from the
champion speak of traffic: they are weighted by what the queries stand for and carry an interval.

    labelled.py           both versions' labels of the queries that expect one
    recall_by_class.py    class by class, what a mean hides
    calibration.py        whether a score of 0.8 is right four times in five
    label_changes.py      which labels became which
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks.score_range.calibration import Binning, Resamples, calibration, reliability
from gates.checks.score_range.label_changes import label_changes
from gates.checks.score_range.labelled import Labelled, label
from gates.checks.score_range.recall_by_class import Classes
from gates.comparison.differences import differences
from gates.comparison.measuring import Sample, means, share
from gates.comparison.paired import PairedMetric
from gates.comparison.slices import Slice, cuts, margin_of
from gates.domain.exhibits import Cell, LineColumn, Table
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, Subject
from gates.domain.tasks import AnswerForm
from gates.kernels.calibration import brier
from gates.kernels.packed import Bools

__all__ = ["CHECK"]

_EXPECTATIONS = "share of expectations"
_TRAFFIC = "share of traffic"

_EXPECTED = ("label-accuracy", "in-range")
_OF_PROBABILITIES = ("calibration-error", "brier", "calibration-error.delta", "brier.delta")
_AGAINST_CHAMPION = ("label-changes", "label-accuracy.delta")


class ScoreRangeOptions(BaseModel):
    """Options of the labels' check.

    Attributes:
        resamples: Bootstrap resamples behind the interval of a calibration error.
        bins: Into how many bins of like scores the queries are put for the calibration error;
            fewer where a bin would hold fewer than 30 queries.
        binning: `equal-mass`, bins of the same traffic; `equal-width`, of the same range of scores.
        class_queries: A class with fewer golden queries is not judged by itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    resamples: int = Field(default=10_000, ge=1_000, le=1_000_000)
    bins: int = Field(default=10, ge=1, le=100)
    binning: Literal["equal-mass", "equal-width"] = "equal-mass"
    class_queries: int = Field(default=10, ge=1)


def _measure(subject: Subject, plan: CheckPlan[ScoreRangeOptions]) -> Iterator[Measurement | Table]:
    labelled = label(subject)
    if labelled is None:
        reason = "the golden set expects no label"
        for metric in plan.metrics:
            yield Measurement(metric, None, 0, _METRICS[metric][1], reason=reason)
        return
    alone = [one for one in plan.metrics if not _needs_champion(one)]
    against = [one for one in plan.metrics if _needs_champion(one)]
    measured = _Measured(labelled, plan, subject.seed)
    yield from measured.all_of((*_EXPECTED, *alone))
    yield _misses(labelled)
    if {*_OF_PROBABILITIES} & {*plan.metrics} and measured.is_probable:
        yield reliability(labelled, measured.binning)
    if not against:
        if "worst-class-recall" in alone:
            yield from measured.classes.table()
        return
    labelled = labelled.beside(subject.champion)
    measured = _Measured(labelled, plan, subject.seed)
    yield from measured.all_of((*_AGAINST_CHAMPION, *against))
    yield from label_changes(labelled)
    yield from measured.classes.table()


def _needs_champion(metric: str) -> bool:
    return metric.endswith(".delta") or metric == "label-changes"


class _Measured:
    """Measurements by name, the whole set first, then slice by slice."""

    def __init__(self, labelled: Labelled, plan: CheckPlan[ScoreRangeOptions], seed: int) -> None:
        options = plan.options
        self.binning = Binning(options.bins, options.binning == "equal-width")
        self._labelled = labelled
        self._margins = plan.margins
        self._resamples = Resamples(options.resamples, seed)
        self._sample = Sample.of_golden(labelled.golden, labelled.query)
        self.classes = Classes(labelled, self._sample, options.class_queries)
        of_query = {
            column: tuple(values[one] for one in labelled.query)
            for column, values in labelled.golden.slices.items()
        }
        self._slices = list(cuts(of_query, plan.slices, len(labelled.expected)))

    @property
    def is_probable(self) -> bool:
        """Whether every score could be a probability."""
        low, high = self._labelled.span
        return low >= 0 and high <= 1

    def all_of(self, metrics: Sequence[str]) -> Iterator[Measurement]:
        """Each metric once."""
        for metric in dict.fromkeys(metrics):
            if metric == "worst-class-recall":
                yield self.classes.worst_recall()
            elif metric == "worst-class-recall.delta":
                yield self.classes.worst_change(margin_of(self._margins.get(metric, {}), ""))
            elif metric in _OF_PROBABILITIES and not self.is_probable:
                yield from self._improbable(metric)
            elif metric in ("label-accuracy.delta", "confidence.delta", "brier.delta"):
                yield from self._difference(metric)
            else:
                for cut in self._slices:
                    yield from self._of_slice(metric, cut)

    def _of_slice(self, metric: str, cut: Slice) -> Iterator[Measurement]:
        labelled, sample = self._labelled, self._sample
        if metric == "calibration-error":
            yield calibration(labelled, sample, cut, self.binning, self._resamples)
        elif metric == "calibration-error.delta":
            yield calibration(labelled, sample, cut, self.binning, self._resamples, grown=True)
        elif metric == "brier":
            yield from means(sample, {metric: brier(labelled.new.score, labelled.new.right)}, cut)
        elif metric == "in-range":
            yield _held(metric, _in_range(labelled), cut)
        elif metric == "label-changes":
            pairs = zip(labelled.before.labels, labelled.new.labels, strict=True)
            yield share(sample, metric, np.array([float(a != b) for a, b in pairs]), cut)
        else:
            yield share(sample, metric, labelled.new.right.astype(float), cut)

    def _difference(self, metric: str) -> Iterator[Measurement]:
        old, new, sample = self._labelled.before, self._labelled.new, self._sample
        if metric == "brier.delta":
            change = PairedMetric("brier", brier(old.score, old.right), brier(new.score, new.right))
        elif metric == "confidence.delta":
            change = PairedMetric("confidence", old.score, new.score)
            low, high = self._labelled.span
            sample = replace(sample, severe=max(1.0, high - low))
        else:
            change = PairedMetric(
                "label-accuracy", old.right.astype(float), new.right.astype(float)
            )
        margins = {change.metric: self._margins.get(metric, {})}
        for one in differences(sample, [change], self._slices, margins=margins):
            yield _in_words(one, sample)

    def _improbable(self, metric: str) -> Iterator[Measurement]:
        low, high = self._labelled.span
        reason = f"its scores are no probabilities: they go from {low:.4g} to {high:.4g}"
        for name, rows in self._slices:
            yield Measurement(metric, None, int(rows.sum()), metric, slice=name, reason=reason)


def _in_words(found: Measurement, sample: Sample) -> Measurement:
    """A difference as reports must say it: less is better of a Brier score, neither of a score."""
    extra = dict(found.extra)
    if found.metric == "label-accuracy.delta":
        return replace(found, unit=sample.share)
    if found.metric == "brier.delta":
        extra["wins"], extra["losses"] = extra.get("losses"), extra.get("wins")
        return replace(found, unit="Brier score", extra=extra)
    left = {key: extra[key] for key in extra if key not in ("wins", "ties", "losses")}
    return replace(found, unit="score", extra=left)


def _in_range(labelled: Labelled) -> Bools:
    low = np.array([one.low for one in labelled.expected])
    high = np.array([one.high for one in labelled.expected])
    score = labelled.new.score
    inside: Bools = labelled.new.right & (score >= low) & (score <= high)
    return inside


def _held(metric: str, hits: Bools, cut: Slice) -> Measurement:
    """The share of expectations that hold: each was asked for by itself, and none is a sample."""
    name, rows = cut
    kept = hits[rows]
    n = int(kept.size)
    return Measurement(metric, float(kept.mean()) if n else None, n, _EXPECTATIONS, slice=name)


def _misses(labelled: Labelled) -> Table:
    new, inside, text = labelled.new, _in_range(labelled), labelled.text
    rows: list[list[Cell]] = [
        [
            text[at],
            one.target,
            f"{one.low:g} to {one.high:g}",
            new.labels[at],
            round(float(new.score[at]), 4),
            one.line,
        ]
        for at, one in enumerate(labelled.expected)
        if not inside[at]
    ]
    columns = ["query", "expected", "in", "got", "score", "line of expectations.csv"]
    title = f"{len(rows)} of {len(labelled.expected)} golden queries miss their label or range"
    return Table(title, columns, rows, lines=LineColumn("expectations.csv", 5))


_METRICS = {
    "label-accuracy": ("queries that get their expected label", _TRAFFIC),
    "in-range": ("queries with their label and a score in range", _EXPECTATIONS),
    "label-changes": ("queries labelled otherwise by the champion", _TRAFFIC),
    "label-accuracy.delta": ("accuracy of the candidate minus the champion's", _TRAFFIC),
    "confidence.delta": ("mean score of the label given, candidate minus champion", "score"),
    "calibration-error": (
        "how far scores are from how often they are right (ECE)",
        "calibration error",
    ),
    "calibration-error.delta": (
        "calibration error of the candidate minus the champion's",
        "calibration error",
    ),
    "brier": ("mean square of the score less 1 where right, 0 where wrong", "Brier score"),
    "brier.delta": ("Brier score of the candidate minus the champion's", "Brier score"),
    "worst-class-recall": ("least share of any class's queries that get its label", _TRAFFIC),
    "worst-class-recall.delta": ("how much the recall of a class changed at the worst", _TRAFFIC),
}

CHECK = Check(
    CheckSpec(
        name="score-range",
        summary="the expected label for each golden query, with a score in its range",
        answers=AnswerForm.LABELS,
        metrics=tuple(
            MetricSpec(name, summary, unit, sliceable=not name.startswith("worst-class"))
            for name, (summary, unit) in _METRICS.items()
        ),
        options=ScoreRangeOptions,
    ),
    _measure,
)
