"""The most ranks by which one document moved."""

import numpy as np

from gates.comparison.metric import Likeness
from gates.kernels import similarity
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats


def _largest_move(lists: Matched, _persistence: float, _k: int | None) -> Floats:
    return similarity.largest_displacement(lists.pairing).astype(np.float64)


METRIC = Likeness(
    "largest-move", "ranks by which a document moved at the most", _largest_move, span=None
)
