"""Two rankings, compared: read this to see the order of things.

Align the three files, decide which queries count, measure each, add them up, judge, and read again
the lists of the queries that changed most.
"""

from __future__ import annotations

import errno
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gates.comparison.files.aligned import Aligned, align
from gates.comparison.files.store import CodedFile
from gates.comparison.lists import exhibits
from gates.comparison.measure import bounds, measure, slices
from gates.comparison.per_query import PerQuery, measure_queries
from gates.comparison.plan import ComparisonPlan
from gates.comparison.population import Population, population
from gates.domain.comparison import Comparison, RankingFacts
from gates.domain.judging import Cause, decide, judge
from gates.errors import UsageError
from gates.evidence.facts import now

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Compared", "compare"]

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how much of it is done, and of how much (None when nobody knows)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and the rows it rests on.

    Attributes:
        comparison: The verdict and its numbers.
        aligned: The files' queries.
        population: The queries that count.
        per_query: The metrics of each.
    """

    comparison: Comparison
    aligned: Aligned
    population: Population
    per_query: PerQuery

    def names(self) -> pa.Array:
        """The ids of the queries that count, Arrow strings[P]."""
        from gates.comparison.files.arrow import as_arrow

        return self.aligned.names.take(as_arrow(self.population.index))


def compare(plan: ComparisonPlan, *, progress: Progress, with_lists: bool = False) -> Compared:
    """Compare two rankings.

    Args:
        plan: What is asked.
        progress: Told how far it is.
        with_lists: Whether the result lists of the most changed queries are wanted as well, which
            means reading parts of the rankings once more.

    Raises:
        RankingError: A file is missing or wrong, or the files do not belong together.
        UsageError: There is no room for what does not fit into memory.
    """
    with _scratch() as scratch:
        aligned = align(
            plan.old,
            plan.new,
            plan.judgments,
            scratch=scratch,
            progress=lambda done, total: progress("reading rows", done, total),
        )
        counted = population(plan, aligned)
        done = 0

        def measured(queries: int) -> None:
            nonlocal done
            done += queries
            progress("measuring queries", done, aligned.query.size)

        weight = np.zeros(aligned.query.size)
        weight[counted.index] = counted.weight
        per_query = measure_queries(plan, aligned, weight, measured)
        progress("resampling", 0, None)
        measurements = tuple(measure(plan, counted, per_query))
        found = {(one.metric, one.slice): one for one in measurements}
        judgements = tuple(
            judge(bound, found.get((bound.metric, bound.slice)))
            for bound in bounds(plan, [name for name, _ in slices(plan, counted)])
        )
        progress("reading the lists that changed most", 0, None)
        shown = exhibits(
            plan,
            aligned,
            counted,
            per_query,
            with_lists=with_lists,
            # Their names mean reading parts of the files again: only where they are called for.
            with_documents=with_lists or any(j.cause is Cause.UNJUDGED_DECIDE for j in judgements),
        )
    comparison = Comparison(
        created=now(),
        command=(Path(sys.argv[0]).name, *sys.argv[1:]),
        old=_facts(aligned.old),
        new=_facts(aligned.new),
        judgments=_facts(aligned.judgments),
        metric=plan.judged,
        margin=plan.margin,
        seed=plan.seed,
        queries=counted.index.size,
        measurements=measurements,
        judgements=judgements,
        exhibits=shown,
        notes=counted.notes,
        verdict=decide(judgements),
    )
    return Compared(comparison, aligned, counted, per_query)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for what does not fit into memory, gone afterwards whatever happens."""
    try:
        with tempfile.TemporaryDirectory(prefix="gates-diff-") as folder:
            yield Path(folder)
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UsageError(
            f"there is no room left in {tempfile.gettempdir()} for what does not fit into memory",
            advice="free some space there, or name a larger folder: TMPDIR=/path gates diff …",
        ) from None


def _facts(file: CodedFile) -> RankingFacts:
    return RankingFacts(str(file.source.path), file.rows, file.query.size)
