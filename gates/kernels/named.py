"""Quality metrics by the names that cards and commands use, such as `ndcg@10`."""

from dataclasses import dataclass

from gates.kernels import ranking
from gates.kernels.packed import Floats, Ints
from gates.kernels.ranking import Gain


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """Result lists with grades, and all judgments of the same queries.

    Attributes:
        starts: int64[Q + 1], offsets of the lists.
        grades: float64[N], in rank order, NaN where unjudged.
        ideal_starts: int64[Q + 1], offsets of the judgments.
        ideal_grades: float64[J], in any order.
    """

    starts: Ints
    grades: Floats
    ideal_starts: Ints
    ideal_grades: Floats


def quality(
    name: str, lists: Graded, *, gain: Gain = "linear", relevant: float = ranking.RELEVANT
) -> Floats:
    """A quality metric of every query, float64[Q], NaN where it does not exist.

    Args:
        name: `ndcg@K`, `mrr`, `map`, `precision@K` or `recall@K`; without `@K` the whole list.
        lists: The lists and their judgments.
        gain: nDCG's gain.
        relevant: The grade from which a document counts as relevant.

    Raises:
        KeyError: There is no such metric.
    """
    metric, _, depth = name.partition("@")
    k = int(depth) if depth else None
    arrays = (lists.starts, lists.grades, lists.ideal_starts, lists.ideal_grades)
    if metric == "ndcg":
        return ranking.ndcg(*arrays, k, gain)
    if metric == "precision" and k:
        return ranking.precision_at(*arrays, k, relevant=relevant)
    kernel = {
        "mrr": ranking.reciprocal_rank,
        "map": ranking.average_precision,
        "recall": ranking.recall_at,
    }[metric]
    return kernel(*arrays, k, relevant=relevant)
