"""Recall of the top k (trec_eval `recall`)."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.kernels import ranking
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking


def _recall(lists: Ranking, judged: JudgedQueries, k: int | None) -> Floats:
    return ranking.recall_at(
        lists.starts,
        lists.grades,
        judged.starts,
        judged.grades,
        k,
        relevant=judged.relevant,
        ideal=judged.relevant_count(),
    )


METRIC = Metric(
    "recall@{k}",
    "share of all relevant documents that are in the top k",
    _recall,
    reads="relevant",
    usual=True,
    ordered=False,
)
