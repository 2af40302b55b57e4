"""`ranking-diff`: what changed between the champion's result lists and the candidate's.

Every difference is paired by query and weighted by what the query stands for. Queries without a
relevant judged document have no nDCG; they are left out of both arms alike and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks._lists import side_by_side
from gates.checks._ranked import Judged, Ranked, judged, rank
from gates.checks._slices import cuts
from gates.checks._why import with_reasons
from gates.domain import Exhibit, Measurement
from gates.errors import NoChampion
from gates.kernels import ranking, similarity
from gates.kernels.intervals import bootstrap_t, clopper_pearson
from gates.kernels.packed import Bools, Floats
from gates.kernels.power import minimum_detectable_effect
from gates.subject import GoldenSet, Plan, Subject

__all__ = ["CHECK"]

_PRIMARY = "ndcg@10.delta"


class Options(BaseModel):
    """Options of the ranking difference.

    Attributes:
        gain: `linear` (grade) or `exponential` (2^grade - 1).
        relevant: The grade from which a document counts as relevant (mrr, map, precision, recall).
        severe: A query that loses at least this much counts as a severe loss.
        rbo_p: RBO's persistence.
        resamples: Bootstrap resamples behind each interval.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gain: Literal["linear", "exponential"] = "linear"
    relevant: float = Field(default=1.0, gt=0)
    severe: float = Field(default=0.3, gt=0, le=1)
    rbo_p: float = Field(default=0.9, gt=0, lt=1)
    resamples: int = Field(default=10_000, ge=1_000, le=1_000_000)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Both arms' lists of one golden set."""

    golden: GoldenSet
    coded: Judged
    old: Ranked
    new: Ranked
    options: Options
    seed: int

    def quality(self, metric: str, arm: Ranked) -> Floats:
        """A quality metric of one arm, float64[Q], NaN where it does not exist."""
        name, _, k = metric.partition("@")
        depth = int(k) if k else None
        coded = self.coded
        lists = (coded.starts, arm.grades, coded.ideal_starts, coded.ideal_grades)
        if name == "ndcg":
            return ranking.ndcg(*lists, depth, self.options.gain)
        kernel: Callable[..., Floats] = {
            "mrr": ranking.reciprocal_rank,
            "map": ranking.average_precision,
            "precision": ranking.precision_at,
            "recall": ranking.recall_at,
        }[name]
        return kernel(*lists, depth, relevant=self.options.relevant)


def _measure(subject: Subject, plan: Plan) -> Iterator[Measurement | Exhibit]:
    if subject.champion is None:
        raise NoChampion
    golden = subject.golden
    coded = judged(golden)
    frame = golden.inputs()
    new = rank(golden, coded, subject.candidate.scores(frame))
    old = rank(golden, coded, subject.champion.scores(frame))
    options: Options = plan.options
    pair = _Pair(golden, coded, old, new, options, subject.seed)
    pairing = similarity.pair(coded.starts, old.docs, coded.starts, new.docs)
    slices = list(cuts(golden.slices, plan.slices, len(golden.query_id)))
    primary = next((one for one in plan.metrics if re.fullmatch(r"ndcg@\d+\.delta", one)), _PRIMARY)
    primary = primary.removesuffix(".delta")
    for metric in _wanted(plan.metrics, primary):
        yield from _measure_one(pair, pairing, metric, primary, slices)
    k = int(primary.partition("@")[2])
    before, after = pair.quality(primary, old), pair.quality(primary, new)
    overlap = similarity.overlap_at(pairing, k)
    rbo = similarity.rbo(pairing, k, p=options.rbo_p)
    changed = similarity.top1_changed(pairing)
    lists = side_by_side(
        golden,
        coded,
        (old, new),
        metric=primary,
        k=k,
        severe=-options.severe,
        values=(before, after),
        likeness=(overlap, rbo, changed),
    )
    yield from with_reasons(subject, coded, (old, new), lists, options.gain)


def _wanted(metrics: tuple[str, ...], primary: str) -> list[str]:
    """What the card's bounds ask for, and what a reader of the report always wants to see."""
    always = (f"{primary}.delta", "severe-losses", "overlap@10", "rbo", "top1-changed", "judged@10")
    return list(dict.fromkeys((*metrics, *always)))


def _measure_one(
    pair: _Pair,
    pairing: similarity.Pairing,
    metric: str,
    primary: str,
    slices: list[tuple[str, Bools]],
) -> Iterator[Measurement]:
    if metric.endswith(".delta"):
        name = metric.removesuffix(".delta")
        before, after = pair.quality(name, pair.old), pair.quality(name, pair.new)
        cut = partial(_difference, pair, metric, before, after)
    elif metric == "severe-losses":
        loss = pair.quality(primary, pair.new) - pair.quality(primary, pair.old)
        cut = partial(
            _share, metric, np.where(np.isnan(loss), np.nan, loss <= -pair.options.severe)
        )
    elif metric == "top1-changed":
        cut = partial(_share, metric, similarity.top1_changed(pairing).astype(float))
    else:
        cut = partial(_mean, pair, metric, _likeness(pair, pairing, metric))
    for name, rows in slices:
        yield cut(name, rows)


