"""A model is given each column in the type that its signature names, and its rows come back so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gates.environments.cache import Environment
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.errors import ModelFault

from .conftest import StartWorker
from .toy_models import write_mlmodel, write_model

FRAME: dict[str, Any] = {
    "bm25": np.array([2.5, 0.25, 1.0]),
    "stock": np.array([3.0, 0.0, 12.0]),
    "sale": np.array([1.0, 0.0, 0.0]),
}
Signed = Callable[..., Worker]


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[Signed]:
    """Start a toy model that was logged with a signature."""
    workers: list[Worker] = []

    def start(environment: Environment, inputs: list[dict[str, Any]], predict: str) -> Worker:
        model = write_model(tmp_path / f"signed{len(workers)}", predict)
        content = json.loads((model / "MLmodel").read_text(encoding="utf-8"))
        write_mlmodel(model, {**content, "signature": {"inputs": json.dumps(inputs)}})
        workers.append(Worker.start(environment, model, Limits(), "candidate"))
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()


def columns(**types: str) -> list[dict[str, Any]]:
    return [{"type": kind, "name": name} for name, kind in types.items()]


def matrix(dtype: str, width: int) -> list[dict[str, Any]]:
    return [{"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": [-1, width]}}]


KINDS = "return {'prediction': [str(x[name].dtype) for name in x]}"


@pytest.mark.parametrize(
    ("types", "kinds"),
    [
        ({"stock": "long", "bm25": "double"}, ["int64", "float64"]),
        ({"stock": "integer", "bm25": "float"}, ["int32", "float32"]),
        ({"sale": "boolean", "stock": "double"}, ["bool", "float64"]),
        ({"bm25": "double"}, ["float64"]),
    ],
)
def test_a_column_comes_in_the_type_that_the_signature_names(
    signed: Signed, data: Environment, types: dict[str, str], kinds: list[str]
) -> None:
    answer = signed(data, columns(**types), KINDS).predict(FRAME)
    assert list(answer["prediction"]) == kinds


def test_a_tensor_comes_as_a_matrix_of_its_type(signed: Signed, data: Environment) -> None:
    worker = signed(data, matrix("float32", 3), "return {'p': [f'{type(x).__name__} {x.dtype}']}")
    assert list(worker.predict(FRAME)["p"]) == ["ndarray float32"]


def test_named_tensors_come_in_their_types(signed: Signed, data: Environment) -> None:
    of = {"stock": "int64", "bm25": "float32"}
    inputs = [
        {"type": "tensor", "name": name, "tensor-spec": {"dtype": dtype, "shape": [-1]}}
        for name, dtype in of.items()
    ]
    worker = signed(data, inputs, "return {'prediction': [str(x[name].dtype) for name in x]}")
    assert list(worker.predict(FRAME)["prediction"]) == ["int64", "float32"]


@pytest.mark.parametrize(
    ("stock", "words"),
    [
        ([3.0, float("nan"), float("nan")], r"stock, and 2 of 3 rows .* \(row 1 holds no value\)"),
        ([3.5, 1.0, 1.0], r"stock, and 1 of 3 rows .* \(row 0 holds 3.5\)"),
        ([3, None, 1], r"stock, and 1 of 3 rows .* \(row 1 holds no value\)"),
    ],
)
def test_what_is_no_whole_number_is_named_and_not_made_one(
    signed: Signed, bare: Environment, stock: list[Any], words: str
) -> None:
    worker = signed(bare, columns(stock="long"), "return x['stock']")
    with pytest.raises(ModelFault, match=words) as caught:
        worker.predict({"stock": stock})
    assert (caught.value.kind, caught.value.breach) == ("missing-input", False)
    assert list(worker.predict({"stock": [3, 2, 1]})["prediction"]) == [3, 2, 1]


def test_lists_hold_whole_numbers_and_truth_values_too(signed: Signed, bare: Environment) -> None:
    told = "return {'prediction': [type(x[name][0]).__name__ for name in x]}"
    worker = signed(bare, columns(stock="long", sale="boolean", bm25="float"), told)
    assert list(worker.predict(FRAME)["prediction"]) == ["int", "bool", "float"]


def test_a_signature_may_be_longer_than_an_argument_of_a_program(
    signed: Signed, bare: Environment
) -> None:
    names = [f"how_often_this_was_clicked_after_query_{at}" for at in range(5_000)]
    worker = signed(bare, columns(**dict.fromkeys(names, "long")), "return x[next(iter(x))]")
    frame = dict.fromkeys(names, np.array([4.0]))
    assert list(worker.predict(frame)["prediction"]) == [4]


SORTED = "import pandas as pd\ns = pd.Series(x['a'], dtype=float)\n"


@pytest.mark.parametrize(
    "answer",
    [
        "s.sort_values(ascending=False)",
        "s[::-1]",
        "pd.DataFrame({'score': s}).sort_values('score', ascending=False)",
        "{'score': s.sort_values(ascending=False)}",
        "pd.Series([3.0, 2.0, 1.0], index=[2.0, 1.0, 0.0])",
    ],
)
def test_rows_whose_index_is_another_order_are_a_breach(
    start: StartWorker, data: Environment, answer: str
) -> None:
    worker = start(f"{SORTED}return {answer}", environment=data)
    with pytest.raises(ModelFault, match=r"in another order: .* row 0 .* row 2") as caught:
        worker.predict({"a": [1.0, 2.0, 3.0]})
    assert (caught.value.kind, caught.value.breach) == ("wrong-order", True)


@pytest.mark.parametrize(
    "answer",
    [
        "s",
        "s.sort_values().sort_index()",
        "pd.concat([s[:2], s[2:].reset_index(drop=True)])",
        "s.set_axis([12, 11, 10])",
        "s.set_axis(['b', 'a', 'c'])",
        "s.set_axis([1, 2, 3])",
    ],
)
def test_an_index_that_is_no_rearrangement_says_nothing_of_the_order(
    start: StartWorker, data: Environment, answer: str
) -> None:
    worker = start(f"{SORTED}return {answer}", environment=data)
    assert list(worker.predict({"a": [1.0, 2.0, 3.0]})["prediction"]) == [1.0, 2.0, 3.0]
