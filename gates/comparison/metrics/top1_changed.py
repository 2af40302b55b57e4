"""Whether the first document is another one."""

import numpy as np

from gates.comparison.metric import Likeness
from gates.kernels import similarity
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats


def _top1_changed(lists: Matched, _persistence: float, _k: int | None) -> Floats:
    return similarity.top1_changed(lists.pairing).astype(np.float64)


METRIC = Likeness(
    "top1-changed", "queries whose first document changed", _top1_changed, counts=True, usual=True
)
