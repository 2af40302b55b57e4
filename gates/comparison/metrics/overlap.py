"""Overlap of both top k: the documents they share, over k."""

from gates.comparison.metric import Likeness
from gates.kernels import similarity
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats


def _overlap(lists: Matched, _persistence: float, k: int | None) -> Floats:
    assert k  # noqa: S101 - its name has a depth
    return similarity.overlap_at(lists.pairing, k)


METRIC = Likeness("overlap@{k}", "documents that both top k share", _overlap, usual=True)
