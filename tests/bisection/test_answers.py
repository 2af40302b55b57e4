"""Two runs compared: what counts as a difference, and how it is told."""

from __future__ import annotations

import numpy as np
import pytest

from gates.bisection import Tolerance
from gates.comparison.answers import Answers, compare
from gates.domain.subject import GoldenSet
from gates.golden import read_golden
from tests.toys import write_golden as write_lists

from .conftest import QUERIES
from .shop import write_golden


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> GoldenSet:
    """Three queries of four documents."""
    folder = tmp_path_factory.mktemp("lists")
    write_lists(folder, queries=3, documents=4)
    return read_golden(folder)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> GoldenSet:
    return read_golden(write_golden(tmp_path_factory.mktemp("texts") / "golden", QUERIES))


SCORES = np.array([4.0, 3, 2, 1] * 3)


def moved(**rows: float) -> Answers:
    scores = SCORES.copy()
    for row, score in rows.items():
        scores[int(row[1:])] = score
    return Answers(scores)


def test_scores_within_the_tolerance_are_the_same(lists: GoldenSet) -> None:
    near = Answers(SCORES * (1 + 5e-7))
    assert not compare(Answers(SCORES), near, lists, Tolerance()).any
    tight = compare(Answers(SCORES), near, lists, Tolerance(0.0, 1e-9))
    assert tight.any
    assert tight.words == "no query's order but 12 of 12 scores"


def test_an_order_that_changed_is_told_by_query_and_score(lists: GoldenSet) -> None:
    found = compare(Answers(SCORES), moved(r5=4.5, r11=1.5), lists, Tolerance())
    assert found.words == "the order of 1 of 3 queries, 2 of 12 scores"
    assert [(one.query_id, one.document, one.old, one.new) for one in found.examples] == [
        ("q001", "d00", "1", "2"),
        ("q001", "d01", "2", "1"),
        ("q002", "d03", "4", "4"),
    ]


def test_an_order_counts_however_little_the_scores_moved(lists: GoldenSet) -> None:
    tied = moved(r1=4.0)
    assert compare(tied, moved(r1=4.0 - 1e-13), lists, Tolerance()).orders == 1
    assert compare(tied, tied, lists, Tolerance()).any is False


def test_ties_are_ordered_as_the_gate_orders_them(lists: GoldenSet) -> None:
    tied = compare(Answers(np.zeros(12)), Answers(SCORES), lists, Tolerance())
    assert [(one.document, one.old, one.new) for one in tied.examples][:4] == [
        ("d00", "4", "1"),
        ("d01", "3", "2"),
        ("d02", "2", "3"),
        ("d03", "1", "4"),
    ]


def test_labels_are_told_before_scores(texts: GoldenSet) -> None:
    old = Answers(np.ones(5), ("a",) * 5)
    new = Answers(np.array([1, 0.5, 1, 1, 1.0]), ("a", "a", "a", "b", "a"))
    found = compare(old, new, texts, Tolerance())
    assert found.words == "1 of 5 labels"
    assert [(one.query, one.old, one.new, one.new_score) for one in found.examples] == [
        ("bed", "a", "b", 1.0),
        ("red lamp", "a", "a", 0.5),
    ]
    assert compare(old, Answers(new.scores, old.labels), texts, Tolerance()).words == (
        "no label but 1 of 5 scores"
    )


def test_two_comparisons_are_alike_when_they_tell_the_same(lists: GoldenSet) -> None:
    one = compare(Answers(SCORES), moved(r5=4.5), lists, Tolerance())
    assert one.like(compare(Answers(SCORES), moved(r5=4.6), lists, Tolerance()))
    assert not one.like(compare(Answers(SCORES), Answers(SCORES), lists, Tolerance()))
