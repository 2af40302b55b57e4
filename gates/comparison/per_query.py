"""Every metric of every query, from matched lists, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

import numpy as np

from gates.comparison.files.parallel import in_order
from gates.comparison.measures import RankingMeasures
from gates.comparison.metric import JudgedQueries, Metric
from gates.comparison.population import Population
from gates.comparison.rows import AlignedQueries, RankedRows
from gates.kernels.informative import informative
from gates.kernels.matching import Lists, Matched
from gates.kernels.packed import Floats, Ints
from gates.kernels.random_order import best_order, random_order
from gates.kernels.ranking import Ranking
from gates.kernels.unjudged import UnjudgedBounds

__all__ = ["PerQuery", "UnjudgedDocument", "measure_queries"]

_NEXT = 50  # documents to judge next: an afternoon of one person

Column = tuple[str, str]
"""Of what a value is, as the fields of `PerQuery` have it, and the metric's name."""


@dataclass(frozen=True, slots=True)
class UnjudgedDocument:
    """A document of either top k that nobody judged.

    Attributes:
        query: Its number.
        old: Its rank in the old list; 0 when it is not in its top k.
        new: Its rank in the new list; 0 when it is not in its top k.
        power: How far its grade could move the mean difference of the judged metric.
    """

    query: int
    old: int
    new: int
    power: float

    @property
    def order(self) -> tuple[float, bool, int, int]:
        """Sorts by power, most first; those of the new list before those that left it."""
        return -self.power, not self.new, self.query, self.new or self.old


@dataclass(frozen=True, slots=True, eq=False)
class PerQuery:
    """One row a query of the population, P of them.

    Attributes:
        old: metric → float64[P], of the old ranking; NaN where it does not exist.
        new: metric → float64[P], of the new ranking.
        likeness: measure → float64[P].
        unjudged: metric → (float64[P], float64[P]): the least and the greatest difference that
            grades still to come could make.
        informative: metric → float64[P], whether each query can tell the rankings apart: a value of
            `gates.kernels.informative`.
        met: How many judged documents stand in either list, of all queries.
        repeated: How many judgments stood there twice, word for word, and count once.
        judge_next: Unjudged documents that could move the mean most, most first.
        longest: The length of the longest list.
        random: metric → float64[P], for a random order of the old ranking's documents; only where
            those are all that there is to rank.
        ideal: metric → float64[P], for the best order of them, likewise.
    """

    old: Mapping[str, Floats]
    new: Mapping[str, Floats]
    likeness: Mapping[str, Floats]
    unjudged: Mapping[str, tuple[Floats, Floats]]
    informative: Mapping[str, Floats]
    met: int
    repeated: int
    judge_next: tuple[UnjudgedDocument, ...]
    longest: int
    random: Mapping[str, Floats] = field(default_factory=dict)
    ideal: Mapping[str, Floats] = field(default_factory=dict)


def measure_queries(
    measures: RankingMeasures,
    rows: RankedRows,
    population: Population,
    progress: Callable[[int], None] | None = None,
) -> PerQuery:
    """Match, grade and measure all queries.

    Args:
        measures: Which metrics.
        rows: Both rankings and the judgments.
        population: The queries that count.
        progress: Told how many queries each block held.

    Raises:
        RankingError: A document stands twice in a query of one ranking.
    """
    share = np.zeros(rows.queries)
    share[population.index] = population.weight
    total = population.weight.sum()
    columns: dict[Column, Floats] = {}
    following: list[UnjudgedDocument] = []
    longest, met, repeated = 1, 0, 0

    def work(block: AlignedQueries) -> tuple[AlignedQueries, _Block]:
        return block, _Block(measures, rows, block)

    for block, found in in_order(work, rows.blocks()):
        for name, values in found.columns.items():
            if name not in columns:
                columns[name] = np.full(rows.queries, np.nan)
            columns[name][block.query] = values
        if found.open:
            some = _most_powerful(block, found.open, share, total)
            following = nsmallest(_NEXT, (*following, *some), key=lambda one: one.order)
        longest, met = max(longest, found.longest), met + found.met
        repeated += found.repeated
        if progress:
            progress(block.query.size)

    def of(kind: str) -> dict[str, Floats]:
        return {
            name: values[population.index] for (own, name), values in columns.items() if own == kind
        }

    least, greatest = of("least"), of("greatest")
    unjudged = {name: (least[name], greatest[name]) for name in least}
    return PerQuery(
        of("old"),
        of("new"),
        of("like"),
        unjudged,
        of("tells"),
        met,
        repeated,
        tuple(following),
        longest,
        of("random"),
        of("ideal"),
    )


