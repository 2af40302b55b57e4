"""Rows of a golden set as a comparison asks for them: its queries in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gates.checks._ranked import GradedCandidates, Ranked
from gates.checks.ranking_diff.annotators import annotator_grades
from gates.comparison.population import Population
from gates.comparison.rows import AlignedQueries, QueryLists
from gates.domain.subject import GoldenSet
from gates.kernels.matching import Lists, Matched, as_codes, match
from gates.kernels.packed import Ints

__all__ = ["GoldenRows"]


@dataclass(frozen=True, eq=False)
class GoldenRows:
    """Two rankings of a golden set's candidates.

    Attributes:
        golden: A ranking golden set.
        coded: Its documents as integers.
        old: The old lists.
        new: The new lists.
    """

    golden: GoldenSet
    coded: GradedCandidates
    old: Ranked
    new: Ranked

    @property
    def queries(self) -> int:
        """How many queries there are."""
        return len(self.golden.query_id)

    @property
    def max_grade(self) -> float:
        """The best grade of the scale."""
        return self.golden.manifest.max_grade

    @cached_property
    def by_id(self) -> Ints:
        """The golden set's query of each number, int64[Q]."""
        return np.argsort(np.array(self.golden.query_id, dtype=object), kind="stable")

    def population(self) -> Population:
        """All its queries, as they were drawn."""
        golden, by_id = self.golden, self.by_id
        return Population(
            np.arange(self.queries),
            golden.weight[by_id],
            golden.design_weight[by_id],
            golden.census[by_id],
            {name: [of[q] for q in by_id.tolist()] for name, of in golden.slices.items()},
            [golden.query_text[q] for q in by_id.tolist()],
            cluster=None if golden.cluster is None else golden.cluster[by_id],
        )

    def names(self, queries: Ints) -> list[str]:
        """The ids of some queries."""
        return [self.golden.query_id[q] for q in self.by_id[queries].tolist()]

    def blocks(self) -> Iterator[AlignedQueries]:
        """All queries at once."""
        coded, by_id = self.coded, self.by_id
        starts, rows = _reordered(coded.starts, by_id)
        judged_starts, judged = _reordered(coded.ideal_starts, by_id)
        yield AlignedQueries(
            np.arange(self.queries),
            Lists(starts, as_codes(self.old.docs[rows])),
            Lists(starts, as_codes(self.new.docs[rows])),
            Lists(judged_starts, as_codes(coded.ideal_docs[judged])),
            coded.ideal_grades[judged],
            (self.old.tied & self.new.tied)[by_id],
            given=True,
        )

    def match(self, block: AlignedQueries) -> tuple[AlignedQueries, Matched]:
        """The block's documents, matched with each other and with their grades."""
        return block, match(block.old, block.new, block.judged, block.grades)

    def lists(self, queries: Ints, *, graded: bool = True) -> Mapping[int, QueryLists]:
        """The lists of some queries, by number; grades are at hand whether or not they are asked.

        Args:
            queries: Their numbers.
            graded: Without effect.
        """
        del graded
        golden, spread = self.golden, annotator_grades(self.golden)
        found = {}
        for number in queries.tolist():
            query = int(self.by_id[number])
            own = slice(int(self.coded.starts[query]), int(self.coded.starts[query + 1]))
            old, new = (
                [golden.row_doc[row] for row in one.row[own]] for one in (self.old, self.new)
            )
            grades = zip(old, self.old.grades[own].tolist(), strict=True)
            found[number] = QueryLists(
                old,
                new,
                {doc: grade for doc, grade in grades if not np.isnan(grade)},
                dict(zip(golden.row_doc[own], golden.row_title[own], strict=True)),
                spread(query, set(old)),
            )
        return found


def _reordered(starts: Ints, by_id: Ints) -> tuple[Ints, Ints]:
    """Offsets of lists in another order, and the rows they then hold."""
    length = np.diff(starts)[by_id]
    ends = np.concatenate(([0], np.cumsum(length)))
    rows = np.repeat(starts[:-1][by_id] - ends[:-1], length) + np.arange(int(ends[-1]))
    return ends, rows
