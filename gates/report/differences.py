"""Old and new result lists as reports show them: titles, ranks, and what moved where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from gates.domain.exhibits import (
    Counts,
    DocumentMove,
    Exhibit,
    QueryDifference,
    RankingDifference,
)

__all__ = ["ShownDifference", "ShownDocument", "ShownQuery", "shown_differences"]

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
class ShownQuery:
    """One query, its lists side by side.

    Attributes:
        query: What was measured of it.
        old_list: The old top k.
        new_list: The new top k.
        moves: Why documents moved, each with what people call it.
    """

    query: QueryDifference
    old_list: tuple[ShownDocument, ...]
    new_list: tuple[ShownDocument, ...]
    moves: tuple[tuple[str, DocumentMove], ...] = ()


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """The compared queries, worst difference first.

    Attributes:
        difference: What was measured.
        queries: All queries, or the worst and the best; those without a difference last.
        top_grade: The greatest grade in any list.
        counts: Of all queries, whether or not they are listed.
        deltas: Every difference, or a sample of them, ascending.
    """

    difference: RankingDifference
    queries: tuple[ShownQuery, ...]
    top_grade: float
    counts: Counts
    deltas: tuple[float, ...]

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

    def worst(self, n: int) -> tuple[ShownQuery, ...]:
        """The `n` greatest losses, greatest first."""
        return tuple(q for q in self.queries if (q.query.delta or 0.0) < 0)[:n]

    def best(self, n: int) -> tuple[ShownQuery, ...]:
        """The `n` greatest gains, greatest first."""
        return tuple(q for q in reversed(self.queries) if (q.query.delta or 0.0) > 0)[:n]


def shown_differences(exhibits: Iterable[Exhibit]) -> Iterator[ShownDifference]:
    """The ranking differences among some exhibits, as they are shown."""
    for one in exhibits:
        if isinstance(one, RankingDifference):
            yield _difference(one)


def _difference(of: RankingDifference) -> ShownDifference:
    # The order is promised, but a picture must not lie when it is broken.
    queries = sorted(of.queries, key=lambda q: (q.delta is None, q.delta or 0.0))
    grades = [p.grade for q in queries for p in q.old_list + q.new_list if p.grade is not None]
    deltas = tuple(q.delta for q in queries if q.delta is not None)
    return ShownDifference(
        of,
        tuple(_query(one, of) for one in queries),
        max(grades, default=0.0),
        of.counts or _counted(deltas, of.severe, len(queries)),
        tuple(sorted(of.deltas)) or deltas,
    )


def _counted(deltas: tuple[float, ...], severe: float, queries: int) -> Counts:
    return Counts(
        queries,
        wins=sum(delta > 0 for delta in deltas),
        ties=sum(delta == 0 for delta in deltas),
        losses=sum(delta < 0 for delta in deltas),
        severe=sum(delta <= severe for delta in deltas),
        undefined=queries - len(deltas),
    )


def _query(query: QueryDifference, of: RankingDifference) -> ShownQuery:
    new_ranks = {one.document: rank for rank, one in enumerate(query.new_list, 1)}

    def shown(
        rank: int, document: str, grade: float | None, before: int | None, after: int | None
    ) -> ShownDocument:
        spread = tuple(sorted(query.spread.get(document, ())))
        move, steps = _move(before, after)
        return ShownDocument(
            rank, of.titles.get(document) or document, grade, move, steps, before, spread
        )

    return ShownQuery(
        query,
        tuple(
            shown(rank, one.document, one.grade, rank, new_ranks.get(one.document))
            for rank, one in enumerate(query.old_list, 1)
        ),
        tuple(
            shown(rank, one.document, one.grade, one.before, rank)
            for rank, one in enumerate(query.new_list, 1)
        ),
        tuple((of.titles.get(one.document) or one.document, one) for one in query.moves),
    )


def _move(before: int | None, after: int | None) -> tuple[Move, int]:
    if before is None or after is None:
        return ("new" if before is None else "gone"), 0
    if before == after:
        return "same", 0
    return ("up" if after < before else "down"), abs(after - before)
