"""Documents of old lists, new lists and judgments, matched by code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.kernels.matching import JUDGED, NEW, OLD, Lists, Matched, match
from gates.kernels.packed import Ints
from tests.kernels.packed_lists import pair_lists

doc_lists = st.lists(st.integers(0, 40), max_size=15, unique=True)
queries = st.lists(st.tuples(doc_lists, doc_lists, doc_lists), min_size=1, max_size=7)


def spread(docs: list[list[int]]) -> Lists:
    flat = np.array([doc for one in docs for doc in one], dtype=np.uint64)
    starts = np.cumsum([0, *map(len, docs)], dtype=np.int64)
    return Lists(starts, flat * np.uint64(0x9E3779B97F4A7C15))


def matched(old: list[list[int]], new: list[list[int]], judged: list[list[int]]) -> Matched:
    grades = np.arange(sum(map(len, judged))) / 4
    return match(spread(old), spread(new), spread(judged), grades)


def plain(arm: list[list[int]], other: list[list[int]]) -> list[int]:
    return [
        found.index(doc) + 1 if doc in found else 0
        for docs, found in zip(arm, other, strict=True)
        for doc in docs
    ]


def plain_grades(arm: list[list[int]], judged: list[list[int]]) -> list[float]:
    before = np.cumsum([0, *map(len, judged)])
    return [
        float(before[q] + judged[q].index(doc)) / 4 if doc in judged[q] else float("nan")
        for q, docs in enumerate(arm)
        for doc in docs
    ]


@given(queries)
def test_ranks_and_grades_are_what_looking_them_up_gives(
    lists: list[tuple[list[int], list[int], list[int]]],
) -> None:
    old, new, judged = ([*one] for one in zip(*lists, strict=True))
    found = matched(old, new, judged)
    assert found.pairing.new_rank.tolist() == plain(old, new)
    assert found.pairing.old_rank.tolist() == plain(new, old)
    np.testing.assert_array_equal(found.old_grades, plain_grades(old, judged))
    np.testing.assert_array_equal(found.new_grades, plain_grades(new, judged))
    assert not found.twice.size


@given(queries)
def test_numbered_documents_match_as_codes_do(
    lists: list[tuple[list[int], list[int], list[int]]],
) -> None:
    old, new, judged = ([*one] for one in zip(*lists, strict=True))
    found, small = matched(old, new, judged).pairing, pair_lists(old, new)
    assert found.new_rank.tolist() == small.new_rank.tolist()
    assert found.old_rank.tolist() == small.old_rank.tolist()


@pytest.mark.parametrize("depth", [100, 600, 3000])
def test_long_lists_of_one_length(depth: int) -> None:
    rng = np.random.default_rng(depth)

    def some() -> list[list[int]]:
        return [rng.permutation(depth + 20)[:depth].tolist() for _ in range(3)]

    old, new, judged = some(), some(), some()
    found = matched(old, new, judged)
    assert found.pairing.old_rank.tolist() == plain(new, old)
    np.testing.assert_array_equal(found.new_grades, plain_grades(new, judged))


def test_a_document_that_stands_twice_is_named_by_source_and_row() -> None:
    found = matched([[1, 2, 1], [9]], [[5, 5], []], [[1], [9, 9]])
    assert sorted(map(tuple, found.twice.tolist())) == [(JUDGED, 2), (OLD, 2), (NEW, 1)]


def test_how_queries_are_cut_into_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)

    def some(least: int) -> list[list[int]]:
        return [rng.permutation(60)[: rng.integers(least, 50)].tolist() for _ in range(200)]

    old, new, judged = some(0), some(0), some(0)
    whole = matched(old, new, judged)
    monkeypatch.setattr("gates.kernels.blocks._CELLS", 97)
    parts = matched(old, new, judged)
    assert parts.pairing.old_rank.tolist() == whole.pairing.old_rank.tolist()
    np.testing.assert_array_equal(parts.old_grades, whole.old_grades)


def test_no_query_at_all() -> None:
    nothing: Ints = np.zeros(1, dtype=np.int64)
    empty = Lists(nothing, np.empty(0, np.uint64))
    assert match(empty, empty, empty, np.empty(0)).pairing.old_rank.size == 0
