"""From values a query to measurements by name: the one comparison of two rankings.

The check `ranking-diff` and `gates diff` both measure here. They differ in where rows come from and
in which measurements they ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from gates.comparison.differences import differences, guarantee, superiority
from gates.comparison.measures import SEVERE, RankingMeasures, metric_of
from gates.comparison.measuring import Sample, means, share, share_of
from gates.comparison.metric import Likeness, Metric
from gates.comparison.metrics import find, quality
from gates.comparison.paired import PairedMetric
from gates.comparison.per_query import PerQuery
from gates.comparison.population import Population
from gates.comparison.relative import relative_change
from gates.comparison.slices import Slice
from gates.domain.judging import Cause, Measurement
from gates.kernels.packed import Floats

__all__ = ["MeasuredQueries"]

_DELTA, _CHANGE, _BETTER, _OLD = ".delta", ".change", ".p-better", ".old"


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredQueries:
    """Two rankings of the same queries, measured query by query.

    Attributes:
        measures: What was measured.
        population: The queries, P of them.
        per_query: The metrics of each.
        severe: The loss from which it is severe.
        random_order: Whether a margin may be so wide that random order keeps it.
        noise: How much of a mean difference an old ranking that is not deterministic could make.
    """

    measures: RankingMeasures
    population: Population
    per_query: PerQuery
    severe: float
    noise: float = 0.0
    random_order: Literal["refused", "allowed"] = "refused"

    @property
    def sample(self) -> Sample:
        """How the queries were drawn, and what one outside the sample may lose."""
        population = self.population
        return Sample(
            population.weight,
            population.census,
            self.severe,
            population.cluster,
            share_of=share_of(population.traffic),
        )

    def change(self, metric: Metric) -> PairedMetric:
        """A quality metric under both rankings."""
        values = self.per_query
        return PairedMetric(
            metric.name,
            values.old[metric.name],
            values.new[metric.name],
            values.unjudged.get(metric.name),
            self.noise,
            metric.higher_is_better,
            metric.unit or metric.name,
            values.informative[metric.name],
            values.random.get(metric.name),
            values.ideal.get(metric.name),
            random_order=self.random_order,
        )

    @property
    def gain(self) -> Floats:
        """By how much each query is better in the judged metric, float64[P]."""
        return self.change(self.measures.judged).gain

    def measure(
        self,
        names: Sequence[str],
        slices: Sequence[Slice],
        *,
        margins: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
        in_slices: Sequence[str] | None = None,
    ) -> Iterator[Measurement]:
        """Measurements by name: each over all queries first, then slice by slice.

        Args:
            names: `M.delta`, `M.change`, `M.p-better`, `M` (of the new ranking), `M.old` and
                `M.new` of quality metrics, likeness measures, and `severe-losses`.
            slices: The whole, and then the slices.
            margins: metric → slice key → what may be lost there.
            in_slices: The names to cut by slice; None for all.
        """
        sliced = names if in_slices is None else in_slices
        found = {
            (one.metric, one.slice): one
            for one in (
                *self._differences(names, sliced, slices, margins),
                *self._means(names, sliced, slices),
            )
        }
        for name in names:
            cuts = slices if name in sliced else slices[:1]
            if name.endswith(_BETTER):
                yield from superiority(self.sample, self.change(quality(metric_of(name))), cuts)
            elif name.endswith(_CHANGE):
                change = self.change(quality(metric_of(name)))
                yield from (relative_change(self.sample, change, cut) for cut in cuts)
            else:
                hit = self._hits(name)
                for cut in cuts:
                    yield found[name, cut[0]] if hit is None else self._share(name, hit, cut)

    def _differences(
        self,
        names: Sequence[str],
        sliced: Sequence[str],
        slices: Sequence[Slice],
        margins: Mapping[str, Mapping[str, float]],
    ) -> list[Measurement]:
        """All differences at once, and what is guaranteed of losses of the judged metric."""
        changes = {
            one: self.change(quality(metric_of(one))) for one in names if one.endswith(_DELTA)
        }
        if not changes:
            return []
        chosen = [one for name, one in changes.items() if name in sliced]
        found = differences(
            self.sample, [*changes.values()], slices, margins=margins, in_slices=chosen
        )
        return [self._guaranteed(one, slices[0]) for one in found]

    def _guaranteed(self, found: Measurement, whole: Slice) -> Measurement:
        judged = self.measures.judged
        if found.slice or found.value is None or found.metric != f"{judged.name}{_DELTA}":
            return found
        least, most = judged.span
        known = guarantee(self.sample, self.change(judged), whole[1], most - least)
        return replace(found, extra={**found.extra, **known})

    def _means(
        self, names: Sequence[str], sliced: Sequence[str], slices: Sequence[Slice]
    ) -> Iterator[Measurement]:
        """Means of values between the same ends at once."""
        plain = [one for one in names if not one.endswith((_DELTA, _CHANGE, _BETTER))]
        by_span: dict[tuple[float, float], dict[str, Floats]] = {}
        units = {}
        for name in plain:
            if self._hits(name) is None:
                values, span, units[name] = self._values(name)
                by_span.setdefault(span, {})[name] = values
        for cut in slices:
            for span, columns in by_span.items():
                chosen = {n: v for n, v in columns.items() if n in sliced or cut is slices[0]}
                for one in means(self.sample, chosen, cut, plausible=span) if chosen else ():
                    yield replace(one, unit=units[one.metric])

    def _values(self, name: str) -> tuple[Floats, tuple[float, float], str]:
        """Values of each query, float64[P], the least and the greatest there can be, and a unit."""
        metric, values = find(metric_of(name)), self.per_query
        if isinstance(metric, Likeness):
            return values.likeness[name], metric.span or (0.0, float(values.longest)), name
        of_arm = values.old if name.endswith(_OLD) else values.new
        return of_arm[metric.name], metric.span, metric.unit or name

    def _share(self, name: str, hit: Floats, cut: Slice) -> Measurement:
        judged = self.change(self.measures.judged)
        open_ = self._open_hits(judged) if name == SEVERE and judged.unjudged else None
        found = share(self.sample, name, hit, cut, open_=open_)
        if name != SEVERE or judged.tells(cut[1]) or not found.n:
            return found
        reason = f"none of the queries can tell the rankings apart by {judged.metric}"
        return Measurement(
            name, None, 0, found.unit, slice=cut[0], reason=reason, cause=Cause.NOTHING_COMPARED
        )

    def _hits(self, name: str) -> Floats | None:
        """1 where something is so of a query, 0 where not; None where values are no such marks."""
        if name == SEVERE:
            change = self.change(self.measures.judged)
            return np.where(np.isnan(change.measured), np.nan, change.gain <= -self.severe)
        values = self.per_query.likeness.get(name)
        return values if values is not None and _counts(name) else None

    def _open_hits(self, judged: PairedMetric) -> tuple[Floats, Floats]:
        """Severe losses as grades still to come could make them fewest, and most."""
        exists = ~np.isnan(judged.measured)
        least, most = judged.gain_ends
        fewest, many = (np.where(exists, one <= -self.severe, np.nan) for one in (most, least))
        # Of what nobody measured at all anything may be.
        many[~exists & ~np.isnan(judged.gain)] = 1.0
        return fewest, many


def _counts(name: str) -> bool:
    metric = find(name)
    return isinstance(metric, Likeness) and metric.counts
