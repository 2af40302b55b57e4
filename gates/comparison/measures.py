"""What is measured of every query, told from the names of measurements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from gates.comparison.metric import Likeness, Metric
from gates.comparison.metrics import find
from gates.kernels.ranking import Gain

__all__ = ["SEVERE", "RankingMeasures", "metric_of"]

SEVERE = "severe-losses"
"""The share of queries that lose at least so much of the judged metric."""

_SUFFIXES = (".delta", ".change", ".p-better", ".old", ".new")


def metric_of(measurement: str) -> str:
    """The metric that a measurement is of: `mrr` of `mrr.delta`."""
    for suffix in _SUFFIXES:
        measurement = measurement.removesuffix(suffix)
    return measurement


@dataclass(frozen=True)
class RankingMeasures:
    """What is measured of every query.

    Attributes:
        judged: The metric whose losses are severe, and which says what the worst queries are.
        names: Measurements, such as `mrr.delta` or `rbo`, to which all of it goes.
        gain: nDCG's gain.
        relevant: The grade from which a document counts as relevant.
        persistence: RBO's persistence.
        unjudged: Whether documents that nobody judged may decide, or count as irrelevant.
    """

    judged: Metric
    names: tuple[str, ...]
    gain: Gain
    relevant: float
    persistence: float = 0.9
    unjudged: bool = True

    @cached_property
    def quality(self) -> tuple[Metric, ...]:
        """Metrics of both rankings, the judged one first."""
        named = (one for one in self._named() if isinstance(one, Metric))
        return tuple({one.name: one for one in (self.judged, *named)}.values())

    @cached_property
    def compared(self) -> tuple[Metric, ...]:
        """The metrics of which a difference is asked, the judged one first."""
        names = {metric_of(one) for one in self.names if one.endswith((".delta", ".change"))}
        return tuple(one for one in self.quality if one is self.judged or one.name in names)

    @cached_property
    def likeness(self) -> tuple[Likeness, ...]:
        """Measures of how alike both rankings are."""
        named = (one for one in self._named() if isinstance(one, Likeness))
        return tuple({one.name: one for one in named}.values())

    @property
    def bounded(self) -> tuple[Metric, ...]:
        """The metrics that unjudged documents may decide."""
        return tuple(one for one in self.quality if one.unjudged and self.unjudged)

    def _named(self) -> Iterable[Metric | Likeness]:
        return (find(metric_of(name)) for name in self.names if name != SEVERE)
