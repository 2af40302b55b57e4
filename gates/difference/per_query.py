"""Every metric of every query, from aligned lists, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gates.difference.plan import Plan
from gates.errors import RankingError
from gates.kernels import ranking, similarity
from gates.kernels.matching import JUDGED, OLD, Matched, match
from gates.kernels.named import Judged, quality
from gates.kernels.packed import Floats
from gates.rankings.aligned import Aligned, Block
from gates.rankings.columns import examples_of_twice
from gates.rankings.parallel import in_order

__all__ = ["PerQuery", "measure_queries"]


@dataclass(frozen=True, slots=True, eq=False)
class PerQuery:
    """One row a query, Q of them, in the order of `Aligned.query`.

    Attributes:
        old: metric → float64[Q], of the old ranking; NaN where it does not exist.
        new: metric → float64[Q], of the new ranking.
        likeness: measure → float64[Q]: `rbo`, `overlap@k`, `kendall-tau`, `top1-changed`.
    """

    old: Mapping[str, Floats]
    new: Mapping[str, Floats]
    likeness: Mapping[str, Floats]

    def delta(self, metric: str) -> Floats:
        """New minus old, float64[Q]."""
        difference: Floats = self.new[metric] - self.old[metric]
        return difference


def measure_queries(plan: Plan, aligned: Aligned, progress: Callable[[int], None]) -> PerQuery:
    """Match, grade and measure all queries.

    Args:
        plan: Which metrics.
        aligned: The three files.
        progress: Told how many queries each block held.

    Raises:
        RankingError: A document stands twice in a query of one file.
    """
    queries = aligned.query.size
    names = [*(("old", one) for one in plan.metrics), *(("new", one) for one in plan.metrics)]
    names += [("old", f"judged@{plan.k}"), ("new", f"judged@{plan.k}")]
    names += [("like", one) for one in likeness_names(plan)]
    columns = {name: np.full(queries, np.nan) for name in names}

    def work(block: Block) -> tuple[Block, Mapping[tuple[str, str], Floats]]:
        return block, _measure(plan, aligned, block)

    for block, found in in_order(work, aligned.blocks()):
        for name, values in found.items():
            columns[name][block.query] = values
        progress(block.query.size)

    def of(kind: str) -> dict[str, Floats]:
        return {name: values for (own, name), values in columns.items() if own == kind}

    return PerQuery(of("old"), of("new"), of("like"))


def likeness_names(plan: Plan) -> tuple[str, ...]:
    """The measures of how alike the two rankings of a query are."""
    return ("rbo", f"overlap@{plan.k}", "kendall-tau", "top1-changed")


def _measure(plan: Plan, aligned: Aligned, block: Block) -> Mapping[tuple[str, str], Floats]:
    matched = match(block.old, block.new, block.judged, block.grades)
    if matched.twice.size:
        raise _twice(aligned, block, matched)
    judged = Judged(
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
    names = likeness_names(plan)
    return found | {("like", name): one for name, one in zip(names, likeness, strict=True)}


def _twice(aligned: Aligned, block: Block, matched: Matched) -> RankingError:
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
