"""Rank-biased overlap (Webber, Moffat and Zobel, TOIS 2010)."""

from gates.comparison.metric import Likeness
from gates.kernels import similarity
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats


def _rbo(lists: Matched, persistence: float, k: int | None) -> Floats:
    return similarity.rbo(lists.pairing, k, p=persistence)


METRIC = Likeness("rbo", "rank-biased overlap of the whole lists, extrapolated", _rbo, usual=True)
