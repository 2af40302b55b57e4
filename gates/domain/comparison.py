"""Two rankings of the same queries, compared without any model: the record of `gates diff`."""

from __future__ import annotations

from dataclasses import dataclass

from gates.domain.exhibits import Exhibit
from gates.domain.judging import Judgement, Measurement, Verdict

__all__ = ["Comparison", "RankingFacts"]


@dataclass(frozen=True, slots=True)
class RankingFacts:
    """One file of a comparison.

    Attributes:
        path: As it was named.
        rows: How many (query, document) rows it holds.
        queries: How many queries it holds.
    """

    path: str
    rows: int
    queries: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Old ranking against new, with the verdict and everything it rests on.

    Attributes:
        created: When it ended, ISO 8601, UTC.
        command: How it was called.
        old: The ranking in production.
        new: The ranking under test.
        judgments: The relevance judgments.
        metric: The metric that is judged, such as `ndcg@10`.
        margin: How much of it the new ranking may lose.
        queries: How many queries were compared.
        measurements: All of them, slices included.
        judgements: The bounds that were judged: the whole set, then each named slice.
        exhibits: What a report shows beside the numbers.
        notes: What a reader should know (queries missing in a file, weights on a uniform sample …).
        verdict: The answer.
    """

    created: str
    command: tuple[str, ...]
    old: RankingFacts
    new: RankingFacts
    judgments: RankingFacts
    metric: str
    margin: float
    queries: int
    measurements: tuple[Measurement, ...]
    judgements: tuple[Judgement, ...]
    exhibits: tuple[Exhibit, ...]
    notes: tuple[str, ...]
    verdict: Verdict
