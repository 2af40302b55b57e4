"""Kendall's tau of the documents that both lists hold (1938)."""

from gates.comparison.metric import Likeness
from gates.kernels import similarity
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats


def _kendall_tau(lists: Matched, _persistence: float, _k: int | None) -> Floats:
    return similarity.kendall_tau(lists.pairing)


METRIC = Likeness(
    "kendall-tau",
    "rank correlation of the documents both lists hold",
    _kendall_tau,
    span=(-1.0, 1.0),
    usual=True,
)
