"""Ranking metrics: the fixture of the design note, the edge cases, and what always holds."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.kernels import ranking
from gates.kernels.canonical import order_numbered
from gates.kernels.packed import Floats, offsets
from tests.kernels.packed_lists import UNJUDGED, grade_lists, judgments, pack

JUDGED = pack([[3, 2, 0, 1]])
SERVED = pack([[0, 3, UNJUDGED, 1]])  # c, a, u, d


def only(values: Floats) -> float:
    assert values.shape == (1,)
    return float(values[0])


@pytest.mark.parametrize(
    ("k", "gain", "expected"),
    [(3, "linear", 0.397490), (10, "linear", 0.487932), (3, "exponential", 0.470202)],
)
def test_ndcg_of_the_fixture(k: int, gain: ranking.Gain, expected: float) -> None:
    assert only(ranking.ndcg(*SERVED, *JUDGED, k, gain)) == pytest.approx(expected, abs=5e-7)


def test_binary_metrics_of_the_fixture() -> None:
    assert only(ranking.average_precision(*SERVED, *JUDGED)) == pytest.approx(1 / 3, abs=1e-12)
    assert only(ranking.reciprocal_rank(*SERVED, *JUDGED)) == 0.5
    assert only(ranking.precision_at(*SERVED, *JUDGED, 10)) == 0.2
    assert only(ranking.recall_at(*SERVED, *JUDGED, 3)) == pytest.approx(1 / 3, abs=1e-12)
    assert only(ranking.recall_at(*SERVED, *JUDGED)) == pytest.approx(2 / 3, abs=1e-12)
    assert only(ranking.judged_at(*SERVED, 3)) == pytest.approx(2 / 3, abs=1e-12)
    assert only(ranking.judged_at(*SERVED, 10)) == 0.3


def test_cuts_apply_to_average_precision_and_reciprocal_rank() -> None:
    assert only(ranking.average_precision(*SERVED, *JUDGED, 3)) == pytest.approx(1 / 6, abs=1e-12)
    assert only(ranking.reciprocal_rank(*SERVED, *JUDGED, 1)) == 0.0


def test_a_higher_threshold_asks_for_better_documents() -> None:
    assert only(ranking.precision_at(*SERVED, *JUDGED, 4, relevant=2)) == 0.25
    assert only(ranking.recall_at(*SERVED, *JUDGED, relevant=2)) == 0.5
    assert np.isnan(only(ranking.reciprocal_rank(*SERVED, *JUDGED, relevant=4)))


def test_condensed_lists_close_the_gaps_of_unjudged_documents() -> None:
    starts, grades = pack([[0, 3, UNJUDGED, 1], [UNJUDGED], [], [UNJUDGED, 2]])
    ranked = ranking.condensed(ranking.Ranking(starts, np.arange(7), grades))

    assert ranked.starts.tolist() == [0, 3, 3, 3, 4]
    assert ranked.docs.tolist() == [0, 1, 3, 6]
    assert ranked.grades.tolist() == [0, 3, 1, 2]
    first = pack([[0, 3, 1]])
    assert only(ranking.ndcg(*first, *JUDGED, 3)) == pytest.approx(0.5025, abs=5e-5)


def test_a_tied_list_is_ranked_by_document_id_descending() -> None:
    names = np.array(["x", "y", "w"])
    key = np.argsort(np.argsort(names))
    served = order_numbered(np.array([0, 3]), np.zeros(3), key)
    assert names[served].tolist() == ["y", "x", "w"]
    grades = np.where(names == "x", 1.0, 0.0)[served]
    value = only(ranking.ndcg(np.array([0, 3]), grades, *pack([[1, 0, 0]])))
    assert value == pytest.approx(0.6309, abs=5e-5)


def test_offsets_count_queries_without_rows() -> None:
    assert offsets(np.array([1, 1, 3]), 5).tolist() == [0, 0, 2, 2, 3, 3]
    assert offsets(np.array([], np.int64), 2).tolist() == [0, 0, 0]


def test_a_judged_query_without_results_scores_zero() -> None:
    empty = pack([[]])
    for metric in (
        ranking.ndcg,
        ranking.average_precision,
        ranking.reciprocal_rank,
        ranking.recall_at,
    ):
        assert only(metric(*empty, *JUDGED)) == 0.0
    assert only(ranking.precision_at(*empty, *JUDGED, 10)) == 0.0
    assert only(ranking.judged_at(*empty, 10)) == 0.0


@pytest.mark.parametrize("judged", [[], [0], [0, 0, -1]])
def test_a_query_without_a_relevant_document_has_no_value(judged: list[float]) -> None:
    ideal = pack([judged])
    for metric in (
        ranking.ndcg,
        ranking.average_precision,
        ranking.reciprocal_rank,
        ranking.recall_at,
    ):
        assert np.isnan(only(metric(*SERVED, *ideal)))
    assert np.isnan(only(ranking.precision_at(*SERVED, *ideal, 10)))


def test_no_queries_at_all_give_no_values() -> None:
    nothing = pack([])
    assert ranking.ndcg(*nothing, *nothing, 10).shape == (0,)
    assert ranking.average_precision(*nothing, *nothing).shape == (0,)
    assert ranking.reciprocal_rank(*nothing, *nothing).shape == (0,)
    assert ranking.judged_at(*nothing, 10).shape == (0,)


def test_negative_grades_gain_nothing() -> None:
    served = pack([[-2, 3]])
    assert only(ranking.dcg(*served)) == pytest.approx(3 / np.log2(3), abs=1e-12)


def test_terms_say_what_each_document_adds() -> None:
    terms = ranking.dcg_terms(*pack([[0, 3, UNJUDGED, 1], [2]]), 3)
    assert terms.tolist() == pytest.approx([0, 3 / np.log2(3), 0, 0, 2], abs=1e-12)


@given(grade_lists, st.integers(1, 15), st.sampled_from(["linear", "exponential"]))
def test_terms_add_up_to_dcg(lists: list[list[float]], k: int, gain: ranking.Gain) -> None:
    starts, grades = pack(lists)
    terms = ranking.dcg_terms(starts, grades, k, gain)
    by_query = [sum(terms[a:b]) for a, b in pairwise(starts)]
    assert ranking.dcg(starts, grades, k, gain).tolist() == by_query


@given(grade_lists, st.integers(1, 15))
def test_metrics_stay_between_zero_and_one(lists: list[list[float]], k: int) -> None:
    served = pack(lists)
    ideal = judgments(lists)
    for values in (
        ranking.ndcg(*served, *ideal, k),
        ranking.ndcg(*served, *ideal, k, "exponential"),
        ranking.average_precision(*served, *ideal, k),
        ranking.reciprocal_rank(*served, *ideal, k),
        ranking.precision_at(*served, *ideal, k),
        ranking.recall_at(*served, *ideal, k),
        ranking.judged_at(*served, k),
    ):
        present = values[~np.isnan(values)]
        assert ((present >= 0) & (present <= 1)).all()


@given(grade_lists, st.integers(1, 15), st.randoms(use_true_random=False))
def test_the_order_of_judgments_does_not_matter(
    lists: list[list[float]], k: int, random: Random
) -> None:
    judged = [[grade for grade in grades if not np.isnan(grade)] for grades in lists]
    shuffled = [random.sample(grades, len(grades)) for grades in judged]
    one, other = (ranking.ndcg(*pack(lists), *pack(i), k) for i in (judged, shuffled))
    np.testing.assert_array_equal(one, other)


@given(grade_lists, st.integers(1, 15))
def test_the_ideal_list_scores_exactly_one(lists: list[list[float]], k: int) -> None:
    judged = [sorted((g for g in grades if not np.isnan(g)), reverse=True) for grades in lists]
    served = pack([[*grades, *[UNJUDGED] * 9] for grades in judged])
    values = ranking.ndcg(*served, *pack(judged), k, "exponential")
    assert all(value == 1.0 for value in values[~np.isnan(values)])


@given(grade_lists, st.integers(1, 10))
def test_a_query_scores_the_same_alone_and_among_others(lists: list[list[float]], k: int) -> None:
    ideal = [[3.0, 1.0]] * len(lists)
    together = ranking.ndcg(*pack(lists), *pack(ideal), k)
    alone = [only(ranking.ndcg(*pack([one]), *pack([[3.0, 1.0]]), k)) for one in lists]
    assert together.tolist() == alone


@given(grade_lists, st.integers(1, 15), st.sampled_from([1.0, 2.0]))
def test_what_the_judgments_allow_may_be_worked_out_once(
    lists: list[list[float]], k: int, relevant: float
) -> None:
    served, judged = pack(lists), judgments(lists)
    unread = np.zeros_like(judged[0]), np.array([])
    gain: ranking.Gain
    for gain in ("linear", "exponential"):
        ideal = ranking.ideal_dcg(*judged, k, gain)
        known = ranking.ndcg(*served, *unread, k, gain, ideal=ideal)
        np.testing.assert_array_equal(known, ranking.ndcg(*served, *judged, k, gain))
    total = ranking.relevant_count(*judged, relevant=relevant)
    assert total.tolist() == [sum(grade >= relevant for grade in grades) for grades in lists]
    for metric in (
        ranking.average_precision,
        ranking.reciprocal_rank,
        ranking.precision_at,
        ranking.recall_at,
    ):
        known = metric(*served, *unread, k, relevant=relevant, ideal=total)
        np.testing.assert_array_equal(known, metric(*served, *judged, k, relevant=relevant))


@given(grade_lists, st.integers(1, 15))
def test_the_binary_metrics_follow_their_definitions(lists: list[list[float]], k: int) -> None:
    served, judged = pack(lists), judgments(lists)
    for query, grades in enumerate(lists):
        hits = [rank for rank, grade in enumerate(grades[:k], start=1) if grade >= 1]
        total = sum(grade >= 1 for grade in grades)
        if total == 0:
            continue
        precision = [number / rank for number, rank in enumerate(hits, start=1)]
        assert ranking.precision_at(*served, *judged, k)[query] == len(hits) / k
        assert ranking.recall_at(*served, *judged, k)[query] == len(hits) / total
        found = ranking.reciprocal_rank(*served, *judged, k)[query]
        assert found == (1 / hits[0] if hits else 0)
        assert ranking.average_precision(*served, *judged, k)[query] == sum(precision) / total


@given(grade_lists, st.integers(1, 15), st.integers(0, 11), st.integers(0, 11))
def test_swapping_documents_of_equal_grade_is_a_tie_to_the_last_bit(
    lists: list[list[float]], k: int, one: int, other: int
) -> None:
    swapped = [[*grades] for grades in lists]
    for grades in swapped:
        a, b = one % max(1, len(grades)), other % max(1, len(grades))
        if grades and grades[a] == grades[b]:
            grades[a], grades[b] = grades[b], grades[a]
    gain: ranking.Gain
    for gain in ("linear", "exponential"):
        before, after = (ranking.dcg(*pack(each), k, gain) for each in (lists, swapped))
        assert before.tobytes() == after.tobytes()


def test_a_tail_of_unjudged_documents_changes_nothing_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    grades = rng.integers(0, 4, 101).astype(np.float64)
    longer = pack([[*grades, *[UNJUDGED] * 60]])
    assert ranking.dcg(*longer).tolist() == ranking.dcg(*pack([grades.tolist()])).tolist()
