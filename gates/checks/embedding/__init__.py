"""`embedding`: the vectors of the golden texts, and who their neighbours are.

A vector means nothing by itself: what shoppers see is which texts are near. So versions are
compared by the neighbours of each text among all golden texts (by cosine, exactly, without an
index), and vectors are looked at by what makes neighbours useless: collapse, duplicates, lengths
out of line, and a word that wins by being repeated.

    vectors.py    a version's vectors of the golden texts, and of the same texts stuffed
    retrieval.py  whether texts find those that expectations put near them
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks._waived import share_without
from gates.checks.embedding.retrieval import ExpectedPairs, retrieval_quality
from gates.checks.embedding.vectors import TextVectors, most_changed, most_changed_by_stuffing
from gates.comparison.differences import differences
from gates.comparison.measuring import Sample, means
from gates.comparison.paired import PairedMetric
from gates.comparison.slices import cuts
from gates.domain.exhibits import Cell, LineColumn, Table
from gates.domain.judging import Cause, Measurement
from gates.domain.subject import CheckPlan, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import NoChampion
from gates.kernels import vectors as kernel
from gates.kernels.packed import Floats

__all__ = ["CHECK"]

_NEIGHBOURS = "share of neighbours"
_TEXTS = "share of texts"
_PAIRS = "share of expectations"
_SHOWN = 50
_FEWEST = 3
_QUALITY = {
    "recall": "texts that must be near and are",
    "ndcg": "nDCG of the texts that must be near",
}


class EmbeddingOptions(BaseModel):
    """Options of the vectors' check.

    Attributes:
        same: How far the ends of two vectors of length 1 may be apart and still be the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    same: float = Field(default=1e-6, ge=1e-6, le=1.0)


def _measure(subject: Subject, plan: CheckPlan[EmbeddingOptions]) -> Iterator[Measurement | Table]:
    golden = subject.golden
    new = TextVectors(golden, subject.candidate, subject.candidate.vectors(golden.inputs()))
    measured = _Measured(subject, plan, new)
    compared = []
    for metric in plan.metrics:
        if metric.startswith("neighbour-overlap@") or metric.endswith(".delta"):
            compared.append(metric)
        else:
            yield from measured.of(metric)
    if compared:
        if subject.champion is None:
            raise NoChampion
        old = TextVectors(golden, subject.champion, subject.champion.vectors(golden.inputs()))
        for metric in compared:
            yield from measured.compared(metric, old)


