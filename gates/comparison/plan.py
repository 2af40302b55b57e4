"""What a comparison of two rankings is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gates.errors import UsageError
from gates.kernels.ranking import Gain

__all__ = ["ComparisonPlan"]

_METRIC = re.compile(r"(ndcg|precision|recall|err)@[1-9]\d{0,3}|mrr|map|rbp")


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
        resamples: Bootstrap resamples behind each interval.
        seed: The seed of everything random.
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
    resamples: int = 10_000
    seed: int = 20260101

    def __post_init__(self) -> None:
        if self.metric and not _METRIC.fullmatch(self.metric):
            raise UsageError(
                f"--metric {self.metric}: there is no such metric",
                advice="name one of ndcg@K, mrr, map, precision@K, recall@K, rbp, err@K",
            )
        if self.slices and self.queries is None:
            raise UsageError(
                f"--slice {self.slices[0]} needs the queries' columns",
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
    def judged(self) -> str:
        """The metric that is judged."""
        return self.metric or f"ndcg@{self.k}"

    @property
    def bounded_depth(self) -> int:
        """How deep unjudged documents are looked for; 0 where they cannot decide."""
        name, _, k = self.judged.partition("@")
        return int(k) if name == "ndcg" and self.unjudged == "open" else 0

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every quality metric that is measured, the judged one first."""
        k = self.k
        usual = (f"ndcg@{k}", "mrr", "map", f"precision@{k}", f"recall@{k}")
        return tuple(dict.fromkeys((self.judged, *usual)))

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """The columns that slices speak of."""
        return tuple(dict.fromkeys(one.partition("=")[0] for one in self.slices))
