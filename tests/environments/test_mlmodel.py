"""MLmodel files are read as data, and a broken one says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gates.environments.mlmodel import ModelFile, read_mlmodel
from gates.errors import PackageError

from .packages import HOSTILE_PYTHONS
from .toy_models import signature, write_mlmodel


def flavor(**keys: object) -> dict[str, object]:
    return {"flavors": {"python_function": {"loader_module": "toy", **keys}}}


def test_a_model_says_how_it_is_loaded_and_what_it_asks_for(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "model.txt").touch()
    content = flavor(code="code", data="model.txt", python_version="3.11.7")
    write_mlmodel(tmp_path, {**content, "signature": signature("bm25", "price")})
    assert read_mlmodel(tmp_path) == ModelFile(
        "toy",
        "code",
        "model.txt",
        "3.11.7",
        ("bm25", "price"),
        input_types={"bm25": "double", "price": "double"},
    )


def test_optional_inputs_are_told_apart(tmp_path: Path) -> None:
    columns = [{"name": "a", "required": True}, {"name": "b", "required": False}]
    write_mlmodel(tmp_path, {**flavor(), "signature": {"inputs": json.dumps(columns)}})
    model = read_mlmodel(tmp_path)
    assert model.input_columns == ("a", "b")
    assert model.optional_columns == ("b",)


@pytest.mark.parametrize(
    "inputs", [None, "[]", '[{"type": "double"}]', '[{"type": "tensor", "tensor-spec": {}}]']
)
def test_a_signature_without_names_asks_for_nothing(tmp_path: Path, inputs: str | None) -> None:
    write_mlmodel(tmp_path, {**flavor(), "signature": {"inputs": inputs}})
    assert read_mlmodel(tmp_path).input_columns is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flavors: [", "not valid YAML"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
        ("[" * 10_000, "not valid YAML"),
        ("made: 2024-13-45", "not valid YAML"),
        ("just text", "not a YAML mapping"),
        ("flavors: {sklearn: {}}", "no python_function flavour"),
        ("flavors: {python_function: {code: code}}", "loader_module is missing"),
        ("flavors: {python_function: {loader_module: 3}}", "must be text, not int"),
        ("flavors: {python_function: {loader_module: a, code: ../..}}", "leads out of the model"),
        ("flavors: {python_function: {loader_module: a, data: gone}}", "does not exist"),
        (
            "{flavors: {python_function: {loader_module: a}}, signature: {inputs: '{'}}",
            "not a JSON list",
        ),
    ],
)
def test_a_broken_model_file_is_named_with_what_is_wrong(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "MLmodel"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PackageError, match=words) as caught:
        read_mlmodel(tmp_path)
    assert caught.value.path == path


def test_a_folder_without_a_model_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="MLmodel file cannot be read"):
        read_mlmodel(tmp_path)


@pytest.mark.parametrize("told", HOSTILE_PYTHONS.values(), ids=HOSTILE_PYTHONS)
def test_a_python_that_is_no_version_is_an_error(tmp_path: Path, told: str) -> None:
    write_mlmodel(tmp_path, flavor(python_version=told))
    with pytest.raises(PackageError, match="python_version is no Python version") as caught:
        read_mlmodel(tmp_path)
    assert len(caught.value.what) < 150


@pytest.mark.parametrize("told", ["3.11.7", "3.12", "3.13.0rc1", "3.12.1+"])
def test_a_python_as_mlflow_writes_it_is_read(tmp_path: Path, told: str) -> None:
    write_mlmodel(tmp_path, flavor(python_version=told))
    assert read_mlmodel(tmp_path).python_version == told
