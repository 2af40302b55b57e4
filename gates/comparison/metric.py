"""What a metric of a ranking is: how good one list is, or how alike two lists are.

`gates.comparison.metrics` has one file a metric.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from gates.kernels import ranking
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats, Ints
from gates.kernels.ranking import Gain, Ranking
from gates.kernels.unjudged import UnjudgedBounds

__all__ = ["JudgedQueries", "Likeness", "Metric"]


@dataclass(frozen=True, slots=True, eq=False)
class JudgedQueries:
    """All judgments of some queries, and what they allow: worked out once for both rankings.

    Attributes:
        starts: int64[Q + 1], offsets of the judgments.
        grades: float64[J], in any order.
        max_grade: The best grade of the scale.
        gain: nDCG's gain.
        relevant: The grade from which a document counts as relevant.
    """

    starts: Ints
    grades: Floats
    max_grade: float
    gain: Gain = "linear"
    relevant: float = ranking.RELEVANT
    _dcg: dict[int | None, Floats] = field(default_factory=dict)
    _count: list[Ints] = field(default_factory=list)

    def ideal_dcg(self, k: int | None) -> Floats:
        """DCG of the best list there is, float64[Q]."""
        if k not in self._dcg:
            self._dcg[k] = ranking.ideal_dcg(self.starts, self.grades, k, self.gain)
        return self._dcg[k]

    def relevant_count(self) -> Ints:
        """How many documents are relevant, int64[Q]."""
        if not self._count:
            count = ranking.relevant_count(self.starts, self.grades, relevant=self.relevant)
            self._count.append(count)
        return self._count[0]


@dataclass(frozen=True, slots=True)
class Metric:
    """How good one list is for its query, told from judgments.

    Attributes:
        name: `ndcg@{k}` as there are many of it, `ndcg@10` once its depth is known.
        words: What it is, as one would say it, such as `average precision`.
        kernel: Its value for each query, float64[Q], NaN where it does not exist; given the lists,
            the judgments and the depth.
        reads: What it needs: `grades`, `relevant` (documents from a grade on, all alike), or only
            which documents are `judged` at all.
        unit: What it counts, such as `ranks`; empty where that is the metric itself.
        higher_is_better: Whether more of it is better.
        span: The least and the greatest value there can be.
        describes: What it says something about; no difference is made of what says something about
            the judgments.
        usual: Whether `gates diff` measures it whatever it judges by.
        unjudged: What documents that nobody judged could do to a difference of it; None where
            nobody can tell: they then count as irrelevant.
        ordered: Whether the order inside the top k matters to it.
        depth: How far down it looks; None for the whole list.
    """

    name: str
    words: str
    kernel: Callable[[Ranking, JudgedQueries, int | None], Floats]
    reads: Literal["grades", "relevant", "judged"]
    unit: str = ""
    higher_is_better: bool = True
    span: tuple[float, float] = (0.0, 1.0)
    describes: Literal["ranking", "judgments"] = "ranking"
    usual: bool = False
    unjudged: Callable[[Matched, JudgedQueries, int], UnjudgedBounds] | None = None
    ordered: bool = True
    depth: int | None = None

    def at(self, k: int) -> Metric:
        """The metric at a depth, where it has one."""
        named = self.name.replace("{k}", str(k))
        return self if named == self.name else replace(self, name=named, depth=k)

    def values(self, lists: Ranking, judged: JudgedQueries) -> Floats:
        """Its value for each query, float64[Q], NaN where it does not exist."""
        return self.kernel(lists, judged, self.depth)

    def worth(self, grades: Floats, judged: JudgedQueries) -> Floats:
        """What it makes of each document, float64[N]: those of one worth may change places."""
        if self.reads == "grades":
            return ranking.gains(grades, judged.gain)
        return (grades >= judged.relevant).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike the old and the new list of a query are, whatever the judgments say.

    Attributes:
        name: `overlap@{k}` as there are many of it, `overlap@10` once its depth is known.
        words: What it is, as one would say it.
        kernel: Its value for each query, float64[Q], NaN where it does not exist; given both lists,
            RBO's persistence and the depth.
        counts: Whether it is 1 for queries of which something is so and 0 for others, so that its
            mean is the share of queries.
        span: The least and the greatest value there can be; None where that is 0 and the length
            of the longest list.
        usual: Whether `gates diff` measures it.
        depth: How far down it looks; None for the whole list.
    """

    name: str
    words: str
    kernel: Callable[[Matched, float, int | None], Floats]
    counts: bool = False
    span: tuple[float, float] | None = (0.0, 1.0)
    usual: bool = False
    depth: int | None = None

    def at(self, k: int) -> Likeness:
        """The measure at a depth, where it has one."""
        named = self.name.replace("{k}", str(k))
        return self if named == self.name else replace(self, name=named, depth=k)

    def values(self, lists: Matched, persistence: float) -> Floats:
        """Its value for each query, float64[Q], NaN where it does not exist."""
        return self.kernel(lists, persistence, self.depth)