def _likeness(pair: _Pair, pairing: similarity.Pairing, metric: str) -> Floats:
    name, _, k = metric.partition("@")
    if name == "overlap":
        return similarity.overlap_at(pairing, int(k))
    if name == "rbo":
        return similarity.rbo(pairing, p=pair.options.rbo_p)
    if name == "kendall-tau":
        return similarity.kendall_tau(pairing)
    if name == "judged":
        return ranking.judged_at(pair.coded.starts, pair.new.grades, int(k))
    return pair.quality(metric, pair.new)


def _difference(
    pair: _Pair, metric: str, before: Floats, after: Floats, name: str, rows: Bools
) -> Measurement:
    exists = rows & ~np.isnan(before) & ~np.isnan(after)
    n = int(exists.sum())
    if n == 0:
        reason = "no query with a relevant judged document"
        return Measurement(metric, None, 0, metric, slice=name, reason=reason)
    weight = pair.golden.design_weight[exists]
    change = after[exists] - before[exists]
    interval = bootstrap_t(
        change,
        weight,
        census=pair.golden.census[exists],
        resamples=pair.options.resamples,
        seed=pair.seed,
    )
    extra: Mapping[str, float | None] = {
        "old": float(np.average(before[exists], weights=weight)),
        "new": float(np.average(after[exists], weights=weight)),
        "n_eff": interval.n_eff,
        "left_out": float(rows.sum() - n),
        # The estimate's own standard error has the design in it already.
        "mde": minimum_detectable_effect(interval.standard_error, 1) if n > 1 else None,
        "wins": float((change > 0).sum()),
        "ties": float((change == 0).sum()),
        "losses": float((change < 0).sum()),
    }
    return Measurement(
        metric,
        interval.estimate,
        n,
        metric.removesuffix(".delta"),
        interval.lower,
        interval.upper,
        slice=name,
        extra=extra,
    )


def _share(metric: str, hit: Floats, name: str, rows: Bools) -> Measurement:
    kept = hit[rows & ~np.isnan(hit)]
    n, hits = int(kept.size), int(kept.sum())
    if n == 0:
        reason = "no query to compare"
        return Measurement(metric, None, 0, "share of queries", slice=name, reason=reason)
    lower, upper = clopper_pearson(hits, n)
    unit = "share of queries"
    return Measurement(
        metric, hits / n, n, unit, lower, upper, name, extra={"queries": float(hits)}
    )


def _mean(pair: _Pair, metric: str, values: Floats, name: str, rows: Bools) -> Measurement:
    exists = rows & ~np.isnan(values)
    n = int(exists.sum())
    if n == 0:
        return Measurement(metric, None, 0, metric, slice=name, reason="no query to compare")
    interval = bootstrap_t(
        values[exists],
        pair.golden.design_weight[exists],
        census=pair.golden.census[exists],
        resamples=pair.options.resamples,
        seed=pair.seed,
    )
    lower, upper = interval.lower, interval.upper
    return Measurement(metric, interval.estimate, n, metric, lower, upper, slice=name)


def _metrics() -> Iterator[MetricSpec]:
    for name, words in {
        "ndcg@{k}": "normalised discounted cumulative gain of the top k",
        "mrr": "reciprocal rank of the first relevant document",
        "map": "average precision",
        "precision@{k}": "share of relevant documents in the top k",
        "recall@{k}": "share of all relevant documents that are in the top k",
    }.items():
        yield MetricSpec(
            f"{name}.delta", f"candidate minus champion: {words}", name, sliceable=True
        )
        yield MetricSpec(name, f"the candidate's {words}", name, sliceable=True)
    for name, words in {
        "severe-losses": "queries that lose at least `severe`",
        "top1-changed": "queries whose first document changed",
        "overlap@{k}": "documents that both top k share",
        "rbo": "rank-biased overlap of the whole lists, extrapolated",
        "kendall-tau": "rank correlation of the documents both lists hold",
        "judged@{k}": "share of the candidate's top k that somebody judged",
    }.items():
        yield MetricSpec(name, words, "share", sliceable=True)


CHECK = Check(
    CheckSpec(
        name="ranking-diff",
        summary="old and new result lists of the same queries, compared",
        tasks=frozenset({"ranking"}),
        metrics=tuple(_metrics()),
        options=Options,
    ),
    _measure,
)
