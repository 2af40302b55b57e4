"""Answers keep the contract, or the breach is named with the arm, the column, the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

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
