"""Old and new lists of a `ranking-diff` exhibit, as values that every report draws from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Counts",
    "Feature",
    "Move",
    "QueryDifference",
    "RankingDifference",
    "ShownDocument",
    "Why",
]

Move = Literal["up", "down", "same", "new", "gone"]


@dataclass(frozen=True, slots=True)
class ShownDocument:
    """One document at one rank.

    Attributes:
        rank: Where it stands in this list, from 1.
        title: What people call it; its id when it has no title.
        grade: Its judged relevance; None when it was not judged.
        move: What happened to it between the two lists.
        steps: How many ranks it moved; 0 unless it went up or down.
        before: Its rank in the champion's whole ranking; None when it was not there.
        spread: Its grades by annotator, ascending; empty when nobody is named.
    """

    rank: int
    title: str
    grade: float | None
    move: Move
    steps: int = 0
    before: int | None = None
    spread: tuple[float, ...] = ()

    @property
    def is_disputed(self) -> bool:
        """Whether two annotators lie two grades or more apart."""
        return len(self.spread) > 1 and self.spread[-1] - self.spread[0] >= 2

    @property
    def arrow(self) -> str:
        """The move in signs: `▲3`, `▼5`, `new`, `gone`, or nothing."""
        signs = {"up": f"▲{self.steps}", "down": f"▼{self.steps}", "same": ""}
        return signs.get(self.move, self.move)


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature that speaks for a move: what it gave before and after, and the difference."""

    name: str
    old: float | None
    new: float | None
    difference: float | None


@dataclass(frozen=True, slots=True)
class Why:
    """Why one document moved.

    Attributes:
        title: What people call the document.
        before: Its old rank; None when it was not ranked.
        after: Its new rank, likewise.
        dcg: What its move did to the query's DCG; None when it was not judged.
        features: The features that speak for it, as the evidence orders them.
    """

    title: str
    before: int | None
    after: int | None
    dcg: float | None
    features: tuple[Feature, ...]


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
class QueryDifference:
    """One query under both versions.

    Attributes:
        id: Its id in the golden set.
        text: What was searched for.
        weight: Its share of what is averaged.
        slices: column → value.
        old: The champion's metric; None when it is not defined for this query.
        new: The candidate's metric, likewise.
        delta: New − old; None when either is.
        overlap: Share of the top k that both lists hold.
        rbo: Rank-biased overlap, 1 for the same list.
        top1_changed: Whether the first document is another one.
        old_list: The champion's top k.
        new_list: The candidate's top k.
        why: Why documents moved, where the evidence says so.
    """

    id: str
    text: str
    weight: float
    slices: Mapping[str, str]
    old: float | None
    new: float | None
    delta: float | None
    overlap: float
    rbo: float
    top1_changed: bool
    old_list: tuple[ShownDocument, ...]
    new_list: tuple[ShownDocument, ...]
    why: tuple[Why, ...] = ()


@dataclass(frozen=True, slots=True)
class RankingDifference:
    """The compared queries, worst difference first.

    Attributes:
        check: The check that compared them.
        title: A heading in words.
        metric: Whose differences these are, such as `ndcg@10`.
        k: How long the lists are.
        severe: The difference at or below which a loss is severe (negative).
        queries: All queries, or the worst and the best; those without a difference last.
        top_grade: The greatest grade in any list.
        counts: Of all queries, whether or not they are listed.
        deltas: Every difference, or a sample of them, ascending.
        why_note: How to read why documents moved; may be empty.
        why_reason: Why nothing can be said about why; may be empty.
    """

    check: str
    title: str
    metric: str
    k: int
    severe: float
    queries: tuple[QueryDifference, ...]
    top_grade: float
    counts: Counts
    deltas: tuple[float, ...]
    why_note: str = ""
    why_reason: str = ""

    @property
    def listed(self) -> str:
        """Which queries are listed, in words; empty when all are."""
        if len(self.queries) >= self.counts.queries:
            return ""
        listed = f"{len(self.queries):,} of {self.counts.queries:,} queries are listed"
        return f"{listed}: those that lost most, and those that gained most"

    @property
    def has_spread(self) -> bool:
        """Whether grades of several annotators are known for any document."""
        return any(len(p.spread) > 1 for q in self.queries for p in q.old_list + q.new_list)

    def worst(self, n: int) -> tuple[QueryDifference, ...]:
        """The `n` greatest losses, greatest first."""
        return tuple(q for q in self.queries if q.delta is not None and q.delta < 0)[:n]

    def best(self, n: int) -> tuple[QueryDifference, ...]:
        """The `n` greatest gains, greatest first."""
        return tuple(q for q in reversed(self.queries) if q.delta is not None and q.delta > 0)[:n]
