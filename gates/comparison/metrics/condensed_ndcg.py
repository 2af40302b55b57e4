"""nDCG of lists without their unjudged documents (Sakai, "Alternatives to Bpref", SIGIR 2007)."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.comparison.metrics.ndcg import ndcg
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking, condensed


def _condensed_ndcg(lists: Ranking, judged: JudgedQueries, k: int | None) -> Floats:
    return ndcg(condensed(lists), judged, k)


METRIC = Metric(
    "condensed-ndcg@{k}",
    "nDCG of the top k once unjudged documents are taken out",
    _condensed_ndcg,
    reads="grades",
)
