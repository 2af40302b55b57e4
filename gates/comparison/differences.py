"""From paired values a query to differences, with how far each can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from gates.comparison.measuring import Sample, open_mean
from gates.comparison.paired import PairedMetric
from gates.comparison.slices import Slice, margin_of
from gates.domain.judging import Cause, Measurement
from gates.kernels.informative import ALIKE, UNMEASURED
from gates.kernels.losses import loss_bounds
from gates.kernels.mean_bounds import Bounds, mean_p
from gates.kernels.multiplicity import holm
from gates.kernels.packed import Bools, Floats
from gates.kernels.power import minimum_detectable_effect, queries_needed, standard_error

__all__ = ["differences", "guarantee", "superiority"]

_POWER = 0.8  # of a PASS for an equal version, for which margins and queries are planned


def differences(
    sample: Sample,
    changes: Sequence[PairedMetric],
    slices: Sequence[Slice],
    *,
    margins: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    in_slices: Sequence[PairedMetric] | None = None,
) -> list[Measurement]:
    """New minus old of each metric, over the queries of each slice for which both exist.

    Args:
        sample: The queries.
        slices: The whole, and then the slices; each speaks for itself.
        margins: metric → slice key as a card writes it → what may be lost there, to tell how many
            queries it takes to see that it is not.
        in_slices: Those to cut by slice; None for all.

    Returns:
        The whole set's, and then slice by slice.
    """
    found = [*_differences(sample, changes, slices, slices[0], margins)]
    chosen = changes if in_slices is None else in_slices
    for cut in slices[1:] if chosen else ():
        found += _differences(sample, chosen, slices, cut, margins)
    return found


def _differences(
    sample: Sample,
    changes: Sequence[PairedMetric],
    slices: Sequence[Slice],
    cut: Slice,
    margins: Mapping[str, Mapping[str, float]],
) -> Iterator[Measurement]:
    name, rows = cut
    # Zeros that nobody measured must not make a difference look small: what is concluded has to
    # hold with those queries and without them.
    partly = [one for one in changes if (one.kind[rows] == UNMEASURED).any()]
    values = [*(one.new - one.old for one in changes), *(one.measured for one in partly)]
    ends = [*(one.ends for one in changes), *map(_measured_ends, partly)]
    unknown = any(one.unjudged for one in changes)
    plausible = (-sample.severe, sample.severe)
    every = sample.bounds(values, rows, plausible, ends if unknown else None)
    without = dict(zip((one.metric for one in partly), every[len(changes) :], strict=True))
    for one, bounds in zip(changes, every[: len(changes)], strict=True):
        bounds = _with_and_without(bounds, without.get(one.metric))
        allowed = margins.get(one.metric, {})
        # Where slices must hold besides the whole, the power is shared between them.
        named = sum(margin_of(allowed, other) is not None for other, _ in slices[1:])
        plan = _Plan(margin_of(allowed, name), max(named, 1))
        yield _difference(sample, one, bounds, cut, plan)


def _measured_ends(change: PairedMetric) -> tuple[Floats, Floats]:
    unread = change.kind == UNMEASURED
    least, most = (np.where(unread, np.nan, one) for one in change.ends)
    return least, most


def _with_and_without(bounds: Bounds, measured: Bounds | None) -> Bounds:
    """Bounds that also hold what the queries that were measured show by themselves."""
    if measured is None or not measured.n:
        return bounds
    lower, upper = min(bounds.lower, measured.lower), max(bounds.upper, measured.upper)
    return replace(bounds, lower=lower, upper=upper)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What may be lost, None where nobody says, and in how many slices it must hold."""

    margin: float | None
    slices: int


def _difference(
    sample: Sample, change: PairedMetric, bounds: Bounds, cut: Slice, plan: _Plan
) -> Measurement:
    name, rows = cut
    metric, unit = f"{change.metric}.delta", change.unit or change.metric
    exists = rows & ~np.isnan(change.gain)
    if not bounds.n:
        reason = "no query with a relevant judged document"
        return Measurement(metric, None, 0, unit, slice=name, reason=reason)
    if not change.tells(rows):
        reason = _why_nothing_tells(change, exists)
        return Measurement(
            metric,
            None,
            0,
            unit,
            slice=name,
            reason=reason,
            cause=Cause.NOTHING_COMPARED,
            extra=_both(change, exists, sample.weight),
        )
    lower, upper = bounds.lower - change.noise, bounds.upper + change.noise
    weight, gain = sample.weight[exists], change.gain[exists]
    extra: dict[str, float | None] = {
        **_both(change, exists, sample.weight),
        **_range(change, exists, sample.weight),
        "n_eff": bounds.n_eff,
        "left_out": float(rows.sum() - bounds.n),
        **_planned(sample, change, rows, bounds, plan),
        "wins": float((gain > 0).sum()),
        "ties": float((gain == 0).sum()),
        "losses": float((gain < 0).sum()),
        **_uninformative(change, exists, sample.weight),
    }
    pessimistic, optimistic = open_mean(change.unjudged, exists, weight)
    return Measurement(
        metric,
        bounds.estimate,
        bounds.n,
        unit,
        lower,
        upper,
        slice=name,
        pessimistic=pessimistic,
        optimistic=optimistic,
        random_order=None
        if change.random_order == "allowed"
        else change.in_random_order(exists, sample.weight),
        extra=extra,
    )


