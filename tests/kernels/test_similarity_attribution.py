"""Which document cost what: a worked example, and what always adds up."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.kernels.attribution import dcg_change
from gates.kernels.packed import Floats, Ints
from gates.kernels.ranking import Gain, dcg, dcg_terms
from tests.kernels.packed_lists import pack, pair_lists, pair_words, paired_doc_lists

Lists = list[tuple[list[int], list[int]]]
gain_of = st.sampled_from(["linear", "exponential"])


def graded(lists: list[list[int]]) -> tuple[Ints, Floats]:
    """A grade for each document, some of them unjudged."""
    return pack([[float("nan") if doc % 5 == 4 else doc % 5 for doc in docs] for docs in lists])


def test_the_cost_of_each_document_of_a_worked_example() -> None:
    grade = {"a": 3.0, "b": 2.0, "c": 1.0, "d": 0.0, "x": 2.0}
    old, new = "abcd", "xbda"
    change = dcg_change(
        pair_words(old, new),
        pack([[grade[doc] for doc in old]])[1],
        pack([[grade[doc] for doc in new]])[1],
        3,
    )
    # x entered on top; b stayed; d is worth nothing; a fell below the cut; c left from rank 3.
    assert change.new.tolist() == pytest.approx([2, 0, 0, -3], abs=1e-12)
    assert change.left.tolist() == pytest.approx([0, 0, -0.5, 0], abs=1e-12)


@given(paired_doc_lists, st.none() | st.integers(1, 13), gain_of)
def test_the_changes_of_a_query_sum_to_the_difference_of_its_dcgs(
    lists: Lists, k: int | None, gain: Gain
) -> None:
    old, new = ([pair[arm] for pair in lists] for arm in (0, 1))
    (old_starts, old_grades), (new_starts, new_grades) = graded(old), graded(new)
    change = dcg_change(pair_lists(old, new), old_grades, new_grades, k, gain)
    summed = [
        change.new[a:b].sum() + change.left[c:d].sum()
        for (a, b), (c, d) in zip(pairwise(new_starts), pairwise(old_starts), strict=True)
    ]
    whole = dcg(new_starts, new_grades, k, gain) - dcg(old_starts, old_grades, k, gain)
    np.testing.assert_allclose(summed, whole, rtol=0, atol=1e-12)


@given(paired_doc_lists, st.none() | st.integers(1, 13), gain_of)
def test_each_document_pays_for_its_own_terms(lists: Lists, k: int | None, gain: Gain) -> None:
    old, new = ([pair[arm] for pair in lists] for arm in (0, 1))
    (old_starts, old_grades), (new_starts, new_grades) = graded(old), graded(new)
    change = dcg_change(pair_lists(old, new), old_grades, new_grades, k, gain)
    before = dcg_terms(old_starts, old_grades, k, gain)
    after = dcg_terms(new_starts, new_grades, k, gain)
    for query, (a, b) in enumerate(lists):
        was = dict(zip(a, before[old_starts[query] :], strict=False))
        now = dict(zip(b, after[new_starts[query] :], strict=False))
        for doc, cost in zip(b, change.new[new_starts[query] :], strict=False):
            assert cost == now[doc] - was.get(doc, 0)
        for doc, cost in zip(a, change.left[old_starts[query] :], strict=False):
            assert cost == (0 if doc in now else -was[doc])


@given(st.lists(st.lists(st.integers(0, 15), unique=True, max_size=12), min_size=1, max_size=4))
def test_nothing_changes_between_a_list_and_itself(lists: list[list[int]]) -> None:
    grades = graded(lists)[1]
    change = dcg_change(pair_lists(lists, lists), grades, grades)
    assert not change.new.any()
    assert not change.left.any()
