"""nDCG: DCG of the top k over the DCG of the best list there is (Järvelin and Kekäläinen 2002)."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.kernels import ranking
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking
from gates.kernels.unjudged import UnjudgedBounds, unjudged


def ndcg(lists: Ranking, judged: JudgedQueries, k: int | None) -> Floats:
    """Each query's nDCG, by the gain of the judgments."""
    return ranking.ndcg(
        lists.starts,
        lists.grades,
        judged.starts,
        judged.grades,
        k,
        judged.gain,
        ideal=judged.ideal_dcg(k),
    )


def _unjudged(matched: Matched, judged: JudgedQueries, k: int) -> UnjudgedBounds:
    return unjudged(
        matched.pairing,
        matched.old_grades,
        matched.new_grades,
        judged.starts,
        judged.grades,
        k,
        judged.gain,
        max_grade=judged.max_grade,
    )


METRIC = Metric(
    "ndcg@{k}",
    "normalised discounted cumulative gain of the top k",
    ndcg,
    reads="grades",
    usual=True,
    unjudged=_unjudged,
)
