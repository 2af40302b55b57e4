"""From queries to measurements: what was won or lost, how surely, and how alike the lists are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gates.difference.per_query import PerQuery, likeness_names
from gates.difference.plan import Plan
from gates.difference.population import Population
from gates.domain import Bound, Measurement
from gates.kernels.intervals import Interval, bootstrap_columns, clopper_pearson, sign_flip_p
from gates.kernels.packed import Bools, Floats
from gates.kernels.power import minimum_detectable_effect, queries_needed
from gates.rankings.parallel import in_order

__all__ = ["CHECK", "bounds", "measure", "slices"]

CHECK = "diff"
"""The name under which a comparison's bounds stand."""

_SHARE = "share of queries"


def slices(plan: Plan, population: Population) -> Iterator[tuple[str, Bools]]:
    """Each named slice and its queries, bool[P]; a column stands for all its values."""
    for name in plan.slices:
        column, equals, value = name.partition("=")
        held = np.array(population.slices[column], dtype=object)
        wanted = (value,) if equals else sorted({one for one in population.slices[column] if one})
        for one in wanted:
            yield f"{column}={one}", held == one


def bounds(plan: Plan, named: list[str]) -> list[Bound]:
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


def measure(plan: Plan, population: Population, per_query: PerQuery) -> Iterator[Measurement]:
    """Every measurement: metrics and likeness of the whole, the judged metric slice by slice."""
    whole = np.ones(population.index.size, dtype=np.bool_)
    cuts = list(slices(plan, population))
    deltas = _deltas(plan, population, per_query, plan.metrics, whole, "", len(cuts))
    yield from deltas
    loss = per_query.delta(plan.judged)[population.index]
    yield _share("severe-losses", np.where(np.isnan(loss), np.nan, loss <= -plan.severe))
    if plan.better:
        yield _superiority(plan, population, loss)
    names = likeness_names(plan)
    values = [per_query.likeness[name][population.index] for name in names[:-1]]
    values += [arm[f"judged@{plan.k}"][population.index] for arm in (per_query.old, per_query.new)]
    intervals = _intervals(plan, population, values, whole, (0.0, 1.0))
    labels = (*names[:-1], f"judged@{plan.k}.old", f"judged@{plan.k}.new")
    for name, interval in zip(labels, intervals, strict=True):
        yield _mean(name, interval)
    yield _share(names[-1], per_query.likeness[names[-1]][population.index])

    def cut(one: tuple[str, Bools]) -> list[Measurement]:
        name, rows = one
        judged = (plan.judged,)
        return list(_deltas(plan, population, per_query, judged, rows, name, len(cuts)))

    for found in in_order(cut, cuts):
        yield from found


def _deltas(
    plan: Plan,
    population: Population,
    per_query: PerQuery,
    metrics: tuple[str, ...],
    rows: Bools,
    name: str,
    named: int,
) -> Iterator[Measurement]:
    changes = [per_query.delta(metric)[population.index] for metric in metrics]
    intervals = _intervals(plan, population, changes, rows, (-plan.severe, plan.severe))
    for metric, change, interval in zip(metrics, changes, intervals, strict=True):
        exists = rows & ~np.isnan(change)
        if not interval.n:
            reason = "no query with a relevant judged document"
            yield Measurement(f"{metric}.delta", None, 0, metric, slice=name, reason=reason)
            continue
        weight = population.weight[exists]
        error = interval.standard_error
        margin = plan.slice_margin if name and plan.slice_margin is not None else plan.margin
        needed = queries_needed(error * interval.n_eff**0.5, margin, slices=max(named, 1))
        yield Measurement(
            f"{metric}.delta",
            interval.estimate,
            interval.n,
            metric,
            interval.lower,
            interval.upper,
            slice=name,
            extra={
                "old": _average(per_query.old[metric][population.index][exists], weight),
                "new": _average(per_query.new[metric][population.index][exists], weight),
                "n_eff": interval.n_eff,
                "left_out": float(rows.sum() - interval.n),
                "mde": minimum_detectable_effect(error, 1, slices=max(named, 1)),
                "n_needed": float(needed),
                "wins": float((change[exists] > 0).sum()),
                "ties": float((change[exists] == 0).sum()),
                "losses": float((change[exists] < 0).sum()),
            },
        )


def _intervals(
    plan: Plan,
    population: Population,
    values: list[Floats],
    rows: Bools,
    plausible: tuple[float, float] | None,
) -> list[Interval]:
    """An interval for each column of values; `plausible` bounds what queries not drawn may have."""
    return bootstrap_columns(
        np.stack(values, axis=1)[rows],
        population.weight[rows],
        census=population.census[rows],
        resamples=plan.resamples,
        seed=plan.seed,
        plausible=plausible,
    )


def _average(values: Floats, weight: Floats) -> float:
    return float(np.average(values, weights=weight))


def _mean(metric: str, interval: Interval) -> Measurement:
    if not interval.n:
        return Measurement(metric, None, 0, metric, reason="no query to compare")
    return Measurement(
        metric, interval.estimate, interval.n, metric, interval.lower, interval.upper
    )


def _share(metric: str, hit: Floats) -> Measurement:
    kept = hit[~np.isnan(hit)]
    n, hits = int(kept.size), int(kept.sum())
    if not n:
        return Measurement(metric, None, 0, _SHARE, reason="no query to compare")
    lower, upper = clopper_pearson(hits, n)
    return Measurement(metric, hits / n, n, _SHARE, lower, upper, extra={"queries": float(hits)})


def _superiority(plan: Plan, population: Population, change: Floats) -> Measurement:
    exists = ~np.isnan(change)
    p = sign_flip_p(
        change[exists], population.weight[exists], resamples=plan.resamples, seed=plan.seed
    )
    return Measurement(f"{plan.judged}.p-better", p, int(exists.sum()), "p")
