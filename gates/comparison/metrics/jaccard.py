"""Jaccard's index of both top k: the documents they share, over those in either."""

from gates.comparison.metric import Likeness
from gates.kernels import similarity
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats


def _jaccard(lists: Matched, _persistence: float, k: int | None) -> Floats:
    assert k  # noqa: S101 - its name has a depth
    return similarity.jaccard_at(lists.pairing, k)


METRIC = Likeness("jaccard@{k}", "documents that both top k share, of those in either", _jaccard)
