"""From values a query to measurements, with how far each can be trusted.

The one place where intervals, exact bounds and p-values of queries are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from gates.comparison.slices import Slice, margin_of
from gates.domain.judging import Cause, Measurement
from gates.kernels.informative import ALIKE, TELLS, UNMEASURED
from gates.kernels.intervals import Interval, bootstrap_columns, clopper_pearson, sign_flip_p
from gates.kernels.multiplicity import holm
from gates.kernels.packed import Bools, Floats
from gates.kernels.power import minimum_detectable_effect, queries_needed

__all__ = [
    "PairedMetric",
    "Sample",
    "differences",
    "means",
    "share",
    "superiority",
]

SHARE = "share of queries"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """How the queries were drawn, and how intervals are made.

    Attributes:
        weight: float64[Q], what each query stands for.
        census: bool[Q], those taken with certainty.
        resamples: Bootstrap resamples behind each interval.
        seed: The same seed gives the same intervals.
        severe: The most that a query outside the sample is taken to lose or gain; losses beyond it
            are bounded by themselves.
        alpha: Level of each one-sided bound.
    """

    weight: Floats
    census: Bools
    resamples: int
    seed: int
    severe: float
    alpha: float = 0.05

    def intervals(
        self, values: Sequence[Floats], rows: Bools, plausible: tuple[float, float]
    ) -> list[Interval]:
        """An interval for the weighted mean of each column, NaN left out.

        Args:
            values: float64[Q] each.
            rows: bool[Q], the queries that count.
            plausible: Worst and best value of a query outside the sample.
        """
        return bootstrap_columns(
            np.stack(values, axis=1)[rows],
            self.weight[rows],
            alpha=self.alpha,
            census=self.census[rows],
            resamples=self.resamples,
            seed=self.seed,
            plausible=plausible,
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
    """

    metric: str
    old: Floats
    new: Floats
    unjudged: tuple[Floats, Floats] | None = None
    noise: float = 0.0
    higher_is_better: bool = True
    unit: str = ""
    informative: Floats | None = None

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

    def tells(self, rows: Bools) -> bool:
        """Whether it could have moved for any of some queries."""
        return bool((self.kind[rows & ~np.isnan(self.gain)] == TELLS).any())


def differences(
    sample: Sample,
    changes: Sequence[PairedMetric],
    slices: Sequence[Slice],
    *,
    margins: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    in_slices: Sequence[PairedMetric] | None = None,
) -> list[Measurement]:
    """New minus old of each metric, over the queries of each slice for which both exist.

    Where not one query of the whole set changed, nothing points at any slice: a slice then relies
    on the whole set's bounds, which more queries make narrower than its own.

    Args:
        sample: The queries.
        slices: The whole, and then the slices.
        margins: metric → slice key as a card writes it → what may be lost there, to tell how many
            queries it takes to see that it is not.
        in_slices: Those to cut by slice; None for all.

    Returns:
        The whole set's, and then slice by slice.
    """
    whole = {one.metric: one for one in _differences(sample, changes, slices, slices[0], margins)}
    found = [*whole.values()]
    chosen = changes if in_slices is None else in_slices
    for cut in slices[1:] if chosen else ():
        found += [
            _relying(one, whole[one.metric])
            for one in _differences(sample, chosen, slices, cut, margins)
        ]
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
    found_intervals = sample.intervals(values, rows, (-sample.severe, sample.severe))
    without = dict(
        zip((one.metric for one in partly), found_intervals[len(changes) :], strict=True)
    )
    for one, interval in zip(changes, found_intervals[: len(changes)], strict=True):
        interval = _with_and_without(interval, without.get(one.metric))
        found = _difference(sample, one, interval, cut)
        allowed = margins.get(one.metric, {})
        margin = margin_of(allowed, name)
        if margin and interval.n > 1 and np.isfinite(interval.standard_error):
            spread = interval.standard_error * np.sqrt(interval.n_eff)
            # Where slices must hold besides the whole, the power is shared between them.
            named = sum(margin_of(allowed, other) is not None for other, _ in slices[1:])
            needed = queries_needed(spread, margin, slices=max(named, 1))
            found = replace(found, extra={**found.extra, "n_needed": float(needed)})
        yield found