class _Measured:
    """Measurements by name."""

    def __init__(
        self, subject: Subject, plan: CheckPlan[EmbeddingOptions], new: TextVectors
    ) -> None:
        options = plan.options
        self._golden = subject.golden
        self._new = new
        self._same = options.same
        self._waived = plan.waived.get("pairs", frozenset())
        golden = self._golden
        self._sample = Sample.of_golden(golden)
        self._slices = list(cuts(golden.slices, plan.slices, len(golden.query_id)))
        self._pairs_expected = ExpectedPairs.of(golden)
        self._margins = {name.removesuffix(".delta"): of for name, of in plan.margins.items()}

    def of(self, metric: str) -> Iterator[Measurement | Table]:
        """A metric of the candidate alone, with the texts behind it."""
        name, _, k = metric.partition("@")
        if name == "stuffing":
            if self._too_few(int(k)):
                yield from self._untold(metric, int(k))
                return
            plain, there = self._new.neighbours(int(k)), self._new.stuffed_neighbours(int(k))
            overlap = kernel.overlap(plain, there)
            yield from self._shared(metric, overlap)
            yield from most_changed_by_stuffing(self._golden, plain, there, overlap)
        elif name == "pairs":
            yield from self._pairs()
        elif name in _QUALITY:
            yield from self._quality(metric, int(k))
        elif name == "duplicates":
            yield from self._duplicates()
        elif name == "norm.worst":
            yield self._worst_norm()
        else:
            yield self._spread(metric)

    def compared(self, metric: str, old: TextVectors) -> Iterator[Measurement | Table]:
        """The champion's vectors against the candidate's."""
        if metric == "pairs.delta":
            yield from self._pairs_change(old)
            return
        k = int(metric.removesuffix(".delta").partition("@")[2])
        if metric.endswith(".delta"):
            yield from self._quality_change(metric.removesuffix(".delta"), k, old)
            return
        if self._too_few(k):
            yield from self._untold(metric, k)
            return
        before, after = old.neighbours(k), self._new.neighbours(k)
        overlap = kernel.overlap(before, after)
        yield from self._shared(metric, overlap)
        yield from most_changed(self._golden, before, after, overlap)

    def _too_few(self, k: int) -> bool:
        """Whether each text has all others for neighbours, whatever the vectors are."""
        return len(self._golden.query_id) - 1 <= k

    def _untold(self, metric: str, k: int) -> Iterator[Measurement]:
        texts = len(self._golden.query_id)
        reason = f"of {texts} texts, each has all the others among its {k} nearest"
        for name, rows in self._slices:
            n = int(rows.sum())
            yield Measurement(metric, None, n, _NEIGHBOURS, slice=name, reason=reason)

    def _shared(self, metric: str, overlap: Floats) -> Iterator[Measurement]:
        """The mean overlap of the whole set and of each slice."""
        for cut in self._slices:
            (one,) = means(self._sample, {metric: overlap}, cut)
            yield replace(one, unit=_NEIGHBOURS)

    def _pairs(self) -> Iterator[Measurement | Table]:
        golden, pairs = self._golden, self._pairs_expected
        expected = pairs.rows
        if not expected:
            yield self._nothing_expected("pairs", _PAIRS)
            return
        text, near, far = pairs.text, pairs.near, pairs.far
        to_near, to_far = pairs.cosines(self._new.vectors)
        held = pairs.held(self._new.vectors)
        of_query = ((golden.query_id[at], bool(fine)) for at, fine in zip(text, held, strict=True))
        excused = share_without(self._waived, of_query)
        yield Measurement("pairs", float(held.mean()), len(expected), _PAIRS, excused=excused)
        texts = golden.query_text
        rows: list[list[Cell]] = [
            [
                texts[text[at]],
                texts[near[at]],
                round(float(to_near[at]), 4),
                texts[far[at]],
                round(float(to_far[at]), 4),
                expected[at].line,
            ]
            for at in np.flatnonzero(~held).tolist()
        ]
        if rows:
            columns = ["text", "must be nearer", "cosine", "than", "its cosine"]
            columns.append("line of expectations.csv")
            line = LineColumn("expectations.csv", 5)
            title = f"{len(rows)} of {len(expected)} expectations of nearer texts are broken"
            yield Table(title, columns, rows, lines=line)

    def _nothing_expected(self, metric: str, unit: str) -> Measurement:
        reason = "the golden set holds no 'closer' expectation"
        return Measurement(metric, None, 0, unit, reason=reason)

    def _pairs_change(self, old: TextVectors) -> Iterator[Measurement]:
        pairs = self._pairs_expected
        if not pairs.rows:
            yield self._nothing_expected("pairs.delta", _PAIRS)
            return
        change = pairs.change(old.vectors, self._new.vectors)
        slices = [(name, rows[pairs.text]) for name, rows in self._slices]
        yield from differences(pairs.sample(), [change], slices, margins=self._margins)

    def _quality(self, metric: str, k: int) -> Iterator[Measurement]:
        """How well the candidate finds what expectations put near."""
        if not self._pairs_expected.rows:
            yield self._nothing_expected(metric, metric)
            return
        name = metric.partition("@")[0]
        if name == "recall" and self._too_few(k):
            yield from self._untold(metric, k)
            return
        found = retrieval_quality(self._pairs_expected, self._new.neighbours(k))[name]
        for cut in self._slices:
            yield from means(self._sample, {metric: found}, cut)

    def _quality_change(self, name: str, k: int, old: TextVectors) -> Iterator[Measurement]:
        pairs = self._pairs_expected
        if not pairs.rows:
            yield self._nothing_expected(f"{name}.delta", name)
            return
        kind = name.partition("@")[0]
        if kind == "recall" and self._too_few(k):
            yield from self._untold(f"{name}.delta", k)
            return
        before, after = (
            retrieval_quality(pairs, one.neighbours(k))[kind] for one in (old, self._new)
        )
        change = PairedMetric(name, before, after)
        yield from differences(self._sample, [change], self._slices, margins=self._margins)

    def _duplicates(self) -> Iterator[Measurement | Table]:
        distinct = np.flatnonzero(self._new.distinct)
        n = int(distinct.size)
        if n < 2:
            reason = "it takes two texts that do not read alike"
            yield Measurement("duplicates", None, n, _TEXTS, reason=reason)
            return
        vectors = self._new.vectors[distinct]
        again = kernel.duplicated(vectors, self._same)
        yield Measurement("duplicates", float(again.mean()), n, _TEXTS)
        nearest = kernel.nearest(vectors, vectors, 1)[:, 0]
        texts = self._golden.query_text
        rows = [
            [texts[distinct[at]], texts[distinct[nearest[at]]]]
            for at in np.flatnonzero(again)[:_SHOWN].tolist()
        ]
        if rows:
            title = f"{int(again.sum()):,} of {n:,} texts have the vector of another text"
            columns = ["text", "has the vector of"]
            yield Table(title, columns, rows)

    def _worst_norm(self) -> Measurement:
        lengths = kernel.norms(self._new.vectors)
        middle, n = float(np.median(lengths)), int(lengths.size)
        if middle == 0:
            reason = "at least half of the vectors are zero, and point nowhere"
            return Measurement("norm.worst", None, n, "norm", reason=reason, cause=Cause.BREACH)
        off = np.abs(lengths - middle)
        worst = int(off.argmax())
        reason = (
            f"the vector of '{self._golden.query_text[worst]}' is "
            f"{lengths[worst]:.4g} long, the median is {middle:.4g}"
        )
        value = min(float(off[worst]) / middle, sys.float_info.max)
        return Measurement("norm.worst", value, n, "norm", reason=reason)

    def _spread(self, metric: str) -> Measurement:
        vectors = self._new.vectors[self._new.distinct]
        unit = "collapse" if metric == "collapse" else "rank"
        n = int(vectors.shape[0])
        if n < _FEWEST:
            reason = f"it takes {_FEWEST} texts that do not read alike"
            return Measurement(metric, None, n, unit, reason=reason)
        if not vectors.any():
            reason = "every vector is zero"
            return Measurement(metric, None, n, unit, reason=reason, cause=Cause.BREACH)
        measure = kernel.first_share if metric == "collapse" else kernel.effective_rank
        return Measurement(metric, measure(vectors), n, unit)


