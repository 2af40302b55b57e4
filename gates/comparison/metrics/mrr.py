"""MRR: one over the rank of the first relevant document (Voorhees, TREC-8, 1999)."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.kernels import ranking
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking


def _mrr(lists: Ranking, judged: JudgedQueries, k: int | None) -> Floats:
    return ranking.reciprocal_rank(
        lists.starts,
        lists.grades,
        judged.starts,
        judged.grades,
        k,
        relevant=judged.relevant,
        ideal=judged.relevant_count(),
    )


METRIC = Metric(
    "mrr", "reciprocal rank of the first relevant document", _mrr, reads="relevant", usual=True
)
