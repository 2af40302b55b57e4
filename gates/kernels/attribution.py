"""Which document cost what: the difference of two DCGs, shared out to the documents behind it."""

from typing import NamedTuple

import numpy as np

from gates.kernels.packed import Floats
from gates.kernels.ranking import Gain, dcg_terms
from gates.kernels.similarity import Pairing


class DcgChange(NamedTuple):
    """What each document added to, or took from, its query's DCG.

    Over the rows of a query, `new` and `left` together sum to DCG(new) - DCG(old), up to rounding.

    Attributes:
        new: float64[N_new], for each row of the new list its DCG term there minus its term in the
            old list; a document that entered has none there.
        left: float64[N_old], for each row of the old list whose document the new list no longer
            holds, minus its term; 0 for documents that stayed.
    """

    new: Floats
    left: Floats


def dcg_change(
    pairing: Pairing,
    old_grades: Floats,
    new_grades: Floats,
    k: int | None = None,
    gain: Gain = "linear",
) -> DcgChange:
    """Share out DCG@k(new) - DCG@k(old) to the documents of both lists.

    A document that fell below the cut but is still listed loses its term in `new`, where it
    stands now. Divided by the query's ideal DCG the changes are those of nDCG.

    Args:
        pairing: the matched lists.
        old_grades: float64[N_old], grades in rank order, NaN where unjudged.
        new_grades: float64[N_new], likewise.
        k: depth of the cut; None takes the lists as they are.
        gain: as in `gates.kernels.ranking.ndcg`.
    """
    old = dcg_terms(pairing.old_starts, old_grades, k, gain)
    new = dcg_terms(pairing.new_starts, new_grades, k, gain)
    begin = np.repeat(pairing.old_starts[:-1], np.diff(pairing.new_starts))
    common = np.flatnonzero(pairing.old_rank)
    new[common] -= old[begin[common] + pairing.old_rank[common] - 1]
    return DcgChange(new, np.where(pairing.new_rank == 0, -old, 0.0))
