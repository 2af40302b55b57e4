"""Which queries can tell two rankings apart: a difference of nothing is no evidence of none.

A metric is 0 for both rankings where nobody judged any document that it reads, and the same for
both where all documents of both lists are worth the same. It could not have moved, whatever the
rankings did.
"""

from typing import Final

import numpy as np

from gates.kernels.matching import Matched
from gates.kernels.packed import Bools, Floats, Ints, count, cut, lengths
from gates.kernels.similarity import Pairing

TELLS: Final = 0.0
"""The metric could differ."""
ALIKE: Final = 1.0
"""The lists differ, and any order of their documents is worth the same."""
UNMEASURED: Final = 2.0
"""The lists differ, and nobody judged a document that the metric reads in either."""
UNCHANGED: Final = 3.0
"""It could not differ either, and both lists are the same as far as it reads."""


def informative(
    matched: Matched,
    worth: tuple[Floats, Floats],
    k: int | None,
    *,
    moved: Bools,
    stuck: Bools,
) -> Floats:
    """What each query can tell, float64[Q]: `TELLS`, `ALIKE`, `UNMEASURED` or `UNCHANGED`.

    Args:
        matched: The lists and their grades.
        worth: float64[N_old] and float64[N_new], what the metric makes of each document.
        k: How far down it reads; None for the whole list.
        moved: bool[Q], whether it differs.
        stuck: bool[Q], whether it is known to be one value for other reasons.
    """
    pairing = matched.pairing
    judged = _judged(pairing.old_starts, matched.old_grades, k)
    judged = judged + _judged(pairing.new_starts, matched.new_grades, k)
    alike = stuck | _alike(pairing, *worth)
    found = np.where(judged == 0, UNMEASURED, np.where(alike, ALIKE, TELLS))
    found[(found != TELLS) & _same(pairing, k)] = UNCHANGED
    return np.where(moved, TELLS, found)


def _judged(starts: Ints, grades: Floats, k: int | None) -> Ints:
    starts, grades = cut(starts, grades, k)
    return count(starts, ~np.isnan(grades))


def _alike(pairing: Pairing, old: Floats, new: Floats) -> Bools:
    """Whether all documents of both whole lists are worth the same: others may have come up."""
    even = _even(pairing.old_starts, old) & _even(pairing.new_starts, new)
    both = (np.diff(pairing.old_starts) > 0) & (np.diff(pairing.new_starts) > 0)
    first = even.copy()
    at = pairing.old_starts[:-1][both], pairing.new_starts[:-1][both]
    first[both] = old[at[0]] == new[at[1]]
    return even & first


def _even(starts: Ints, worth: Floats) -> Bools:
    other = np.zeros(worth.size, dtype=np.bool_)
    np.not_equal(worth[1:], worth[:-1], out=other[1:])
    begin = starts[:-1]
    other[begin[begin < worth.size]] = False
    even: Bools = count(starts, other) == 0
    return even


def _same(pairing: Pairing, k: int | None) -> Bools:
    starts, old_rank = cut(pairing.new_starts, pairing.old_rank, k)
    rank = np.arange(1, old_rank.size + 1) - np.repeat(starts[:-1], np.diff(starts))
    length = lengths(pairing.old_starts, k)
    same: Bools = (count(starts, old_rank != rank) == 0) & (length == np.diff(starts))
    return same
