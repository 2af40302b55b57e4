"""Old and new lists of a `ranking-diff` exhibit, as values that every report draws from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gates.domain import Exhibit
from gates.errors import EvidenceError
from gates.evidence import Evidence

__all__ = ["Place", "QueryDifference", "RankingDifference", "ranking_differences"]

Move = Literal["up", "down", "same", "new", "gone"]


@dataclass(frozen=True, slots=True)
class Place:
    """One document at one rank.

    Attributes:
        rank: Where it stands in this list, from 1.
        title: What people call it; its id when it has no title.
        grade: Its judged relevance; None when it was not judged.
        move: What happened to it between the two lists.
        steps: How many ranks it moved; 0 unless it went up or down.
        before: Its rank in the champion's whole ranking; None when it was not there.
    """

    rank: int
    title: str
    grade: float | None
    move: Move
    steps: int = 0
    before: int | None = None

    @property
    def arrow(self) -> str:
        """The move in signs: `▲3`, `▼5`, `new`, `gone`, or nothing."""
        signs = {"up": f"▲{self.steps}", "down": f"▼{self.steps}", "same": ""}
        return signs.get(self.move, self.move)


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
        entered: Places of the new list that were not in the old one.
        left: Places of the old list that are not in the new one.
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
    old_list: tuple[Place, ...]
    new_list: tuple[Place, ...]
    entered: tuple[Place, ...]
    left: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class RankingDifference:
    """Every compared query, worst difference first.

    Attributes:
        check: The check that compared them.
        title: A heading in words.
        metric: Whose differences these are, such as `ndcg@10`.
        k: How long the lists are.
        severe: The difference at or below which a loss is severe (negative).
        queries: All queries; those without a difference last.
        top_grade: The greatest grade in any list.
    """

    check: str
    title: str
    metric: str
    k: int
    severe: float
    queries: tuple[QueryDifference, ...]
    top_grade: float

    @property
    def deltas(self) -> tuple[float, ...]:
        """Every difference there is, ascending."""
        return tuple(sorted(q.delta for q in self.queries if q.delta is not None))

    @property
    def wins(self) -> int:
        """How many queries got better."""
        return sum(delta > 0 for delta in self.deltas)

    @property
    def losses(self) -> int:
        """How many queries got worse, severe losses among them."""
        return sum(delta < 0 for delta in self.deltas)

    @property
    def ties(self) -> int:
        """How many queries came out the same."""
        return sum(delta == 0 for delta in self.deltas)

    @property
    def severe_losses(self) -> int:
        """How many queries lost `severe` or more."""
        return sum(delta <= self.severe for delta in self.deltas)

    @property
    def undefined(self) -> int:
        """How many queries have no difference."""
        return sum(q.delta is None for q in self.queries)

    def worst(self, n: int) -> tuple[QueryDifference, ...]:
        """The `n` greatest losses, greatest first."""
        return tuple(q for q in self.queries if q.delta is not None and q.delta < 0)[:n]

    def best(self, n: int) -> tuple[QueryDifference, ...]:
        """The `n` greatest gains, greatest first."""
        return tuple(q for q in reversed(self.queries) if q.delta is not None and q.delta > 0)[:n]


def ranking_differences(evidence: Evidence) -> Iterator[RankingDifference]:
    """Every `ranking-diff` exhibit of a run.

    Raises:
        EvidenceError: An exhibit of that kind does not hold what the kind promises.
    """
    for record in evidence.records:
        for exhibit in record.exhibits:
            if exhibit.kind == "ranking-diff":
                yield _difference(record.check, exhibit)


def _difference(check: str, exhibit: Exhibit) -> RankingDifference:
    data = exhibit.data
    try:
        titles = data["titles"]
        queries = [_query(one, titles, int(data["k"])) for one in data["queries"]]
        # The order is promised, but a picture must not lie when it is broken.
        queries.sort(key=lambda q: (q.delta is None, q.delta or 0.0))
        grades = [p.grade for q in queries for p in q.old_list + q.new_list if p.grade is not None]
        return RankingDifference(
            check,
            exhibit.title,
            str(data["metric"]),
            int(data["k"]),
            float(data["severe"]),
            tuple(queries),
            max(grades, default=0.0),
        )
    except (KeyError, TypeError, ValueError) as damage:
        raise EvidenceError(
            f"the exhibit '{exhibit.title}' of check '{check}' is not a ranking difference: "
            f"{type(damage).__name__} {damage}",
            path="evidence.json",
            advice="run the gate again with this version of mlgates",
        ) from None


def _query(data: Mapping[str, Any], titles: Mapping[str, str], k: int) -> QueryDifference:
    new_ranks = {doc: rank for rank, (doc, _, _) in enumerate(data["new_list"], 1)}
    old = tuple(
        _place(rank, titles.get(doc) or doc, grade, rank, new_ranks.get(doc))
        for rank, (doc, grade) in enumerate(data["old_list"], 1)
    )
    new = tuple(
        _place(rank, titles.get(doc) or doc, grade, before, rank)
        for rank, (doc, grade, before) in enumerate(data["new_list"], 1)
    )
    return QueryDifference(
        **{name: data[name] for name in ("id", "text", "weight", "slices", "old", "new", "delta")},
        **{name: data[name] for name in ("overlap", "rbo", "top1_changed")},
        old_list=old,
        new_list=new,
        entered=tuple(p for p in new if p.before is None or p.before > k),
        left=tuple(p for p in old if p.move == "gone"),
    )


def _place(
    rank: int, title: str, grade: float | None, before: int | None, after: int | None
) -> Place:
    if before is None or after is None:
        return Place(rank, title, grade, "new" if before is None else "gone", 0, before)
    move: Move = "up" if after < before else "down" if after > before else "same"
    return Place(rank, title, grade, move, abs(after - before), before)
