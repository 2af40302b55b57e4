"""Every metric of every query, from aligned lists, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import nlargest

import numpy as np

from gates.comparison.files.aligned import Aligned, AlignedQueries
from gates.comparison.files.columns import examples_of_twice
from gates.comparison.files.parallel import in_order
from gates.comparison.plan import ComparisonPlan
from gates.errors import RankingError
from gates.kernels import ranking, similarity
from gates.kernels.matching import JUDGED, OLD, Matched, match
from gates.kernels.named import JudgedQueries, quality
from gates.kernels.packed import Floats
from gates.kernels.unjudged import UnjudgedBounds, unjudged

__all__ = ["Open", "PerQuery", "likeness_names", "measure_queries"]

_NEXT = 50  # documents to judge next: an afternoon of one person


@dataclass(frozen=True, slots=True)
class Open:
    """A document of either top k that nobody judged.

    Attributes:
        query: Index into `Aligned.query`.
        old: Its rank in the old list; 0 when it is not in its top k.
        new: Its rank in the new list; 0 when it is not in its top k.
        power: How far its grade could move the sum over queries, weight times difference.
    """

    query: int
    old: int
    new: int
    power: float


@dataclass(frozen=True, slots=True, eq=False)
class PerQuery:
    """One row a query, Q of them, in the order of `Aligned.query`.

    Attributes:
        old: metric → float64[Q], of the old ranking; NaN where it does not exist.
        new: metric → float64[Q], of the new ranking.
        likeness: measure → float64[Q]: `rbo`, `overlap@k`, `kendall-tau`, `top1-changed`.
        unjudged: (float64[Q], float64[Q]): the least and the greatest difference of the judged
            metric that grades still to come could make; None where it is not an nDCG.
        judge_next: Unjudged documents that could move the mean most, most first.
    """

    old: Mapping[str, Floats]
    new: Mapping[str, Floats]
    likeness: Mapping[str, Floats]
    unjudged: tuple[Floats, Floats] | None
    judge_next: tuple[Open, ...]

    def delta(self, metric: str) -> Floats:
        """New minus old, float64[Q]."""
        difference: Floats = self.new[metric] - self.old[metric]
        return difference


def measure_queries(
    plan: ComparisonPlan, aligned: Aligned, weight: Floats, progress: Callable[[int], None]
) -> PerQuery:
    """Match, grade and measure all queries.

    Args:
        plan: Which metrics.
        aligned: The three files.
        weight: float64[Q], what each query stands for; 0 for those that do not count.
        progress: Told how many queries each block held.

    Raises:
        RankingError: A document stands twice in a query of one file.
    """
    queries = aligned.query.size
    names = [*(("old", one) for one in plan.metrics), *(("new", one) for one in plan.metrics)]
    names += [("old", f"judged@{plan.k}"), ("new", f"judged@{plan.k}")]
    names += [("like", one) for one in likeness_names(plan)]
    if plan.bounded_depth:
        names += [("open", "least"), ("open", "greatest")]
    columns = {name: np.full(queries, np.nan) for name in names}
    nexts: list[Open] = []

    def work(
        block: AlignedQueries,
    ) -> tuple[AlignedQueries, Mapping[tuple[str, str], Floats], list[Open]]:
        return block, *_measure(plan, aligned, block, weight)

    for block, found, opens in in_order(work, aligned.blocks()):
        for name, values in found.items():
            columns[name][block.query] = values
        nexts = nlargest(_NEXT, (*nexts, *opens), key=lambda one: (one.power, -one.query))
        progress(block.query.size)

    def of(kind: str) -> dict[str, Floats]:
        return {name: values for (own, name), values in columns.items() if own == kind}

    bounds = of("open")
    unjudged = (bounds["least"], bounds["greatest"]) if bounds else None
    return PerQuery(of("old"), of("new"), of("like"), unjudged, tuple(nexts))


def likeness_names(plan: ComparisonPlan) -> tuple[str, ...]:
    """The measures of how alike the two rankings of a query are."""
    return ("rbo", f"overlap@{plan.k}", "kendall-tau", "top1-changed")


def _measure(
    plan: ComparisonPlan, aligned: Aligned, block: AlignedQueries, weight: Floats
) -> tuple[Mapping[tuple[str, str], Floats], list[Open]]:
    matched = match(block.old, block.new, block.judged, block.grades)
    if matched.twice.size:
        raise _twice(aligned, block, matched)
    judged = JudgedQueries(
        block.judged.starts, block.grades, plan.gain, plan.relevant, aligned.judgments.top
    )
    found: dict[tuple[str, str], Floats] = {}
    for arm, lists, grades in (
        ("old", block.old, matched.old_grades),
        ("new", block.new, matched.new_grades),
    ):
        for metric in plan.metrics:
            found[arm, metric] = quality(metric, lists.starts, grades, judged)
        found[arm, f"judged@{plan.k}"] = ranking.judged_at(lists.starts, grades, plan.k)
    pairing = matched.pairing
    likeness = (
        similarity.rbo(pairing),
        similarity.overlap_at(pairing, plan.k),
        similarity.kendall_tau(pairing),
        similarity.top1_changed(pairing).astype(np.float64),
    )
    for name, one in zip(likeness_names(plan), likeness, strict=True):
        found["like", name] = one
    if not plan.bounded_depth:
        return found, []
    bounds = unjudged(
        pairing,
        matched.old_grades,
        matched.new_grades,
        block.judged.starts,
        block.grades,
        plan.bounded_depth,
        plan.gain,
        max_grade=aligned.judgments.top,
    )
    found["open", "least"], found["open", "greatest"] = bounds.pessimistic, bounds.optimistic
    return found, _opens(block, bounds, weight)


def _opens(block: AlignedQueries, bounds: UnjudgedBounds, weight: Floats) -> list[Open]:
    """The unjudged documents of a block that could move the mean most."""
    query = block.query[bounds.query]
    power = weight[query] * bounds.swing
    most = np.argsort(-power, kind="stable")[:_NEXT]
    old = bounds.old_row - block.old.starts[bounds.query] + 1
    new = bounds.new_row - block.new.starts[bounds.query] + 1
    return [
        Open(
            int(query[at]),
            int(old[at]) if bounds.old_row[at] >= 0 else 0,
            int(new[at]) if bounds.new_row[at] >= 0 else 0,
            float(power[at]),
        )
        for at in most
        if power[at] > 0
    ]


def _twice(aligned: Aligned, block: AlignedQueries, matched: Matched) -> RankingError:
    source, row = matched.twice[0].tolist()
    file = {JUDGED: aligned.judgments, OLD: aligned.old}.get(source, aligned.new)
    lists = {JUDGED: block.judged, OLD: block.old}.get(source, block.new)
    place = int(np.searchsorted(lists.starts, row, side="right")) - 1
    query = aligned.names[int(block.query[place])].as_py()
    count = int((matched.twice[:, 0] == source).sum())
    documents = examples_of_twice(file.source, file.columns, query)
    return RankingError(
        f"{count:,} or more documents stand twice in a query: query {query!r}, {documents}",
        path=file.source.path,
        advice="keep one row for each document of a query",
    )
