"""How far documents nobody judged could move a difference: every assignment of grades, tried."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gates.kernels.ranking import Gain, ndcg
from gates.kernels.unjudged import UnjudgedBounds, unjudged
from tests.kernels.packed_lists import UNJUDGED, pack, pair_lists

BEST = 3.0
Grades = dict[int, float]


@dataclass(frozen=True)
class Query:
    """Two lists of documents, and the grades of those that were judged, served or not."""

    old: list[int]
    new: list[int]
    judged: Grades

    def open(self, k: int) -> list[int]:
        """Documents of either top k that nobody judged."""
        return sorted({*self.old[:k], *self.new[:k]} - self.judged.keys())


def bounds(queries: list[Query], k: int, gain: Gain = "linear") -> UnjudgedBounds:
    old = pack([[one.judged.get(doc, UNJUDGED) for doc in one.old] for one in queries])
    new = pack([[one.judged.get(doc, UNJUDGED) for doc in one.new] for one in queries])
    pairing = pair_lists([one.old for one in queries], [one.new for one in queries])
    ideal = pack([[*one.judged.values()] for one in queries])
    return unjudged(pairing, old[1], new[1], *ideal, k, gain, max_grade=BEST)


def difference(query: Query, grades: Grades, k: int, gain: Gain) -> float:
    """nDCG@k(new) - nDCG@k(old) with these judgments."""
    ideal = pack([[*grades.values()]])
    old, new = (
        ndcg(*pack([[grades.get(doc, UNJUDGED) for doc in docs]]), *ideal, k, gain)[0]
        for docs in (query.old, query.new)
    )
    return float(new - old)


def differences(query: Query, k: int, gain: Gain = "linear") -> list[float]:
    """That of every assignment of the worst, a middling and the best grade."""
    missing = query.open(k)
    every = product((0.0, BEST / 2, BEST), repeat=len(missing))
    return [
        difference(query, query.judged | dict(zip(missing, grades, strict=True)), k, gain)
        for grades in every
    ]


documents = st.lists(st.integers(0, 7), max_size=6, unique=True)
graded = st.dictionaries(st.integers(0, 9), st.sampled_from([0.0, 1.0, 2.0, BEST]), max_size=8)
some_queries = st.lists(st.builds(Query, documents, documents, graded), min_size=1, max_size=3)
depths = st.integers(1, 6)
either_gain = st.sampled_from(["linear", "exponential"])


@given(some_queries, depths, either_gain)
def test_no_assignment_of_grades_leaves_the_bounds(
    queries: list[Query], k: int, gain: Gain
) -> None:
    assume(all(len(one.open(k)) <= 4 for one in queries))
    found = bounds(queries, k, gain)
    for number, query in enumerate(queries):
        if max(query.judged.values(), default=0.0) == 0:
            assert np.isnan([found.pessimistic[number], found.optimistic[number]]).all()
            continue
        tried = differences(query, k, gain)
        assert -1 <= found.pessimistic[number] <= min(tried) + 1e-12
        assert 1 >= found.optimistic[number] >= max(tried) - 1e-12


@given(some_queries, depths, either_gain)
def test_where_everything_is_judged_both_bounds_are_the_difference(
    queries: list[Query], k: int, gain: Gain
) -> None:
    filled = [Query(one.old, one.new, dict.fromkeys(range(8), 1.0) | one.judged) for one in queries]
    found = bounds(filled, k, gain)
    exact = [difference(one, one.judged, k, gain) for one in filled]
    assert found.pessimistic.tolist() == pytest.approx(exact, abs=1e-12)
    assert found.optimistic.tolist() == pytest.approx(exact, abs=1e-12)
    assert found.query.size == 0


@given(some_queries, depths)
def test_every_unjudged_document_of_either_top_k_is_named_once_by_its_rows(
    queries: list[Query], k: int
) -> None:
    found = bounds(queries, k)
    old_starts = pack([one.old for one in queries])[0]
    new_starts = pack([one.new for one in queries])[0]
    named: list[list[int]] = [[] for _ in queries]
    for number, old_row, new_row in zip(found.query, found.old_row, found.new_row, strict=True):
        query = queries[number]
        at_old, at_new = int(old_row - old_starts[number]), int(new_row - new_starts[number])
        doc = query.new[at_new] if new_row >= 0 else query.old[at_old]
        assert (old_row >= 0) == (doc in query.old[:k])
        assert (new_row >= 0) == (doc in query.new[:k])
        assert old_row < 0 or query.old[at_old] == doc
        named[number].append(doc)
    assert [sorted(docs) for docs in named] == [one.open(k) for one in queries]


@given(some_queries, depths, either_gain)
def test_exchanging_old_and_new_exchanges_the_bounds(
    queries: list[Query], k: int, gain: Gain
) -> None:
    forth = bounds(queries, k, gain)
    back = bounds([Query(one.new, one.old, one.judged) for one in queries], k, gain)
    assert back.pessimistic == pytest.approx(-forth.optimistic, abs=1e-12, nan_ok=True)
    assert sorted(back.swing) == pytest.approx(sorted(forth.swing))


def test_an_unjudged_document_that_entered_can_only_help() -> None:
    found = bounds([Query(old=[1, 2], new=[1, 9], judged={1: BEST, 2: 0.0})], k=2)
    (query,) = range(1)
    assert found.pessimistic[query] == 0
    # Alone at rank 2, over an ideal that holds only the judged document: 1 / log2(3).
    assert found.swing.tolist() == pytest.approx([1 / np.log2(3)])
    assert found.optimistic[query] == pytest.approx(1 / np.log2(3))


def test_a_document_at_the_same_rank_in_both_lists_moves_nothing() -> None:
    found = bounds([Query(old=[5, 1, 2], new=[5, 2, 1], judged={1: 1.0, 2: 2.0})], k=3)
    assert found.swing.tolist() == [0]
    assert (found.old_row.tolist(), found.new_row.tolist()) == ([0], [0])
    # What is known to be a gain stays one, smaller at the least when the ideal grows.
    assert 0 < found.pessimistic[0] <= found.optimistic[0]


def test_a_document_below_the_cut_moves_nothing_and_is_not_named() -> None:
    found = bounds([Query(old=[1, 8], new=[1, 9], judged={1: 1.0})], k=1)
    assert found.pessimistic.tolist() == found.optimistic.tolist() == [0]
    assert found.query.size == 0


def test_a_document_that_rose_into_the_top_counts_from_there_only() -> None:
    found = bounds([Query(old=[1, 7], new=[7, 1], judged={1: 1.0})], k=1)
    assert (found.old_row.tolist(), found.new_row.tolist()) == ([-1], [0])


def test_where_no_judged_document_has_a_gain_nothing_is_bounded() -> None:
    for judged in ({}, {1: 0.0}):
        found = bounds([Query(old=[1], new=[2], judged=judged)], k=1)
        assert np.isnan([*found.pessimistic, *found.optimistic]).all()
        assert not found.swing.any()


def test_empty_lists_have_nothing_open() -> None:
    found = bounds([Query(old=[], new=[], judged={1: 1.0})], k=10)
    assert found.pessimistic.tolist() == found.optimistic.tolist() == [0]


def test_no_queries_at_all() -> None:
    found = bounds([], k=10)
    assert found.pessimistic.size == found.query.size == 0
