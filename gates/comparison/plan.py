"""What a comparison of two rankings is asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gates.comparison.files.order import Order
from gates.comparison.measures import SEVERE, RankingMeasures
from gates.comparison.metric import Metric
from gates.comparison.metrics import judging_metrics, likeness_measures, quality, quality_metrics
from gates.errors import UsageError
from gates.kernels.ranking import Gain

__all__ = ["ComparisonPlan"]


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """What is asked.

    Attributes:
        old: The ranking in production: a file, or a folder of Parquet files.
        new: The ranking under test.
        judgments: The relevance judgments.
        queries: Weights, sampling and slice columns of the queries; None counts all alike.
        metric: The metric that is judged; empty is nDCG at `k`.
        gain: nDCG's gain.
        k: The depth of the metrics that have one.
        margin: How much of the metric the new ranking may lose.
        slices: Columns, or `column=value`, that are judged each by itself.
        slice_margin: What a slice may lose; None is the same margin.
        better: Whether the new ranking must be shown to be better.
        severe: A query that loses this much counts as a severe loss.
        max_severe: The greatest share of severe losses that is accepted; None does not judge it.
        relevant: The grade from which a document counts as relevant.
        unjudged: Whether documents that nobody judged may decide (`open`), or count as irrelevant.
        missing: What a query is that a ranking lacks: an error, or an empty result list.
        order: What orders both rankings; empty is the rank of each where it has one.
        cluster: The column of the queries' file whose values near-duplicate queries share.
    """

    old: Path
    new: Path
    judgments: Path
    queries: Path | None = None
    metric: str = ""
    gain: Gain = "linear"
    k: int = 10
    margin: float = 0.01
    slices: tuple[str, ...] = ()
    slice_margin: float | None = None
    better: bool = False
    severe: float = 0.3
    max_severe: float | None = None
    relevant: float = 1.0
    unjudged: Literal["open", "irrelevant"] = "open"
    missing: Literal["error", "empty"] = "error"
    order: Order = ""
    cluster: str = ""

    def __post_init__(self) -> None:
        if self.metric:
            _judging(self.metric)
        if self.slices and self.queries is None:
            raise UsageError(
                f"--slice {self.slices[0]} needs the queries' columns",
                advice="name the file that has them: --queries FILE",
            )
        if self.cluster and self.queries is None:
            raise UsageError(
                f"--cluster {self.cluster} needs the queries' columns",
                advice="name the file that has them: --queries FILE",
            )
        for name, value, low in (
            ("--margin", self.margin, 0.0),
            ("--slice-margin", self.slice_margin, 0.0),
            ("--max-severe", self.max_severe, 0.0),
        ):
            if value is not None and not low <= value <= 1:
                raise UsageError(f"--{name.strip('-')} {value:g} is not between 0 and 1")

    @property
    def judged(self) -> Metric:
        """The metric that is judged."""
        return _judging(self.metric or f"ndcg@{self.k}")

    @property
    def quality(self) -> tuple[str, ...]:
        """The metrics whose differences are measured, the judged one first."""
        usual = (one.at(self.k).name for one in judging_metrics() if one.usual)
        return tuple(dict.fromkeys((self.judged.name, *usual)))

    @property
    def likeness(self) -> tuple[str, ...]:
        """The measures of how alike both rankings are."""
        return tuple(one.at(self.k).name for one in likeness_measures() if one.usual)

    @property
    def coverage(self) -> tuple[str, ...]:
        """How much of both rankings somebody judged: the measurements of the old and the new."""
        usual = (one for one in quality_metrics() if one.usual and one.describes == "judgments")
        return tuple(f"{one.at(self.k).name}.{arm}" for one in usual for arm in ("old", "new"))

    @property
    def measurements(self) -> tuple[str, ...]:
        """What is measured, by name, the difference that is judged first."""
        better = (f"{self.judged.name}.p-better",) if self.better else ()
        deltas = (f"{one}.delta" for one in self.quality)
        return (*deltas, *better, SEVERE, *self.likeness, *self.coverage)

    @property
    def measures(self) -> RankingMeasures:
        """What all of it rests on."""
        return RankingMeasures(
            self.judged,
            self.measurements,
            self.gain,
            self.relevant,
            unjudged=self.unjudged == "open",
        )

    @property
    def margins(self) -> Mapping[str, Mapping[str, float]]:
        """How much of each metric may be lost: of the whole, and of each named slice."""
        least = self.margin if self.slice_margin is None else self.slice_margin
        of_slices = dict.fromkeys(self.slices, least)
        of_all = {one: {"": self.margin} for one in self.quality}
        return {**of_all, self.judged.name: {"": self.margin, **of_slices}}

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """The columns that slices speak of."""
        return tuple(dict.fromkeys(one.partition("=")[0] for one in self.slices))


def _judging(name: str) -> Metric:
    with suppress(KeyError):
        if (metric := quality(name)).describes == "ranking":
            return metric
    named = ", ".join(one.name.replace("{k}", "K") for one in judging_metrics())
    raise UsageError(f"--metric {name}: there is no such metric", advice=f"name one of {named}")
