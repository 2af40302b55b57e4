"""From queries to measurements: what was won or lost, how surely, and how alike the lists are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gates.comparison.measuring import (
    PairedMetric,
    Sample,
    Slice,
    differences,
    means,
    share,
    superiority,
)
from gates.comparison.per_query import PerQuery, likeness_names
from gates.comparison.plan import ComparisonPlan
from gates.comparison.population import Population
from gates.domain.judging import Bound, Measurement

__all__ = ["CHECK", "bounds", "measure", "slices"]

CHECK = "diff"
"""The name under which a comparison's bounds stand."""


def slices(plan: ComparisonPlan, population: Population) -> Iterator[Slice]:
    """Each named slice and its queries, bool[P]; a column stands for all its values."""
    for name in plan.slices:
        column, equals, value = name.partition("=")
        held = np.array(population.slices[column], dtype=object)
        wanted = (value,) if equals else sorted({one for one in population.slices[column] if one})
        for one in wanted:
            yield f"{column}={one}", held == one


def bounds(plan: ComparisonPlan, named: list[str]) -> list[Bound]:
    """What is demanded: of the whole, of each named slice, and whatever else was asked for.

    Args:
        plan: What is asked.
        named: The slices, as `slices` names them.
    """
    metric = f"{plan.judged}.delta"
    least = -plan.margin if plan.slice_margin is None else -plan.slice_margin
    found = [Bound(CHECK, metric, minimum=-plan.margin)]
    found += [Bound(CHECK, metric, minimum=least, slice=one) for one in named]
    if plan.better:
        found.append(Bound(CHECK, f"{plan.judged}.p-better", maximum=0.05))
    if plan.max_severe is not None:
        found.append(Bound(CHECK, "severe-losses", maximum=plan.max_severe))
    return found


def measure(
    plan: ComparisonPlan, population: Population, per_query: PerQuery
) -> Iterator[Measurement]:
    """Every measurement: metrics and likeness of the whole, the judged metric slice by slice."""
    sample = Sample(population.weight, population.census, plan.resamples, plan.seed, plan.severe)
    whole: Slice = ("", np.ones(population.index.size, dtype=np.bool_))
    cuts = list(slices(plan, population))
    changes = [_change(plan, population, per_query, metric) for metric in plan.metrics]
    judged = changes[0]
    overall = differences(sample, changes, whole, named=len(cuts), margin=plan.margin)
    yield from overall
    loss = judged.new - judged.old
    yield share("severe-losses", np.where(np.isnan(loss), np.nan, loss <= -plan.severe), whole)
    if plan.better:
        yield from superiority(sample, judged, [whole])
    rbo, overlap, tau, top = likeness_names(plan)
    like = {name: per_query.likeness[name][population.index] for name in (rbo, overlap)}
    for name, arm in (("old", per_query.old), ("new", per_query.new)):
        like[f"judged@{plan.k}.{name}"] = arm[f"judged@{plan.k}"][population.index]
    yield from means(sample, like, whole)
    tau_values = {tau: per_query.likeness[tau][population.index]}
    yield from means(sample, tau_values, whole, plausible=(-1.0, 1.0))
    yield share(top, per_query.likeness[top][population.index], whole)
    margin = plan.margin if plan.slice_margin is None else plan.slice_margin

    for one in cuts:
        yield from differences(
            sample, [judged], one, named=len(cuts), margin=margin, whole=overall[:1]
        )


def _change(
    plan: ComparisonPlan, population: Population, per_query: PerQuery, metric: str
) -> PairedMetric:
    rows = population.index
    unjudged = None
    if metric == plan.judged and per_query.unjudged is not None:
        least, greatest = per_query.unjudged
        unjudged = (least[rows], greatest[rows])
    return PairedMetric(metric, per_query.old[metric][rows], per_query.new[metric][rows], unjudged)
