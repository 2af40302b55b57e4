"""Rank-biased precision (Moffat and Zobel, TOIS 2008)."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.kernels import browsing
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking


def _rbp(lists: Ranking, judged: JudgedQueries, k: int | None) -> Floats:
    return browsing.rbp(
        lists.starts,
        lists.grades,
        judged.starts,
        judged.grades,
        k,
        max_grade=judged.max_grade,
        ideal=judged.ideal_dcg(None),
    )


METRIC = Metric("rbp", "rank-biased precision, persistence 0.8", _rbp, reads="grades")
