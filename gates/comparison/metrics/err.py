"""Expected reciprocal rank (Chapelle, Metzler, Zhang and Grinspan, CIKM 2009)."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.kernels import browsing
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking


def _err(lists: Ranking, judged: JudgedQueries, k: int | None) -> Floats:
    return browsing.err(
        lists.starts,
        lists.grades,
        judged.starts,
        judged.grades,
        k,
        max_grade=judged.max_grade,
        ideal=judged.ideal_dcg(None),
    )


METRIC = Metric(
    "err@{k}", "expected reciprocal rank of the document a reader stops at", _err, reads="grades"
)
