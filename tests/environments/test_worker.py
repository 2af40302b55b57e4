"""A worker loads a model in its own environment, and answers in columns whatever it returns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gates.environments.cache import Environment
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.errors import BuildError, ModelFault, PackageError

from .conftest import StartWorker
from .toy_models import signature, write_mlmodel, write_model

FRAME: dict[str, Any] = {
    "a": np.array([1.0, 2.0]),
    "b": ["x", None],
    "c": [3, 4],
    "d": [True, False],
}

# One model, many answers: it looks at what it was asked to be.
SHAPES = {
    "list": "[1, 2]",
    "tuple": "(1.0, 2.0)",
    "nested": "[[1.0], [2.0]]",
    "rows": "[{'prediction': 1.0}, {'prediction': 2.0}]",
    "dict": "{'prediction': [1.0, 2.0]}",
}
ARRAYS = {
    "vector": "np.array([1, 2])",
    "single": "np.array([1, 2], 'float32')",
    "matrix": "np.array([[1.0], [2.0]])",
    "series": "pd.Series([1.0, 2.0], index=[7, 3])",
    "frame": "pd.DataFrame({'prediction': [1.0, 2.0]})",
    "nullable": "pd.DataFrame({'prediction': pd.array([1, 2], 'Int64')})",
    "scalars": "[np.float32(1), np.int64(2)]",
}
MATRICES = {
    "two": "np.array([[1.0, 3.0], [2.0, 4.0]])",
    "lists": "[[1.0, 3.0], (2.0, 4.0)]",
    "rows of arrays": "[np.array([1.0, 3.0]), np.array([2.0, 4.0], 'float32')]",
    "column of lists": "pd.DataFrame({'embedding': [[1.0, 3.0], [2.0, 4.0]]})",
    "column of arrays": "pd.DataFrame({'embedding': [np.array([1.0, 3.0]), np.array([2.0, 4.0])]})",
    "series of lists": "pd.Series([[1.0, 3.0], [2.0, 4.0]])",
    "dict of a matrix": "{'embedding': np.array([[1.0, 3.0], [2.0, 4.0]])}",
}


def answering(shapes: dict[str, str]) -> str:
    return (
        "return {"
        + ", ".join(f"{k!r}: lambda: {v}" for k, v in shapes.items())
        + "}[next(iter(x))]()"
    )


@pytest.fixture(scope="module")
def shaper(bare: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    model = write_model(tmp_path_factory.mktemp("shaper") / "model", answering(SHAPES))
    with Worker.start(bare, model, Limits(), "candidate") as worker:
        yield worker


@pytest.fixture(scope="module")
def array_shaper(data: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    more = {
        "input": "[f'{type(x).__name__} {[str(t) for t in x.dtypes]}'] * 2",
        "mlflow": "['mlflow' in sys.modules] * 2",
        "echo": "x['echo'].tolist()",
        **MATRICES,
    }
    model = write_model(
        tmp_path_factory.mktemp("arrays") / "model",
        "import numpy as np, pandas as pd\n" + answering({**ARRAYS, **more}),
    )
    with Worker.start(data, model, Limits(), "champion") as worker:
        yield worker


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_shape_a_model_answers_in_becomes_columns(shaper: Worker, shape: str) -> None:
    answer = shaper.predict({shape: [0, 0]})
    assert {name: list(values) for name, values in answer.items()} == {"prediction": [1, 2]}


@pytest.mark.parametrize("shape", ARRAYS)
def test_whatever_array_a_model_answers_with_becomes_columns(
    array_shaper: Worker, shape: str
) -> None:
    answer = array_shaper.predict({shape: [0, 0]})
    assert {name: list(values) for name, values in answer.items()} == {"prediction": [1, 2]}


@pytest.mark.parametrize("shape", MATRICES)
def test_vectors_become_a_column_for_each_dimension(array_shaper: Worker, shape: str) -> None:
    answer = array_shaper.predict({shape: [0, 0]})
    assert {name: list(values) for name, values in answer.items()} == {"0": [1, 2], "1": [3, 4]}


def test_where_there_is_pandas_a_model_is_given_a_frame_over_arrow(array_shaper: Worker) -> None:
    assert array_shaper.ready().encoding == "arrow"
    given = array_shaper.predict({"input": np.array([0.5, 1.0]), "n": [1, 2], "t": ["a", None]})
    assert given["prediction"][0].startswith("DataFrame ['float64', 'int64', ")


def test_where_there_is_mlflow_its_own_loader_is_used(array_shaper: Worker) -> None:
    assert list(array_shaper.predict({"mlflow": [0, 0]})["prediction"]) == [True, True]


def test_text_and_missing_values_reach_a_model_and_come_back(array_shaper: Worker) -> None:
    assert array_shaper.predict({"echo": ["köper", "läufer"]})["prediction"] == ["köper", "läufer"]
    (echo,) = array_shaper.predict({"echo": [1.5, None]}).values()
    assert echo[0] == 1.5
    assert np.isnan(echo[1])


def test_where_there_is_nothing_a_model_is_given_lists_over_plain_frames(
    start: StartWorker,
) -> None:
    worker = start("return {'type': [type(x).__name__] * 2, **x}")
    assert worker.ready().encoding == "plain"
    answer = worker.predict(FRAME)
    assert answer["type"] == ["dict", "dict"]
    assert {name: list(answer[name]) for name in FRAME} == {n: list(v) for n, v in FRAME.items()}


def test_a_model_is_sent_the_columns_of_its_signature_in_its_order(
    bare: Environment, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "model", "return [' '.join(x)] * 2")
    flavor = {"loader_module": "toy", "code": "code"}
    write_mlmodel(model, {"flavors": {"python_function": flavor}, "signature": signature("c", "a")})
    with Worker.start(bare, model, Limits(), "champion") as worker:
        assert worker.predict(FRAME)["prediction"] == ["c a", "c a"]
        with pytest.raises(ModelFault, match="the champion asks for c, which") as caught:
            worker.predict({"a": [1.0]})
        assert caught.value.kind == "missing-input"
        assert worker.predict(FRAME)["prediction"] == ["c a", "c a"]


def test_a_loader_is_given_the_data_of_its_model(bare: Environment, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.txt").write_text("2.5", encoding="utf-8")
    load = "Model.weight = float(open(path).read())"
    write_model(folder, "return [self.weight]", load=load, data="weights.txt")
    with Worker.start(bare, folder, Limits(), "candidate") as worker:
        assert list(worker.predict({"a": [0]})["prediction"]) == [2.5]


def test_loading_leaves_the_model_folder_as_it_was(start: StartWorker, tmp_path: Path) -> None:
    start().ready()
    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["MLmodel", "toy.py"]


def test_two_workers_start_side_by_side(start: StartWorker, tmp_path: Path) -> None:
    load = """
        print("begun", flush=True)
        while not os.path.exists(os.path.join(path, 'go')): time.sleep(0.01)
    """
    workers = start(load=load), start(load=load)
    # Neither goes on until both have begun: one after the other they would wait for ever.
    while not all("begun" in worker._child.log for worker in workers):
        time.sleep(0.01)
    for model in tmp_path.iterdir():
        (model / "go").touch()
    assert all(worker.ready().load_seconds > 0 for worker in workers)


def test_a_question_larger_than_any_pipe_is_answered(start: StartWorker) -> None:
    numbers: Any = np.arange(500_000, dtype="f8")
    assert np.array_equal(start().predict({"a": numbers})["prediction"], numbers)


def test_a_frame_without_rows_is_answered_without_rows(start: StartWorker) -> None:
    assert len(start().predict({"a": []})["prediction"]) == 0


def test_a_loader_of_mlflow_without_mlflow_is_told_what_to_do(
    bare: Environment, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "model", loader_module="mlflow.sklearn")
    with (
        Worker.start(bare, model, Limits(), "candidate") as worker,
        pytest.raises(ModelFault, match=r"add mlflow to requirements\.in") as caught,
    ):
        worker.ready()
    assert caught.value.kind == "load-failed"


def test_a_model_folder_without_a_model_file_starts_nothing(
    bare: Environment, tmp_path: Path
) -> None:
    with pytest.raises(PackageError, match="MLmodel"):
        Worker.start(bare, tmp_path, Limits(), "candidate")


def test_an_environment_whose_python_is_gone_says_what_to_remove(
    bare: Environment, tmp_path: Path
) -> None:
    python = tmp_path / "env" / "python"
    gone = Environment(tmp_path / "env", python, python, bare.facts)
    with pytest.raises(BuildError, match="does not start") as caught:
        Worker.start(gone, write_model(tmp_path / "model"), Limits(), "candidate")
    assert str(gone.path) in caught.value.advice
