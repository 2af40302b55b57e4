"""How much of the top k somebody judged: what the quality metrics rest on."""

from gates.comparison.metric import JudgedQueries, Metric
from gates.kernels import ranking
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking


def _judged(lists: Ranking, _: JudgedQueries, k: int | None) -> Floats:
    assert k  # noqa: S101 - its name has a depth
    return ranking.judged_at(lists.starts, lists.grades, k)


METRIC = Metric(
    "judged@{k}",
    "share of the top k that somebody judged",
    _judged,
    reads="judged",
    describes="judgments",
    usual=True,
)