def _planned(
    sample: Sample, change: PairedMetric, rows: Bools, bounds: Bounds, plan: _Plan
) -> dict[str, float | None]:
    """The margin an equal version keeps four times in five, and the queries that a margin takes."""
    gain, least = bounds.estimate, bounds.lower
    if not change.higher_is_better:
        gain, least = -bounds.estimate, -bounds.upper
    design, values, worst = sample.design(rows), change.gain[rows], -sample.severe
    error = standard_error(values, design, worst=worst)
    found: dict[str, float | None] = {
        "mde": minimum_detectable_effect(gain - least, error, power=_POWER)
    }
    # A bound that holds already needs no more queries.
    if plan.margin and least <= -plan.margin:
        needed = queries_needed(
            values,
            design,
            plan.margin,
            worst=worst,
            alpha=sample.alpha,
            power=_POWER,
            slices=plan.slices,
        )
        found["n_needed"] = needed if np.isfinite(needed) else None
    return found


def guarantee(
    sample: Sample, change: PairedMetric, rows: Bools, most: float
) -> dict[str, float | None]:
    """What is known of losses, whatever the mean: as `gates.kernels.losses` bounds them.

    Args:
        sample: The queries.
        change: The metric that is judged.
        rows: bool[Q], the queries that count.
        most: The most that a query can lose.
    """
    unread, (least, _) = change.kind == UNMEASURED, change.gain_ends
    values = np.stack((change.gain, np.where(unread, np.nan, change.gain)), axis=1)[rows]
    worst = np.stack((least, np.where(unread, np.nan, least)), axis=1)[rows]
    found = loss_bounds(
        values,
        sample.design(rows),
        severe=sample.severe,
        most=most,
        alpha=sample.alpha,
        least=worst,
    )
    # With the queries that nobody measured, and without them.
    known = [one for one in found if np.isfinite(one.together)]
    if not known:
        return {}
    return {
        "mean_loss": max(one.mean_loss for one in known) + change.noise,
        "severe": sample.severe,
        "of_traffic": float(sample.share_of == "traffic"),
        "severe_share": max(one.severe_share for one in known),
        "together": max(one.together for one in known) + change.noise,
    }


def _both(change: PairedMetric, exists: Bools, weight: Floats) -> dict[str, float | None]:
    return {
        "old": float(np.average(change.old[exists], weights=weight[exists])),
        "new": float(np.average(change.new[exists], weights=weight[exists])),
    }


def _range(change: PairedMetric, exists: Bools, weight: Floats) -> dict[str, float | None]:
    """What the metric comes to without any model, and at its best."""
    ends = {"random": change.random, "ideal": change.ideal}
    return {
        name: float(np.average(one[exists], weights=weight[exists]))
        for name, one in ends.items()
        if one is not None
    }


def _uninformative(change: PairedMetric, exists: Bools, weight: Floats) -> dict[str, float | None]:
    """How many queries cannot tell the rankings apart, and the difference among the others."""
    kind = change.kind
    blind = exists & ((kind == ALIKE) | (kind == UNMEASURED))
    if not blind.any():
        return {}
    others = exists & ~blind
    return {
        "uninformative": float(blind.sum()),
        "unmeasured": float((kind[exists] == UNMEASURED).sum()),
        "uninformative_share": float(weight[blind].sum() / weight[exists].sum()),
        "delta_without": float(
            np.average((change.new - change.old)[others], weights=weight[others])
        ),
    }


def _why_nothing_tells(change: PairedMetric, exists: Bools) -> str:
    kind = change.kind[exists]
    unread, alike = int((kind == UNMEASURED).sum()), int((kind == ALIKE).sum())
    why = []
    if unread:
        why.append(
            f"in {unread:,} nobody judged a document that it reads (are the ids of the judgments "
            "those of the documents?)"
        )
    if alike:
        why.append(f"in {alike:,} any order of the documents is worth the same")
    if same := kind.size - unread - alike:
        why.append(f"in {same:,} both lists are the same and could not have differed in it")
    return (
        f"none of {kind.size:,} queries can tell the rankings apart by {change.metric}: "
        + "; ".join(why)
    )


def superiority(sample: Sample, change: PairedMetric, cuts: Sequence[Slice]) -> list[Measurement]:
    """How surely the new ranking is better: p of "the mean gain is not above 0", the whole first.

    The p of the whole stands for itself; those of the slices are adjusted by Holm for how many
    there are. Grades still to come make it an interval.

    Args:
        sample: The queries.
        cuts: The whole, and then the slices.
    """
    metric = f"{change.metric}.p-better"
    least, most = change.gain_ends
    columns = np.stack((change.gain, least, most), axis=1)
    found: list[Floats] = []
    for _, rows in cuts:
        found.append(mean_p(columns[rows], sample.design(rows), worst=-sample.severe))
    table = np.array(found)
    for column in range(table.shape[1]):
        table[1:, column] = holm(table[1:, column])
    measured = []
    for (name, rows), (p, high, low) in zip(cuts, table.tolist(), strict=True):
        n = int((rows & ~np.isnan(change.gain)).sum())
        is_open = high > low
        measured.append(
            Measurement(
                metric,
                p if n else None,
                n,
                "p",
                low if is_open else None,
                high if is_open else None,
                slice=name,
                reason="" if n else "no query",
            )
        )
    return measured
