"""`ranking-diff`: what changed between the champion's result lists and the candidate's.

Every difference is paired by query and weighted by what the query stands for. Queries without a
relevant judged document have no nDCG; they are left out of both arms alike and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks._ranked import judged, rank
from gates.checks._slices import cuts, margin_of
from gates.checks.ranking_diff.explanations import with_reasons
from gates.checks.ranking_diff.next_steps import judge_next, worst_places
from gates.checks.ranking_diff.pair import QUALITY, RankingPair
from gates.checks.ranking_diff.side_by_side import side_by_side
from gates.comparison.measuring import Sample, Slice, differences, means, share, superiority
from gates.domain.judging import Exhibit, Measurement
from gates.domain.subject import CheckPlan, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import NoChampion
from gates.kernels import similarity
from gates.kernels.packed import Floats

__all__ = ["CHECK"]

_PRIMARY = "ndcg@10"


class RankingDiffOptions(BaseModel):
    """Options of the ranking difference.

    Attributes:
        gain: `linear` (grade) or `exponential` (2^grade - 1).
        relevant: The grade from which a document counts as relevant (mrr, map, precision, recall).
        severe: A query that loses at least this much counts as a severe loss.
        rbo_p: RBO's persistence.
        resamples: Bootstrap resamples behind each interval.
        unjudged: What a document nobody judged is: `open` lets it decide a verdict (UNDECIDED, with
            the list to judge next), `irrelevant` counts it as not relevant, as trec_eval does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gain: Literal["linear", "exponential"] = "linear"
    relevant: float = Field(default=1.0, gt=0)
    severe: float = Field(default=0.3, gt=0, le=1)
    rbo_p: float = Field(default=0.9, gt=0, lt=1)
    resamples: int = Field(default=10_000, ge=1_000, le=1_000_000)
    unjudged: Literal["open", "irrelevant"] = "open"


def _measure(
    subject: Subject, plan: CheckPlan[RankingDiffOptions]
) -> Iterator[Measurement | Exhibit]:
    if subject.champion is None:
        raise NoChampion
    golden, options = subject.golden, plan.options
    coded, frame = judged(golden), golden.inputs()
    new = rank(coded, subject.candidate.scores(frame))
    old = rank(coded, subject.champion.scores(frame))
    pair = RankingPair(golden, coded, old, new, options.gain, options.relevant, options.rbo_p)
    slices = list(cuts(golden.slices, plan.slices, len(golden.query_id)))
    deltas = (one.removesuffix(".delta") for one in plan.metrics if one.endswith(".delta"))
    primary = next((one for one in deltas if re.fullmatch(r"ndcg@\d+", one)), _PRIMARY)
    measured = _Measured(subject, plan, pair, primary, slices)
    for metric in _wanted(plan.metrics, primary):
        yield from measured.of(metric)
    k = int(primary.partition("@")[2])
    change = pair.change(primary)
    lists = side_by_side(
        golden,
        coded,
        (old, new),
        metric=primary,
        k=k,
        severe=-options.severe,
        values=(change.old, change.new),
        likeness=(
            similarity.overlap_at(pair.pairing, k),
            similarity.rbo(pair.pairing, k, p=options.rbo_p),
            similarity.top1_changed(pair.pairing),
        ),
    )
    yield from with_reasons(subject, coded, (old, new), lists, options.gain)
    yield from worst_places(golden, change)
    yield from judge_next(pair, k)


def _wanted(metrics: tuple[str, ...], primary: str) -> list[str]:
    """What the card's bounds ask for, and what a reader of the report always wants to see."""
    always = (f"{primary}.delta", "severe-losses", "overlap@10", "rbo", "top1-changed", "judged@10")
    return list(dict.fromkeys((*metrics, *always)))


