"""Whether a query lost all its results."""

import numpy as np

from gates.comparison.metric import Likeness
from gates.kernels import similarity
from gates.kernels.matching import Matched
from gates.kernels.packed import Floats


def _zero_results(lists: Matched, _persistence: float, _k: int | None) -> Floats:
    return (similarity.zero_result_flips(lists.pairing) < 0).astype(np.float64)


METRIC = Likeness("zero-results", "queries that lost all their results", _zero_results, counts=True)