def _with_and_without(interval: Interval, measured: Interval | None) -> Interval:
    """An interval that also holds what the queries that were measured show by themselves."""
    if measured is None or not measured.n:
        return interval
    lower, upper = min(interval.lower, measured.lower), max(interval.upper, measured.upper)
    return replace(interval, lower=lower, upper=upper)


def _relying(part: Measurement, whole: Measurement) -> Measurement:
    changed = (whole.extra.get("wins") or 0) + (whole.extra.get("losses") or 0)
    ends = (part.lower, whole.lower, part.upper, whole.upper)
    if changed or part.extra.get("unmeasured") or not part.n or not whole.n or None in ends:
        return part
    lower, upper = max(ends[0] or 0.0, ends[1] or 0.0), min(ends[2] or 0.0, ends[3] or 0.0)
    return replace(part, lower=lower, upper=upper)


def _difference(
    sample: Sample, change: PairedMetric, interval: Interval, cut: Slice
) -> Measurement:
    name, rows = cut
    metric, unit = f"{change.metric}.delta", change.unit or change.metric
    exists = rows & ~np.isnan(change.gain)
    if not interval.n:
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
    weight, gain = sample.weight[exists], change.gain[exists]
    extra: dict[str, float | None] = {
        **_both(change, exists, sample.weight),
        "n_eff": interval.n_eff,
        "left_out": float(rows.sum() - interval.n),
        # The estimate's own standard error has the design in it already.
        "mde": minimum_detectable_effect(interval.standard_error, 1) if interval.n > 1 else None,
        "wins": float((gain > 0).sum()),
        "ties": float((gain == 0).sum()),
        "losses": float((gain < 0).sum()),
        **_uninformative(change, exists, sample.weight),
    }
    pessimistic = optimistic = None
    if change.unjudged is not None:
        worst, best = (float(np.average(one[exists], weights=weight)) for one in change.unjudged)
        # Equal but for rounding: nothing that was served is unjudged.
        if best - worst > 1e-12:
            pessimistic, optimistic = worst, best
    return Measurement(
        metric,
        interval.estimate,
        interval.n,
        unit,
        interval.lower - change.noise,
        interval.upper + change.noise,
        slice=name,
        pessimistic=pessimistic,
        optimistic=optimistic,
        extra=extra,
    )


def _both(change: PairedMetric, exists: Bools, weight: Floats) -> dict[str, float | None]:
    return {
        "old": float(np.average(change.old[exists], weights=weight[exists])),
        "new": float(np.average(change.new[exists], weights=weight[exists])),
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
    """How surely the new ranking is better: sign-flip p of each slice, the whole first.

    The p of the whole stands for itself; those of the slices are adjusted by Holm for how many
    there are.

    Args:
        sample: The queries.
        cuts: The whole, and then the slices.
    """
    metric = f"{change.metric}.p-better"
    value = change.gain
    found: list[tuple[str, int, float]] = []
    for name, rows in cuts:
        exists = rows & ~np.isnan(value)
        p = sign_flip_p(
            value[exists], sample.weight[exists], resamples=sample.resamples, seed=sample.seed
        )
        found.append((name, int(exists.sum()), p))
    adjusted = [one[2] for one in found[:1]] + holm(
        np.array([one[2] for one in found[1:]])
    ).tolist()
    return [
        Measurement(metric, p if n else None, n, "p", slice=name, reason="" if n else "no query")
        for (name, n, _), p in zip(found, adjusted, strict=True)
    ]


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
    intervals = sample.intervals(list(values.values()), rows, plausible)
    return [
        Measurement(metric, one.estimate, one.n, metric, one.lower, one.upper, slice=name)
        if one.n
        else Measurement(metric, None, 0, metric, slice=name, reason="no query to compare")
        for metric, one in zip(values, intervals, strict=True)
    ]


def share(metric: str, hit: Floats, cut: Slice) -> Measurement:
    """The share of queries for which something is so, with exact Clopper-Pearson bounds.

    Args:
        metric: Its name.
        hit: float64[Q], 1 where it is so, 0 where not, NaN where nobody can tell.
    """
    name, rows = cut
    kept = hit[rows & ~np.isnan(hit)]
    n, hits = int(kept.size), int(kept.sum())
    if not n:
        return Measurement(metric, None, 0, SHARE, slice=name, reason="no query to compare")
    lower, upper = clopper_pearson(hits, n)
    return Measurement(
        metric, hits / n, n, SHARE, lower, upper, name, extra={"queries": float(hits)}
    )
