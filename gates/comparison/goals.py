"""What a bound asks of samples that are still to come, told from queries that were measured.

A version is planned for by its effect: by how much it is better on average, in the whole and in
each slice alike. Its differences scatter from query to query as the measured ones did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from gates.comparison.measure import MeasuredQueries
from gates.comparison.measures import SEVERE, metric_of
from gates.comparison.metric import Metric
from gates.comparison.metrics import find
from gates.comparison.paired import PairedMetric
from gates.comparison.slices import cuts
from gates.domain.judging import Bound
from gates.kernels.packed import Bools, Floats
from gates.kernels.planning import Goal

__all__ = ["goals_of", "limit_of"]

_DELTA = ".delta"


def goals_of(
    bound: Bound, queries: MeasuredQueries, effects: Mapping[str, float]
) -> tuple[Goal, ...]:
    """The goals that a version with some effects must meet: one for each limit of the bound.

    An upper limit is a lower one with all signs turned.

    Args:
        bound: Of a check that compares rankings.
        queries: What was measured of its queries.
        effects: metric, such as `ndcg@10` → by how much the version is better; those that are not
            named are as in the queries.

    Returns:
        Empty where the bound is about something that was not measured query by query, or about a
        slice that nobody has.
    """
    rows = _rows(bound, queries)
    if rows is None or bound.metric.endswith(".p-better"):
        return ()
    try:
        return tuple(_goals(bound, queries, effects, rows))
    except KeyError:  # not among the metrics that were measured
        return ()


def limit_of(bound: Bound, goal: int, limit: float) -> float:
    """What the bound would have to demand for a goal's limit, with the bound's own sign.

    Args:
        bound: As in `goals_of`.
        goal: Which of its goals.
        limit: The goal's.
    """
    first = bound.minimum if bound.minimum is not None else bound.maximum
    lower = bound.minimum is not None and goal == 0
    if bound.metric.endswith(".change"):  # see `_relative`: its goal is a difference from 0
        return float(first or 0.0)
    return limit if lower else -limit


def _rows(bound: Bound, queries: MeasuredQueries) -> Bools | None:
    population = queries.population
    size = population.weight.size
    if not bound.slice:
        return np.ones(size, np.bool_)
    if bound.slice.partition("=")[0] not in population.slices:
        return None
    found = dict(cuts(population.slices, [bound.slice], size))[bound.slice]
    return found if found.any() else None


def _goals(
    bound: Bound, queries: MeasuredQueries, effects: Mapping[str, float], rows: Bools
) -> Iterator[Goal]:
    name = bound.metric
    for limit, sign in ((bound.minimum, 1.0), (bound.maximum, -1.0)):
        if limit is None:
            continue
        column = bound.slice.partition("=")[0]
        family = f"{name} {sign:g} {column}" if column and name.endswith(_DELTA) else ""
        if name.endswith(".change"):
            yield _relative(queries, metric_of(name), effects, rows, (limit, sign))
            continue
        values, worst = _values(name, queries, effects, rows, sign)
        yield Goal(np.where(rows, sign * values, np.nan), sign * limit, worst, family=family)


def _values(
    name: str, queries: MeasuredQueries, effects: Mapping[str, float], rows: Bools, sign: float
) -> tuple[Floats, float]:
    """Values at the end that grades still to come may make worst, and the worst unseen one."""
    severe = queries.severe
    if name == SEVERE:
        judged = queries.change(queries.measures.judged)
        least, most = judged.gain_ends
        gain = (least if sign < 0 else most) + _shift(judged, queries, effects, rows)
        lost = np.where(np.isnan(judged.measured), np.nan, gain <= -severe)
        return lost, -1.0 if sign < 0 else 0.0
    measure = find(metric_of(name))
    if isinstance(measure, Metric):
        change = queries.change(measure)
        toward = 1.0 if measure.higher_is_better else -1.0
        shift = toward * _shift(change, queries, effects, rows)
        if name.endswith(_DELTA):
            return change.ends[0 if sign > 0 else 1] + shift, -severe
        of_arm, span = change.new + shift, measure.span
    else:
        of_arm = queries.per_query.likeness[name]
        span = measure.span or (0.0, float(queries.per_query.longest))
    return of_arm, span[0] if sign > 0 else -span[1]


def _relative(
    queries: MeasuredQueries,
    metric: str,
    effects: Mapping[str, float],
    rows: Bools,
    limit: tuple[float, float],
) -> Goal:
    """A change of at least so much: `new - (1 + limit) old` is at least 0 on average."""
    found = find(metric)
    if not isinstance(found, Metric):
        raise KeyError(metric)
    change = queries.change(found)
    least, sign = limit
    toward = 1.0 if found.higher_is_better else -1.0
    shift = toward * _shift(change, queries, effects, rows)
    values = change.ends[0 if sign > 0 else 1] + shift - least * change.old
    return Goal(np.where(rows, sign * values, np.nan), 0.0, -queries.severe)


def _shift(
    change: PairedMetric, queries: MeasuredQueries, effects: Mapping[str, float], rows: Bools
) -> float:
    """By how much the gains have to move for their mean to be the effect."""
    weight = queries.population.weight
    there = rows & ~np.isnan(change.gain) & (weight > 0)
    if change.metric not in effects or not there.any():
        return 0.0
    return effects[change.metric] - float(np.average(change.gain[there], weights=weight[there]))