class _Measured:
    """Measurements by name, slice by slice."""

    def __init__(
        self,
        subject: Subject,
        plan: CheckPlan[RankingDiffOptions],
        pair: RankingPair,
        primary: str,
        slices: list[Slice],
    ) -> None:
        options = plan.options
        self._subject = subject
        self._pair = pair
        self._primary = primary
        self._slices = slices
        self._severe = options.severe
        self._margins = plan.margins
        self._bounded = options.unjudged == "open"
        golden = subject.golden
        self._sample = Sample(
            golden.design_weight, golden.census, options.resamples, subject.seed, options.severe
        )
        # Asked for, it is part of every difference: a shift that the champion makes by itself.
        self._noise = self._again() if {"noise", "noise.changed"} & {*plan.metrics} else ()

    def of(self, metric: str) -> Iterator[Measurement]:
        """One metric, the whole golden set first, then each slice."""
        noise = (self._noise[0].value or 0.0) if self._noise else 0.0
        if metric in ("noise", "noise.changed"):
            yield from (one for one in self._noise if one.metric == metric)
        elif metric.endswith(".delta"):
            name = metric.removesuffix(".delta")
            change = self._pair.change(name, noise=noise, bounded=self._bounded)
            margins = self._margins.get(metric, {})
            named = sum(margin_of(margins, cut[0]) is not None for cut in self._slices[1:])
            whole: list[Measurement] = []
            for cut in self._slices:
                margin = margin_of(margins, cut[0])
                found = differences(
                    self._sample, [change], cut, named=named, margin=margin, whole=whole
                )
                yield from found
                whole = whole or found
        elif metric.endswith(".p-better"):
            change = self._pair.change(metric.removesuffix(".p-better"))
            yield from superiority(self._sample, change, self._slices)
        else:
            hit = self._hits(metric)
            for cut in self._slices:
                if hit is not None:
                    yield share(metric, hit, cut)
                else:
                    yield from self._means(metric, cut)

    def _hits(self, metric: str) -> Floats | None:
        """1 where something is so of a query, 0 where not; None when that is no such metric."""
        pairing = self._pair.pairing
        if metric == "severe-losses":
            change = self._pair.change(self._primary)
            loss = change.new - change.old
            return np.where(np.isnan(loss), np.nan, loss <= -self._severe)
        if metric == "top1-changed":
            return similarity.top1_changed(pairing).astype(np.float64)
        if metric == "zero-results":
            return (similarity.zero_result_flips(pairing) < 0).astype(np.float64)
        return None

    def _means(self, metric: str, cut: Slice) -> list[Measurement]:
        values = self._pair.likeness(metric)
        if values is None:
            values = self._pair.quality(metric, self._pair.new)
        longest = float(np.diff(self._pair.coded.starts).max(initial=1))
        plausible = {"largest-move": (0.0, longest), "kendall-tau": (-1.0, 1.0)}
        span = plausible.get(metric, (-1.0, 1.0) if metric == "tau-ap" else (0.0, 1.0))
        return means(self._sample, {metric: values}, cut, plausible=span)

    def _again(self) -> tuple[Measurement, Measurement]:
        """The champion against itself in a fresh process: how far it moves, and how often."""
        champion, pair = self._subject.champion, self._pair
        assert champion is not None  # noqa: S101 - asked before
        with champion.apart() as fresh:
            again = rank(pair.coded, fresh.scores(pair.golden.inputs()))
        moved = similarity.rbo(replace(pair, new=again).pairing) < 1
        apart = np.abs(pair.quality(self._primary, again) - pair.quality(self._primary, pair.old))
        (mean,) = means(self._sample, {"noise": apart}, self._slices[0])
        largest = {"largest": float(np.nanmax(apart, initial=0.0))}
        return (
            Measurement("noise", mean.value, mean.n, self._primary, extra=largest),
            Measurement(
                "noise.changed",
                float(moved.mean()) if moved.size else None,
                int(moved.size),
                "share of queries",
                extra={"queries": float(moved.sum())},
            ),
        )


def _metrics() -> Iterator[MetricSpec]:
    for name, words in QUALITY.items():
        yield MetricSpec(
            f"{name}.delta", f"candidate minus champion: {words}", name, sliceable=True
        )
        yield MetricSpec(name, f"the candidate's {words}", name, sliceable=True)
        yield MetricSpec(
            f"{name}.p-better",
            f"how easily chance makes the candidate better in {name} (sign-flip p; Holm in slices)",
            "p",
            sliceable=True,
        )
    for name, words in {
        "severe-losses": "queries that lose at least `severe`",
        "top1-changed": "queries whose first document changed",
        "zero-results": "queries that lost all their results",
        "overlap@{k}": "documents that both top k share",
        "jaccard@{k}": "documents that both top k share, of those in either",
        "rbo": "rank-biased overlap of the whole lists, extrapolated",
        "kendall-tau": "rank correlation of the documents both lists hold",
        "tau-ap": "the same, where swaps at the top weigh more",
        "largest-move": "ranks by which a document moved at the most",
        "judged@{k}": "share of the candidate's top k that somebody judged",
    }.items():
        yield MetricSpec(name, words, "share", sliceable=True)
    yield MetricSpec("noise", "what the champion differs from itself, asked again", "nDCG")
    yield MetricSpec("noise.changed", "queries the champion ranks otherwise, asked again", "share")


CHECK = Check(
    CheckSpec(
        name="ranking-diff",
        summary="old and new result lists of the same queries, compared",
        answers=AnswerForm.SCORES,
        metrics=tuple(_metrics()),
        options=RankingDiffOptions,
    ),
    _measure,
)
