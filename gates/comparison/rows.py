"""What a comparison asks of two rankings and their judgments, wherever their rows come from.

Queries are numbered in the order of their ids, as bytes: that order is the comparison's own, so
that the same lists give the same intervals to the last bit, whatever order a golden set or a file
has them in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gates.kernels.matching import Lists, Matched
from gates.kernels.packed import Bools, Floats, Ints

__all__ = ["AlignedQueries", "QueryLists", "RankedRows"]


@dataclass(frozen=True, slots=True, eq=False)
class AlignedQueries:
    """Some queries with their lists, in the same order everywhere.

    Attributes:
        query: int64[B], their numbers.
        old: The old lists; a query that the ranking lacks has an empty one.
        judged: The judged documents.
        grades: float64[J], their grades.
        tied: bool[B], whether both rankings give all documents of a query one score, so that only
            ids order them; None where nobody knows.
        repeated: How many judgments stood there twice, word for word, and were left out.
        given: Whether both rankings order the same documents, which they were given.
    """

    query: Ints
    old: Lists
    new: Lists
    judged: Lists
    grades: Floats
    tied: Bools | None = None
    given: bool = False
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class QueryLists:
    """One query's lists to show.

    Attributes:
        old: Documents in rank order, the whole list.
        new: The new list.
        grades: document → its grade, of those that were judged.
        titles: document → what people call it.
        annotators: document → raw grades, in the order of annotators.
    """

    old: Sequence[str]
    new: Sequence[str]
    grades: Mapping[str, float]
    titles: Mapping[str, str] = field(default_factory=dict)
    annotators: Mapping[str, Sequence[float]] = field(default_factory=dict)


class RankedRows(Protocol):
    """Old lists, new lists and judgments of the same Q queries."""

    @property
    def queries(self) -> int:
        """How many queries there are, Q."""

    @property
    def max_grade(self) -> float:
        """The best grade of the scale."""

    def names(self, queries: Ints) -> list[str]:
        """The ids of some queries."""

    def blocks(self) -> Iterator[AlignedQueries]:
        """All queries, some at a time, in no order that means anything; once."""

    def match(self, block: AlignedQueries) -> tuple[AlignedQueries, Matched]:
        """The block without repeated judgments, its documents matched with each other and grades.

        Raises:
            RankingError: A document stands twice in a query.
        """

    def lists(self, queries: Ints, *, graded: bool) -> Mapping[int, QueryLists]:
        """The lists of some queries, by number.

        Args:
            queries: Their numbers.
            graded: Whether grades are wanted as well.
        """
