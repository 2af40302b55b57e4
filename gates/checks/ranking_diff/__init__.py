"""`ranking-diff`: what changed between the champion's result lists and the candidate's.

Every difference is paired by query and weighted by what the query stands for. Queries without a
relevant judged document have no nDCG; they are left out of both arms alike and counted.

    golden_rows.py     the golden set's rows, as a comparison asks for them
    explanations.py    why documents moved: what their features contributed
    annotators.py      what single annotators said of them
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check, Found
from gates.checks._ranked import judged, rank
from gates.checks.ranking_diff.explanations import with_reasons
from gates.checks.ranking_diff.golden_rows import GoldenRows
from gates.comparison.exhibits import judge_next, most_changed, side_by_side, worst_places
from gates.comparison.measure import MeasuredQueries
from gates.comparison.measured_rows import Request, measured, rows_of
from gates.comparison.measures import SEVERE, RankingMeasures
from gates.comparison.measuring import means
from gates.comparison.metric import Metric
from gates.comparison.metrics import likeness_measures, quality, quality_metrics
from gates.comparison.per_query import measure_queries
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import NoChampion

__all__ = ["CHECK"]

_ALWAYS = (SEVERE, "overlap@10", "rbo", "top1-changed", "judged@10")
_NOISE = ("noise", "noise.changed")


class RankingDiffOptions(BaseModel):
    """Options of the ranking difference.

    Attributes:
        gain: `linear` (grade) or `exponential` (2^grade - 1).
        relevant: The grade from which a document counts as relevant (mrr, map, precision, recall).
        severe: A query that loses at least this much counts as a severe loss.
        rbo_p: RBO's persistence.
        unjudged: What a document nobody judged is: `open` lets it decide a verdict (UNDECIDED, with
            the list to judge next), `irrelevant` counts it as not relevant, as trec_eval does.
        random_order: Whether a bound of a whole set's difference may be so wide that a random order
            of the same documents keeps it: `refused` makes it UNDECIDED.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gain: Literal["linear", "exponential"] = "linear"
    relevant: float = Field(default=1.0, gt=0)
    severe: float = Field(default=0.3, gt=0, le=1)
    rbo_p: float = Field(default=0.9, gt=0, lt=1)
    unjudged: Literal["open", "irrelevant"] = "open"
    random_order: Literal["refused", "allowed"] = "refused"


def _measure(subject: Subject, plan: CheckPlan[RankingDiffOptions]) -> Iterator[Found]:
    if subject.champion is None:
        raise NoChampion
    golden, options = subject.golden, plan.options
    coded, frame = judged(golden), golden.inputs()
    new = rank(coded, subject.candidate.scores(frame))
    old = rank(coded, subject.champion.scores(frame))
    rows, primary = GoldenRows(golden, coded, old, new), _primary(plan.metrics)
    names = _wanted(plan.metrics, primary)
    queries = _measured(rows, primary, names, options)
    # Asked for, it is part of every difference: a shift that the champion makes by itself.
    if {*_NOISE} & {*plan.metrics}:
        noise = _noise(subject, rows, primary, options)
        yield from (one for one in noise if one.metric in plan.metrics)
        queries = replace(queries, noise=noise[0].value or 0.0)
    margins = {metric.removesuffix(".delta"): of for metric, of in plan.margins.items()}
    request = Request(tuple(names), tuple(plan.slices), margins)
    yield from measured(queries, request)
    yield rows_of(queries, request, rows.names(np.arange(rows.queries)))
    k = primary.depth or 0
    shown = most_changed(queries.gain, all_of_them=True)
    lists = rows.lists(np.arange(rows.queries))
    found = side_by_side(queries, rows, shown, lists, k)
    yield from with_reasons(subject, coded, (old, new), found, options.gain)
    yield from worst_places(queries)
    yield from judge_next(queries, lists, dict(enumerate(queries.population.text or ())))


def _primary(metrics: Sequence[str]) -> Metric:
    """The metric whose severe losses count and whose worst queries are shown."""
    for name in metrics:
        if name.endswith(".delta") and (metric := quality(name.removesuffix(".delta"))).unjudged:
            return metric
    return quality("ndcg@10")


def _wanted(metrics: Sequence[str], primary: Metric) -> list[str]:
    """What the card's bounds ask for, and what a reader of the report always wants to see."""
    wanted = dict.fromkeys((*metrics, f"{primary.name}.delta", *_ALWAYS))
    return [one for one in wanted if one not in _NOISE]


def _measured(
    rows: GoldenRows,
    primary: Metric,
    names: Sequence[str],
    options: RankingDiffOptions,
) -> MeasuredQueries:
    measures = RankingMeasures(
        primary,
        tuple(names),
        options.gain,
        options.relevant,
        options.rbo_p,
        options.unjudged == "open",
    )
    population = rows.population()
    per_query = measure_queries(measures, rows, population)
    return MeasuredQueries(
        measures, population, per_query, options.severe, random_order=options.random_order
    )


def _noise(
    subject: Subject, rows: GoldenRows, primary: Metric, options: RankingDiffOptions
) -> tuple[Measurement, Measurement]:
    """The champion against itself in a fresh process: how far it moves, and how often."""
    champion = subject.champion
    assert champion is not None  # noqa: S101 - asked before
    with champion.apart() as fresh:
        again = rank(rows.coded, fresh.scores(rows.golden.inputs()))
    both = replace(rows, new=again)
    queries = _measured(both, primary, ["rbo"], options)
    change = queries.change(primary)
    apart = np.abs(change.measured)
    if not change.tells(np.ones(apart.size, np.bool_)):
        apart[:] = np.nan
    (mean,) = means(queries.sample, {"noise": apart}, ("", np.ones(apart.size, np.bool_)))
    largest = {"largest": float(np.nanmax(apart, initial=0.0))}
    moved = queries.per_query.likeness["rbo"] < 1
    return (
        Measurement("noise", mean.value, mean.n, primary.name, extra=largest),
        Measurement(
            "noise.changed",
            float(moved.mean()) if moved.size else None,
            int(moved.size),
            "share of queries",
            extra={"queries": float(moved.sum())},
        ),
    )


def _metrics() -> Iterator[MetricSpec]:
    for one in quality_metrics():
        name, words, unit = one.name, one.words, one.unit or one.name
        yield MetricSpec(name, f"the candidate's {words}", unit, sliceable=True)
        if one.describes == "ranking":
            change = f"candidate minus champion: {words}"
            yield MetricSpec(f"{name}.delta", change, unit, sliceable=True)
            share = f"the same, as a share of the champion's {name}"
            yield MetricSpec(f"{name}.change", share, "relative change", sliceable=True)
            chance = f"how easily chance makes a candidate whose mean {name} is no better"
            chance += " look so (p; Holm in slices)"
            yield MetricSpec(f"{name}.p-better", chance, "p", sliceable=True)
    yield MetricSpec(SEVERE, "traffic that loses at least `severe`", "share", sliceable=True)
    for measure in likeness_measures():
        yield MetricSpec(measure.name, measure.words, "share", sliceable=True)
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