class _Block:
    """Some queries, measured.

    Attributes:
        columns: Values of these queries.
        open: What unjudged documents could do to the judged metric, where they may.
        longest: The length of the longest list.
        met: How many judged documents stand in either list.
        repeated: How many judgments stood there twice.
    """

    def __init__(self, measures: RankingMeasures, rows: RankedRows, block: AlignedQueries) -> None:
        block, matched = rows.match(block)
        self._measures = measures
        self.repeated = block.repeated
        judged = JudgedQueries(
            block.judged.starts, block.grades, rows.max_grade, measures.gain, measures.relevant
        )
        self.columns: dict[Column, Floats] = {}
        self.open: UnjudgedBounds | None = None
        self.longest = max(_longest(block.old), _longest(block.new))
        for arm, lists, grades in (
            ("old", block.old, matched.old_grades),
            ("new", block.new, matched.new_grades),
        ):
            ranked = Ranking(lists.starts, lists.codes, grades)
            for metric in measures.quality:
                self.columns[arm, metric.name] = metric.values(ranked, judged)
        if block.given:
            self._range(Ranking(block.old.starts, block.old.codes, matched.old_grades), judged)
        for metric in measures.quality:
            self.columns["tells", metric.name] = self._informative(metric, block, matched, judged)
        new_only = matched.pairing.old_rank == 0
        self.met = int(np.count_nonzero(~np.isnan(matched.old_grades)))
        self.met += int(np.count_nonzero(~np.isnan(matched.new_grades) & new_only))
        for measure in measures.likeness:
            self.columns["like", measure.name] = measure.values(matched, measures.persistence)
        for metric in measures.bounded:
            self._bound(metric, matched, judged, judged_by=metric == measures.judged)

    def _range(self, lists: Ranking, judged: JudgedQueries) -> None:
        """What metrics come to without any model, and at their best."""
        for metric in self._measures.compared:

            def values(order: Ranking, metric: Metric = metric) -> Floats:
                return metric.values(order, judged)

            self.columns["random", metric.name] = random_order(values, lists)
            self.columns["ideal", metric.name] = best_order(values, lists)

    def _informative(
        self, metric: Metric, block: AlignedQueries, matched: Matched, judged: JudgedQueries
    ) -> Floats:
        """Whether each query can tell the rankings apart by a metric."""
        stuck = np.zeros(block.query.size, np.bool_) if block.tied is None else block.tied
        if block.given and not metric.ordered and metric.depth:
            # All that there is to rank is read, and its order does not matter.
            stuck = stuck | (np.diff(block.new.starts) <= metric.depth)
        grades = (matched.old_grades, matched.new_grades)
        old, new = (metric.worth(one, judged) for one in grades)
        moved = self.columns["old", metric.name] != self.columns["new", metric.name]
        nowhere = np.isnan(self.columns["new", metric.name])
        return informative(matched, (old, new), metric.depth, moved=moved & ~nowhere, stuck=stuck)

    def _bound(
        self, metric: Metric, matched: Matched, judged: JudgedQueries, *, judged_by: bool
    ) -> None:
        assert metric.unjudged  # noqa: S101 - asked before
        assert metric.depth  # noqa: S101 - where nothing is cut off nothing hides below
        bounds = metric.unjudged(matched, judged, metric.depth)
        self.columns["least", metric.name] = bounds.pessimistic
        self.columns["greatest", metric.name] = bounds.optimistic
        if judged_by:
            self.open = bounds


def _longest(lists: Lists) -> int:
    return int(np.diff(lists.starts).max(initial=0))


def _most_powerful(
    block: AlignedQueries, bounds: UnjudgedBounds, weight: Floats, total: float
) -> Sequence[UnjudgedDocument]:
    """The unjudged documents of a block that could move the mean most."""
    query = block.query[bounds.query]
    power = weight[query] * bounds.swing / total
    old = _ranks(bounds.old_row, block.old, bounds.query)
    new = _ranks(bounds.new_row, block.new, bounds.query)
    least = np.partition(power, -_NEXT)[-_NEXT] if power.size > _NEXT else 0.0
    found = [
        UnjudgedDocument(int(query[at]), int(old[at]), int(new[at]), float(power[at]))
        for at in np.flatnonzero((power >= least) & (power > 0))
    ]
    return nsmallest(_NEXT, found, key=lambda one: one.order)


def _ranks(row: Ints, lists: Lists, query: Ints) -> Ints:
    return np.where(row >= 0, row - lists.starts[query] + 1, 0)
