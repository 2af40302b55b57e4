"""What a report shows beside the numbers, never judged: tables, and old and new result lists.

Evidence stores these as they are. What is repeated a thousand times there (a document of a list, a
feature of a move) is a `NamedTuple`, which is written as an array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

__all__ = [
    "Cell",
    "Counts",
    "DocumentMove",
    "Example",
    "Exhibit",
    "FeatureChange",
    "LineColumn",
    "NewPlace",
    "OldPlace",
    "QueryDifference",
    "RankingDifference",
    "ReliabilityBin",
    "Table",
    "TableId",
]

Cell = str | int | float | bool | None
"""What stands in a table; None shows as a dash."""


class TableId(StrEnum):
    """Tables that somebody looks for, by a name that no wording changes."""

    JUDGE_NEXT = "judge-next"
    """Documents whose judgment could move the mean most."""
    WORST_SLICES = "worst-slices"
    """Slices, found by search, in which the new version is worst."""


class LineColumn(NamedTuple):
    """Which column of a table says a line, and of which file; 0 or None there is no line."""

    file: Literal["lock", "expectations.csv", "never-show.csv"]
    column: int


class Example(NamedTuple):
    """A smallest case in which a metric is not as it should be, in words."""

    metric: str
    words: str


class ReliabilityBin(NamedTuple):
    """Answers of like scores: their mean score, the share that is right, their share of traffic."""

    score: float
    right: float
    share: float


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows under a heading.

    Attributes:
        title: The heading, in words.
        columns: What stands over each cell of a row.
        id: Its name, where somebody looks for it.
        of: The metrics that it explains; empty where that is all of its check's.
        lines: Where its rows speak of lines of a file, the column that says which.
        examples: Of failed metrics, smallest cases in words, the first of each the one to tell.
        reliability: For a reliability diagram beside it, the bins from low scores to high.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    id: TableId | None = None
    of: tuple[str, ...] = ()
    lines: LineColumn | None = None
    examples: tuple[Example, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    kind: Literal["table"] = "table"


class OldPlace(NamedTuple):
    """A document of the old list: its id, and its grade (None: not judged)."""

    document: str
    grade: float | None


class NewPlace(NamedTuple):
    """A document of the new list, with its rank in the whole old ranking (None: not there)."""

    document: str
    grade: float | None
    before: int | None


class FeatureChange(NamedTuple):
    """A feature that speaks for a move: what it gave before and after, and the difference."""

    name: str
    old: float | None
    new: float | None
    difference: float | None


@dataclass(frozen=True, slots=True)
class DocumentMove:
    """Why one document moved.

    Attributes:
        document: Its id.
        before: Its old rank; None when it was not ranked.
        after: Its new rank, likewise.
        dcg: What its move did to the query's DCG; None when it was not judged.
        features: The features that speak for it, the greatest change first.
    """

    document: str
    before: int | None
    after: int | None
    dcg: float | None
    features: tuple[FeatureChange, ...]


@dataclass(frozen=True, slots=True)
class QueryDifference:
    """One query under both versions.

    Attributes:
        id: Its id in the golden set.
        text: What was searched for.
        weight: Its share of what is averaged.
        slices: column → value.
        old: The old version's metric; None when it is not defined for this query.
        new: The new version's, likewise.
        delta: By how much it is better: new − old, or old − new where less is better; None when
            either is.
        overlap: Share of the top k that both lists hold; None where there is none.
        rbo: Rank-biased overlap, 1 for the same list, likewise.
        top1_changed: Whether the first document is another one.
        old_list: The old top k, from rank 1.
        new_list: The new top k.
        spread: document → grades by annotator, of the documents shown; empty when nobody is named.
        moves: Why documents moved, where that is known.
    """

    id: str
    text: str
    weight: float
    slices: Mapping[str, str]
    old: float | None
    new: float | None
    delta: float | None
    overlap: float | None
    rbo: float | None
    top1_changed: bool
    old_list: tuple[OldPlace, ...]
    new_list: tuple[NewPlace, ...]
    spread: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    moves: tuple[DocumentMove, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many queries there are, and how they came out."""

    queries: int
    wins: int
    ties: int
    losses: int
    severe: int
    undefined: int


@dataclass(frozen=True, slots=True)
class RankingDifference:
    """Old and new result lists of the same queries.

    Attributes:
        title: A heading in words.
        metric: Whose differences these are, such as `ndcg@10`.
        k: How long the lists are.
        severe: The difference at or below which a loss is severe (negative).
        queries: All queries, or the worst and the best of a large comparison; those without a
            difference last.
        titles: document → what people call it, where it has a title.
        counts: Of all queries; None when `queries` holds them all.
        deltas: With `counts`, a sorted sample of all differences, at most 600.
        why_note: How to read why documents moved; may be empty.
        why_reason: Why nothing can be said about why; may be empty.
    """

    title: str
    metric: str
    k: int
    severe: float
    queries: tuple[QueryDifference, ...]
    titles: Mapping[str, str] = field(default_factory=dict)
    counts: Counts | None = None
    deltas: tuple[float, ...] = ()
    why_note: str = ""
    why_reason: str = ""
    kind: Literal["ranking-diff"] = "ranking-diff"


Exhibit = Table | RankingDifference
"""Something that a check shows; `kind` tells which in evidence."""
