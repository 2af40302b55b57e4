"""AP rank correlation (Yilmaz, Aslam and Robertson, SIGIR 2008)."""

from gates.comparison.metric import Likeness
from gates.kernels import similarity
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats


def _tau_ap(lists: Matched, _persistence: float, _k: int | None) -> Floats:
    return similarity.tau_ap(lists.pairing)


METRIC = Likeness(
    "tau-ap",
    "rank correlation of the documents both lists hold, where swaps at the top weigh more",
    _tau_ap,
    span=(-1.0, 1.0),
)
