"""MAP: average precision over all relevant documents (trec_eval `map`)."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.kernels import ranking
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking


def _map(lists: Ranking, judged: JudgedQueries, k: int | None) -> Floats:
    return ranking.average_precision(
        lists.starts,
        lists.grades,
        judged.starts,
        judged.grades,
        k,
        relevant=judged.relevant,
        ideal=judged.relevant_count(),
    )


METRIC = Metric("map", "average precision", _map, reads="relevant", usual=True)