def _quality_metrics() -> Iterator[MetricSpec]:
    for name, words in _QUALITY.items():
        at = f"{name}@{{k}}"
        yield MetricSpec(at, f"{words}, among the k nearest", at, sliceable=True)
        change = f"candidate minus champion: {words}"
        yield MetricSpec(f"{at}.delta", change, at, sliceable=True)


CHECK = Check(
    CheckSpec(
        name="embedding",
        summary="vectors of texts: neighbours old and new, collapse, duplicates, stuffing",
        answers=AnswerForm.VECTORS,
        metrics=(
            MetricSpec(
                "neighbour-overlap@{k}",
                "share of each text's k nearest texts that both versions have in common",
                _NEIGHBOURS,
                sliceable=True,
            ),
            MetricSpec(
                "pairs",
                "texts nearer than another, as `closer` expects them",
                _PAIRS,
                by_query=True,
            ),
            MetricSpec("pairs.delta", "candidate minus champion: the same", _PAIRS, sliceable=True),
            *_quality_metrics(),
            MetricSpec("duplicates", "texts whose vector points as another text's does", _TEXTS),
            MetricSpec(
                "collapse", "how much of all vectors lies along one direction (1: all)", "collapse"
            ),
            MetricSpec("effective-rank", "in how many directions the vectors spread out", "rank"),
            MetricSpec(
                "norm.worst", "how far a length is from the median, as a share of it", "norm"
            ),
            MetricSpec(
                "stuffing@{k}",
                "share of the k nearest texts that stay when a word is said five times",
                _NEIGHBOURS,
                sliceable=True,
            ),
        ),
        options=EmbeddingOptions,
    ),
    _measure,
)
