"""Quality metrics by the names that cards and commands use, such as `ndcg@10`."""

from dataclasses import dataclass, field

from gates.kernels import browsing, ranking
from gates.kernels.packed import Floats, Ints
from gates.kernels.ranking import Gain


@dataclass(frozen=True, slots=True, eq=False)
class JudgedQueries:
    """All judgments of some queries, and what they allow: worked out once for both rankings.

    Attributes:
        starts: int64[Q + 1], offsets of the judgments.
        grades: float64[J], in any order.
        gain: nDCG's gain.
        relevant: The grade from which a document counts as relevant.
        max_grade: The best grade of the scale, for `rbp` and `err`.
    """

    starts: Ints
    grades: Floats
    gain: Gain = "linear"
    relevant: float = ranking.RELEVANT
    max_grade: float = 3.0
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


def quality(name: str, starts: Ints, grades: Floats, judged: JudgedQueries) -> Floats:
    """A quality metric of every query, float64[Q], NaN where it does not exist.

    Args:
        name: `ndcg@K`, `mrr`, `map`, `precision@K`, `recall@K`, `rbp` or `err@K`; where `@K` may be
            left out, that is the whole list.
        starts: int64[Q + 1], offsets of the lists.
        grades: float64[N], in rank order, NaN where unjudged.
        judged: All judgments of the same queries.

    Raises:
        KeyError: There is no such metric.
        ValueError: `rbp` or `err` with a grade above the scale.
    """
    metric, _, depth = name.partition("@")
    k = int(depth) if depth else None
    arrays = (starts, grades, judged.starts, judged.grades)
    if metric == "ndcg":
        return ranking.ndcg(*arrays, k, judged.gain, ideal=judged.ideal_dcg(k))
    if metric in ("rbp", "err"):
        reader = {"rbp": browsing.rbp, "err": browsing.err}[metric]
        ideal = judged.ideal_dcg(None)
        return reader(*arrays, k, max_grade=judged.max_grade, ideal=ideal)
    count, relevant = judged.relevant_count(), judged.relevant
    if metric == "precision" and k:
        return ranking.precision_at(*arrays, k, relevant=relevant, ideal=count)
    kernel = {
        "mrr": ranking.reciprocal_rank,
        "map": ranking.average_precision,
        "recall": ranking.recall_at,
    }[metric]
    return kernel(*arrays, k, relevant=relevant, ideal=count)
