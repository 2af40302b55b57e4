"""Packed arrays from plain lists, and random lists, for the kernel tests."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gates.kernels.matching import Lists, as_codes, pair
from gates.kernels.packed import Floats, Ints
from gates.kernels.similarity import Pairing

UNJUDGED = float("nan")


def pack(lists: Sequence[Sequence[float]]) -> tuple[Ints, Floats]:
    """Offsets and values of lists of grades."""
    starts = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    return starts, np.array([grade for grades in lists for grade in grades], dtype=np.float64)


def pair_lists(old: Sequence[Sequence[int]], new: Sequence[Sequence[int]]) -> Pairing:
    """Pairing of lists of document codes."""
    old_starts, old_docs = pack(old)
    new_starts, new_docs = pack(new)
    return pair_docs(old_starts, old_docs.astype(np.int64), new_starts, new_docs.astype(np.int64))


def pair_docs(
    old_starts: Ints,
    old_docs: NDArray[np.integer],
    new_starts: Ints,
    new_docs: NDArray[np.integer],
) -> Pairing:
    """Pairing of packed lists of document numbers."""
    return pair(Lists(old_starts, as_codes(old_docs)), Lists(new_starts, as_codes(new_docs)))


def judgments(lists: Sequence[Sequence[float]]) -> tuple[Ints, Floats]:
    """Offsets and grades of what was judged in these lists, as if nothing else had been."""
    return pack([[grade for grade in grades if not np.isnan(grade)] for grades in lists])


def pair_words(old: str, new: str) -> Pairing:
    """Pairing of one query whose documents are letters."""
    return pair_lists([[*map(ord, old)]], [[*map(ord, new)]])


grade_lists = st.lists(
    st.lists(st.sampled_from([UNJUDGED, 0.0, 0.5, 1.0, 2.0, 3.0]), max_size=12),
    min_size=1,
    max_size=5,
)
doc_lists = st.lists(st.integers(0, 15), max_size=12, unique=True)
paired_doc_lists = st.lists(st.tuples(doc_lists, doc_lists), min_size=1, max_size=5)
