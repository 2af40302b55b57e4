"""From values a query to measurements, with how far each can be trusted.

The one place where intervals, exact bounds and p-values of queries are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from gates.comparison.slices import Slice, margin_of
from gates.domain.judging import Cause, Measurement
from gates.kernels.design import SampleDesign
from gates.kernels.informative import ALIKE, TELLS, UNMEASURED
from gates.kernels.losses import loss_bounds
from gates.kernels.mean_bounds import Bounds, mean_bounds, mean_p
from gates.kernels.multiplicity import holm
from gates.kernels.packed import Bools, Floats, Ints
from gates.kernels.power import minimum_detectable_effect, queries_needed, standard_error

if TYPE_CHECKING:
    from gates.domain.subject import GoldenSet

__all__ = [
    "PairedMetric",
    "Sample",
    "ShareOf",
    "differences",
    "guarantee",
    "means",
    "share",
    "share_of",
    "superiority",
]

ShareOf = Literal["traffic", "queries"]
"""Of what a share is one: of traffic, or of queries where each counts alike."""

_POWER = 0.8  # of a PASS for an equal version, for which margins and queries are planned


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """How the queries were drawn, and what one outside the sample may do.

    Attributes:
        weight: float64[Q], what each query stands for.
        census: bool[Q], those taken with certainty.
        severe: The most that a query outside the sample is taken to lose or gain; losses beyond it
            are bounded by themselves.
        cluster: int64[Q], queries that were drawn together share a number; None where none were.
        share_of: Of what a share is one.
        alpha: Level of each one-sided bound.
    """

    weight: Floats
    census: Bools
    severe: float
    cluster: Ints | None = None
    share_of: ShareOf = "queries"
    alpha: float = 0.05

    @classmethod
    def of_golden(cls, golden: GoldenSet, rows: Ints | None = None) -> Sample:
        """A golden set's queries, of which one outside may be wrong where all others are right.

        Args:
            golden: The set.
            rows: int64[Q], which queries, where not all of them in their order.
        """
        every = np.arange(len(golden.query_id)) if rows is None else rows
        return cls(
            golden.design_weight[every],
            golden.census[every],
            severe=1.0,
            cluster=None if golden.cluster is None else golden.cluster[every],
            share_of=share_of(golden.weight),
        )

    @property
    def share(self) -> str:
        """The unit of a share."""
        return f"share of {self.share_of}"

    def design(self, rows: Bools) -> SampleDesign:
        """How some of the queries were drawn."""
        return SampleDesign(self.weight, self.census, self.cluster).of(rows)

    def bounds(
        self,
        values: Sequence[Floats],
        rows: Bools,
        ends: tuple[float, float],
        open_: Sequence[tuple[Floats, Floats]] | None = None,
    ) -> list[Bounds]:
        """The weighted mean of each column with its bounds, NaN left out.

        Args:
            values: float64[Q] each.
            rows: bool[Q], the queries that count.
            ends: Worst and best value of a query outside the sample.
            open_: The least and the greatest values that grades still to come could make; None
                where all are known.
        """
        least = most = None
        if open_ is not None:
            least, most = (np.stack(one, axis=1)[rows] for one in zip(*open_, strict=True))
        return mean_bounds(
            np.stack(values, axis=1)[rows],
            self.design(rows),
            worst=ends[0],
            best=ends[1],
            alpha=self.alpha,
            least=least,
            most=most,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PairedMetric:
    """A metric under both rankings.

    Attributes:
        metric: Its name, such as `ndcg@10`.
        old: float64[Q], NaN where it does not exist.
        new: float64[Q], likewise.
        unjudged: (float64[Q], float64[Q]): the least and the greatest difference that grades still
            to come could make of each query; None where that is not asked.
        noise: How much of the mean difference a ranking that is not deterministic could make.
        higher_is_better: Whether more of it is better.
        unit: What it counts; empty for the metric itself.
        informative: float64[Q], whether each query can tell old from new: a value of
            `gates.kernels.informative`; None where all can.
        random: float64[Q], of a random order of the old documents; None where nobody knows.
        ideal: float64[Q], of their best order; likewise.
        random_order: Whether a margin may be so wide that random order keeps it.
    """

    metric: str
    old: Floats
    new: Floats
    unjudged: tuple[Floats, Floats] | None = None
    noise: float = 0.0
    higher_is_better: bool = True
    unit: str = ""
    informative: Floats | None = None
    random: Floats | None = None
    ideal: Floats | None = None
    random_order: Literal["refused", "allowed"] = "refused"

    def in_random_order(self, rows: Bools, weight: Floats) -> float | None:
        """What `new - old` would be on average for a random order; None where nobody knows.

        Args:
            rows: bool[Q], the queries that count, both of whose values exist.
            weight: float64[Q].
        """
        if self.random is None or not rows.any():
            return None
        return float(np.average((self.random - self.old)[rows], weights=weight[rows]))

    @property
    def kind(self) -> Floats:
        """Whether each query can tell old from new, float64[Q]."""
        return np.full(self.old.size, TELLS) if self.informative is None else self.informative

    @property
    def gain(self) -> Floats:
        """By how much the new ranking is better, float64[Q]; below 0 where it is worse."""
        return self.new - self.old if self.higher_is_better else self.old - self.new

    @property
    def measured(self) -> Floats:
        """New minus old, float64[Q], NaN also where judgments do not reach what is read."""
        return np.where(self.kind == UNMEASURED, np.nan, self.new - self.old)

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """The least and the greatest new minus old that grades still to come could make."""
        return self.unjudged or (self.new - self.old, self.new - self.old)

    @property
    def gain_ends(self) -> tuple[Floats, Floats]:
        """The least and the greatest gain that grades still to come could make, float64[Q] each."""
        least, most = self.ends
        return (least, most) if self.higher_is_better else (-most, -least)

    def tells(self, rows: Bools) -> bool:
        """Whether it could have moved for any of some queries."""
        return bool((self.kind[rows & ~np.isnan(self.gain)] == TELLS).any())


def share_of(traffic: Floats) -> ShareOf:
    """Of what a share of queries with such traffic is one."""
    return "traffic" if traffic.size and np.ptp(traffic) > 0 else "queries"


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
    pessimistic, optimistic = _open_mean(change.unjudged, exists, weight)
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


def _open_mean(
    ends: tuple[Floats, Floats] | None, rows: Bools, weight: Floats
) -> tuple[float | None, float | None]:
    """The weighted means that grades still to come could make; None where all are known."""
    if ends is None:
        return None, None
    least, most = (float(np.average(one[rows], weights=weight)) for one in ends)
    # Equal but for rounding: nothing that was served is unjudged.
    return (least, most) if most - least > 1e-12 else (None, None)


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


def means(
    sample: Sample,
    values: Mapping[str, Floats],
    cut: Slice,
    *,
    plausible: tuple[float, float] = (0.0, 1.0),
) -> list[Measurement]:
    """The weighted mean of each column over a slice, NaN left out.

    Args:
        sample: The queries.
        values: metric → float64[Q].
        plausible: The least and the greatest value there can be.
    """
    name, rows = cut
    found = sample.bounds(list(values.values()), rows, plausible)
    return [
        Measurement(metric, one.estimate, one.n, metric, one.lower, one.upper, slice=name)
        if one.n
        else Measurement(metric, None, 0, metric, slice=name, reason="no query to compare")
        for metric, one in zip(values, found, strict=True)
    ]


def share(
    sample: Sample,
    metric: str,
    hit: Floats,
    cut: Slice,
    *,
    open_: tuple[Floats, Floats] | None = None,
) -> Measurement:
    """The share for which something is so: of traffic, or of queries where each counts alike.

    Args:
        sample: The queries.
        metric: Its name.
        hit: float64[Q], 1 where it is so, 0 where not, NaN where nobody can tell.
        open_: `hit` as grades still to come could make it least and most often; None where all are
            known.
    """
    name, rows = cut
    kept = rows & ~np.isnan(hit)
    if not kept.any():
        reason = "no query to compare"
        return Measurement(metric, None, 0, sample.share, slice=name, reason=reason)
    (found,) = sample.bounds([hit], rows, (0.0, 1.0), None if open_ is None else [open_])
    pessimistic, optimistic = _open_mean(open_, kept, sample.weight[kept])
    return Measurement(
        metric,
        found.estimate,
        found.n,
        sample.share,
        max(found.lower, 0.0),
        min(found.upper, 1.0),
        name,
        pessimistic=pessimistic,
        optimistic=optimistic,
        extra={"queries": float(hit[kept].sum())},
    )
