"""Answers keep the contract, or the breach is named with the arm, the column, the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gates.card.policy import AnswerPolicy
from gates.environments.outputs import as_labels, as_scores, as_vectors
from gates.errors import ModelFault


@pytest.mark.parametrize("name", ["prediction", "score", "anything"])
def test_the_only_column_is_the_score(name: str) -> None:
    assert as_scores({name: [1, 2.5]}, 2).tolist() == [1.0, 2.5]


@pytest.mark.parametrize("name", ["prediction", "score"])
def test_among_several_columns_the_score_goes_by_its_name(name: str) -> None:
    columns: dict[str, Any] = {"other": ["a", "b"], name: np.array([1, 2])}
    assert as_scores(columns, 2).tolist() == [1.0, 2.0]


def test_labels_come_with_their_scores() -> None:
    labels, scores = as_labels({"label": ["a", "b"], "score": np.array([0.1, 0.9])}, 2)
    assert labels == ("a", "b")
    assert scores.tolist() == [0.1, 0.9]


CLICK: dict[str, Any] = {"0": [0.9, 0.2], "1": [0.1, 0.8]}


@pytest.mark.parametrize(("score", "scores"), [(1, [0.1, 0.8]), (0, [0.9, 0.2]), ("1", [0.1, 0.8])])
def test_the_card_says_which_column_is_the_score(score: int | str, scores: list[float]) -> None:
    assert as_scores(CLICK, 2, AnswerPolicy(score=score)).tolist() == scores


def test_the_first_column_of_one_is_that_one() -> None:
    assert as_scores({"prediction": [1, 2]}, 2, AnswerPolicy(score=0)).tolist() == [1, 2]


@pytest.mark.parametrize("score", [2, "relevance"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(score: int | str) -> None:
    with pytest.raises(ModelFault, match=rf"columns '0', '1', and the card .* is {score!r}"):
        as_scores(CLICK, 2, AnswerPolicy(score=score))


def test_what_to_write_in_the_card_is_said() -> None:
    with pytest.raises(ModelFault, match=r"environment: \{answer: \{score: 1\}\}"):
        as_scores(CLICK, 2)


def test_the_card_says_which_columns_are_label_and_score() -> None:
    columns: dict[str, Any] = {"intent": ["a", "b"], "sure": [0.1, 0.9], "score": [5, 5]}
    labels, scores = as_labels(columns, 2, AnswerPolicy(label="intent", score="sure"))
    assert labels == ("a", "b")
    assert scores.tolist() == [0.1, 0.9]


def test_a_label_among_other_columns_needs_no_score_where_the_card_allows_it() -> None:
    labels, scores = as_labels({"label": ["a", "b"], "why": ["x", "y"]}, 2, alone=True)
    assert labels == ("a", "b")
    assert scores.tolist() == [1, 1]
    with pytest.raises(ModelFault, match="without score"):
        as_labels({"label": ["a", "b"], "why": ["x", "y"]}, 2)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("columns", "kind", "words"),
    [
        ({"score": [1.0]}, "wrong-rows", "returned 1 rows for 3 given"),
        ({"a": [1.0] * 3, "b": [1.0] * 3}, "wrong-type", "returned the columns 'a', 'b'"),
        ({}, "wrong-type", "returned no columns"),
        ({"score": ["a", "b", "c"]}, "wrong-type", "returned str for 'score'"),
        ({"score": np.array([True] * 3)}, "wrong-type", "returned bool for 'score'"),
        ({"score": [True, None, True]}, "wrong-type", "returned bool for 'score'"),
        ({"score": np.array([1, NAN, NAN])}, "nan", "2 of 3 values .* the first is in row 1"),
        ({"score": [1.0, None, 2.0]}, "nan", "1 of 3 values .* the first is in row 1"),
        ({"score": np.array([1, 2, -INF])}, "infinite", "1 of 3 .* the first is in row 2"),
    ],
)
def test_a_broken_score_is_a_named_breach(columns: dict[str, Any], kind: str, words: str) -> None:
    with pytest.raises(ModelFault, match=f"the model .*{words}") as caught:
        as_scores(columns, 3)
    assert (caught.value.kind, caught.value.breach) == (kind, True)


@pytest.mark.parametrize(
    ("columns", "kind", "words"),
    [
        ({"label": ["a"], "score": [1.0]}, "wrong-rows", "returned 1 rows for 2 given"),
        ({"label": ["a", "b"]}, "wrong-type", "without score"),
        ({"prediction": ["a", "b"]}, "wrong-type", "without label and score"),
        ({"label": ["a", None], "score": [1.0, 1.0]}, "wrong-type", "nothing for label in row 1"),
        (
            {"label": np.array([1, 2]), "score": [1.0, 1.0]},
            "wrong-type",
            "int64 for label in row 0",
        ),
        ({"label": ["a", "b"], "score": [1.0, NAN]}, "nan", "the first is in row 1"),
    ],
)
def test_a_broken_label_is_a_named_breach(columns: dict[str, Any], kind: str, words: str) -> None:
    with pytest.raises(ModelFault, match=f"the model .*{words}") as caught:
        as_labels(columns, 2)
    assert (caught.value.kind, caught.value.breach) == (kind, True)


def test_a_vector_is_a_column_for_each_dimension_in_the_order_of_their_numbers() -> None:
    columns: dict[str, Any] = {str(at): np.array([at, -at]) for at in reversed(range(12))}
    assert as_vectors(columns, 2).tolist() == [list(range(12)), [-at for at in range(12)]]


@pytest.mark.parametrize(
    ("columns", "kind", "words"),
    [
        ({"0": [1.0], "1": [1.0]}, "wrong-rows", "returned 1 rows for 2 given"),
        ({"prediction": [1.0, 2.0]}, "wrong-type", "'prediction': a vector is a list of two"),
        ({"0": [1.0, 2.0], "2": [1.0, 2.0]}, "wrong-type", "returned the columns '0', '2'"),
        ({"0": [1.0, 2.0], "1": ["a", "b"]}, "wrong-type", "returned str for '1'"),
        ({"0": [1.0, 2.0], "1": [1.0, None]}, "nan", "1 of 2 vectors that hold .* is in row 1"),
        ({"0": [INF, 2.0], "1": [1.0, 2.0]}, "infinite", "1 of 2 vectors .* is in row 0"),
    ],
)
def test_a_broken_vector_is_a_named_breach(columns: dict[str, Any], kind: str, words: str) -> None:
    with pytest.raises(ModelFault, match=f"the model .*{words}") as caught:
        as_vectors(columns, 2)
    assert (caught.value.kind, caught.value.breach) == (kind, True)
