"""Two rankings in files, compared: read this to see the order of things.

Align the three files, decide which queries count, measure each, add them up, judge, and read again
the lists of the queries that changed most.
"""

from __future__ import annotations

import errno
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gates.comparison.exhibits import judge_next, most_changed, side_by_side, worst_places
from gates.comparison.files.aligned import Aligned, align
from gates.comparison.files.judgment_notes import judgment_notes
from gates.comparison.files.queries import population
from gates.comparison.files.rows import FileRows
from gates.comparison.files.store import CodedFile
from gates.comparison.measure import MeasuredQueries
from gates.comparison.measures import SEVERE
from gates.comparison.per_query import measure_queries
from gates.comparison.plan import ComparisonPlan
from gates.comparison.slices import cuts
from gates.domain.comparison import Comparison, RankingFacts
from gates.domain.exhibits import Exhibit
from gates.domain.judging import Bound, Judgement, Outcome, decide, judge
from gates.errors import UsageError
from gates.evidence.facts import now

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Compared", "compare"]

CHECK = "diff"
"""The name under which a comparison's bounds stand."""

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how much of it is done, and of how much (None when nobody knows)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and the rows it rests on.

    Attributes:
        comparison: The verdict and its numbers.
        aligned: The files' queries.
        queries: Those that count, and the metrics of each.
    """

    comparison: Comparison
    aligned: Aligned
    queries: MeasuredQueries

    def names(self) -> pa.Array:
        """The ids of the queries that count, Arrow strings[P]."""
        from gates.comparison.files.arrow import as_arrow

        return self.aligned.names.take(as_arrow(self.queries.population.index))


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
            order=plan.order,
            progress=lambda done, total: progress("reading rows", done, total),
        )
        queries = _measured(plan, aligned, progress)
        notes = (
            *aligned.notes,
            *queries.population.notes,
            *judgment_notes(FileRows(aligned), queries),
        )
        progress("working out bounds", 0, None)
        whole, *named = cuts(queries.population.slices, plan.slices, queries.population.index.size)
        judged = f"{plan.judged.name}.delta"
        measurements = tuple(
            queries.measure(
                plan.measurements, [whole, *named], margins=plan.margins, in_slices=[judged]
            )
        )
        found = {(one.metric, one.slice): one for one in measurements}
        judgements = tuple(
            judge(bound, found.get((bound.metric, bound.slice)))
            for bound in _bounds(plan, [name for name, _ in named])
        )
        progress("reading the lists that changed most", 0, None)
        # Their names mean reading parts of the files again: only where they are called for.
        with_documents = with_lists or any(map(_is_open, judgements))
        shown = tuple(_exhibits(plan, aligned, queries, lists=with_lists, documents=with_documents))
    comparison = Comparison(
        created=now(),
        command=(Path(sys.argv[0]).name, *sys.argv[1:]),
        old=_facts(aligned.old),
        new=_facts(aligned.new),
        judgments=_facts(aligned.judgments),
        metric=plan.judged.name,
        margin=plan.margin,
        queries=queries.population.index.size,
        measurements=measurements,
        judgements=judgements,
        exhibits=shown,
        notes=notes,
        verdict=decide(judgements),
    )
    return Compared(comparison, aligned, queries)


def _measured(plan: ComparisonPlan, aligned: Aligned, progress: Progress) -> MeasuredQueries:
    counted, measures = population(plan, aligned), plan.measures
    done = 0

    def measured(queries: int) -> None:
        nonlocal done
        done += queries
        progress("measuring queries", done, aligned.query.size)

    per_query = measure_queries(measures, FileRows(aligned), counted, measured)
    return MeasuredQueries(measures, counted, per_query, plan.severe)


def _bounds(plan: ComparisonPlan, named: Sequence[str]) -> Iterator[Bound]:
    """What is demanded: of the whole, of each named slice, and whatever else was asked for."""
    metric = f"{plan.judged.name}.delta"
    least = plan.margin if plan.slice_margin is None else plan.slice_margin
    for name, loss in (("", plan.margin), *((one, least) for one in named)):
        if plan.judged.higher_is_better:
            yield Bound(CHECK, metric, minimum=-loss, slice=name)
        else:
            yield Bound(CHECK, metric, maximum=loss, slice=name)
    if plan.better:
        yield Bound(CHECK, f"{plan.judged.name}.p-better", maximum=0.05)
    if plan.max_severe is not None:
        yield Bound(CHECK, SEVERE, maximum=plan.max_severe)


def _exhibits(
    plan: ComparisonPlan,
    aligned: Aligned,
    queries: MeasuredQueries,
    *,
    lists: bool,
    documents: bool,
) -> Iterator[Exhibit]:
    """Slices that lost most, documents to judge next, and the lists that changed most."""
    yield from worst_places(queries)
    rows, index = FileRows(aligned), queries.population.index
    chosen = most_changed(queries.gain, all_of_them=False) if lists else np.empty(0, np.int64)
    opens = [one.query for one in queries.per_query.judge_next] if documents else []
    wanted = np.unique([*index[chosen].tolist(), *opens]).astype(np.int64)
    read = rows.lists(wanted, graded=lists)
    if documents:
        yield from judge_next(
            queries, read, dict(zip(wanted.tolist(), rows.names(wanted), strict=True))
        )
    if lists:
        yield side_by_side(queries, rows, chosen, read, plan.k)


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


def _is_open(judgement: Judgement) -> bool:
    """Whether documents that nobody judged keep a bound from being decided, or help to."""
    measured = judgement.measurement
    open_ = measured is not None and measured.pessimistic is not None
    return open_ and judgement.outcome is Outcome.UNDECIDED


def _facts(file: CodedFile) -> RankingFacts:
    return RankingFacts(str(file.source.path), file.rows, file.query.size)
