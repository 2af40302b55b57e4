"""Precision of the top k; short lists still divide by k (trec_eval `P`)."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.kernels import ranking
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking


def _precision(lists: Ranking, judged: JudgedQueries, k: int | None) -> Floats:
    assert k  # noqa: S101 - its name has a depth
    return ranking.precision_at(
        lists.starts,
        lists.grades,
        judged.starts,
        judged.grades,
        k,
        relevant=judged.relevant,
        ideal=judged.relevant_count(),
    )


METRIC = Metric(
    "precision@{k}",
    "share of relevant documents in the top k",
    _precision,
    reads="relevant",
    usual=True,
    ordered=False,
)
