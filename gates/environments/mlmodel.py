"""Reading a model folder's MLmodel file: what to load and what it asks for, as data only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gates.errors import PackageError
from gates.system.json_files import json_value

__all__ = ["INPUT_TYPES", "WHOLE_NUMBERS", "ModelFile", "raw_mlmodel", "read_mlmodel"]

WHOLE_NUMBERS = frozenset(
    {"integer", "long", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
)
"""What a signature may call whole numbers."""
INPUT_TYPES = WHOLE_NUMBERS | frozenset(
    {"boolean", "float", "double", "string", "datetime", "bool", "float16", "float32", "float64"}
)
"""What a signature may call an input's type, that a worker makes of what the gate sends."""

_AS_SENT = frozenset({"double", "float64", "string"})
_MOST_BYTES = 16 << 20
_PYTHON = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3}){1,2}((a|b|rc)[0-9]{1,3})?\+?")


@dataclass(frozen=True)
class ModelFile:
    """What an MLmodel file says of its `python_function` flavour.

    Attributes:
        loader_module: The module whose `_load_pyfunc` loads the model.
        code: Folder of the model's own modules, relative to the model; None when it has none.
        data: What the loader is given, relative to the model; None for the model folder itself.
        python_version: The Python it was made with, such as `3.11.7`; None when it is not said.
        input_columns: The columns of its signature; None when it has no named inputs.
        optional_columns: Those of them a model can do without.
        input_types: Named column → its type, as MLflow or, for a tensor, as NumPy calls it.
        matrix_of: The NumPy type of a nameless tensor; None where its signature has none.
    """

    loader_module: str
    code: str | None
    data: str | None
    python_version: str | None
    input_columns: tuple[str, ...] | None
    optional_columns: tuple[str, ...] = ()
    input_types: Mapping[str, str] = field(default_factory=dict)
    matrix_of: str | None = None

    @property
    def types_to_give(self) -> Mapping[str, str]:
        """Those of `input_types` that differ from how the gate sends numbers and texts."""
        return {name: kind for name, kind in self.input_types.items() if kind not in _AS_SENT}


def read_mlmodel(model_dir: Path) -> ModelFile:
    """Read `MLmodel` in a model folder.

    Args:
        model_dir: An MLflow model folder.

    Raises:
        PackageError: There is no such file, it is not YAML, or it does not say how to load.
    """
    path = model_dir / "MLmodel"
    raw = raw_mlmodel(model_dir)
    flavors = raw.get("flavors")
    flavor = flavors.get("python_function") if isinstance(flavors, Mapping) else None
    if not isinstance(flavor, Mapping):
        raise PackageError(
            "it has no python_function flavour",
            path=path,
            advice="Save the model with an MLflow flavour that pyfunc can load.",
        )
    loader = _text(flavor, "loader_module", path)
    if not loader:
        raise PackageError("flavors.python_function.loader_module is missing", path=path)
    signature = _signature(raw.get("signature"), path)
    return ModelFile(
        loader_module=loader,
        code=_inside(model_dir, _text(flavor, "code", path), "code", path),
        data=_inside(model_dir, _text(flavor, "data", path), "data", path),
        python_version=_python(flavor, path),
        input_columns=signature.columns,
        optional_columns=signature.optional,
        input_types=signature.types,
        matrix_of=signature.matrix_of,
    )


def raw_mlmodel(model_dir: Path) -> Mapping[str, Any]:
    """The `MLmodel` file of a model folder, as parsed.

    Args:
        model_dir: An MLflow model folder.

    Raises:
        PackageError: There is no such file, it is not YAML, or no mapping.
    """
    import yaml

    from gates.system.yaml_values import yaml_value

    path = model_dir / "MLmodel"

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PackageError("it is larger than 16 MiB", path=path)
        raw = yaml_value(path.read_text(encoding="utf-8"), most_characters=_MOST_BYTES)
    except OSError as error:
        raise PackageError(
            f"the MLmodel file cannot be read: {error.strerror}",
            path=path,
            advice="Give the folder that mlflow's save_model or log_model wrote.",
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else None
        raise PackageError(f"not valid YAML: {error.problem}", path=path, line=line) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PackageError(f"not valid YAML: {type(error).__name__}", path=path) from error
    if not isinstance(raw, Mapping):
        raise PackageError("not a YAML mapping", path=path)
    return raw


def _text(flavor: Mapping[str, Any], key: str, path: Path) -> str | None:
    value = flavor.get(key)
    if value is not None and not isinstance(value, str):
        raise PackageError(
            f"flavors.python_function.{key} must be text, not {type(value).__name__}", path=path
        )
    return value


def _python(flavor: Mapping[str, Any], path: Path) -> str | None:
    told = _text(flavor, "python_version", path)
    if told is not None and _PYTHON.fullmatch(told) is None:
        raise PackageError(
            f"flavors.python_function.python_version is no Python version: {told[:40]!r}",
            path=path,
            advice="Write it as MLflow does, such as 3.12.4.",
        )
    return told


def _inside(model_dir: Path, value: str | None, key: str, path: Path) -> str | None:
    if value is None:
        return None
    target, home = (model_dir / value).resolve(), model_dir.resolve()
    if not target.is_relative_to(home):
        raise PackageError(
            f"flavors.python_function.{key} leads out of the model folder: {value}", path=path
        )
    if not target.exists():
        raise PackageError(
            f"flavors.python_function.{key} names {value}, which does not exist", path=path
        )
    return value


@dataclass(frozen=True)
class _Signature:
    columns: tuple[str, ...] | None = None
    optional: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    matrix_of: str | None = None


def _signature(signature: object, path: Path) -> _Signature:
    inputs = signature.get("inputs") if isinstance(signature, Mapping) else None
    if inputs is None:
        return _Signature()
    try:
        columns = json_value(inputs)
        if not columns:
            return _Signature()
        # Nameless inputs are taken as they come; only named columns can be asked for.
        if not all(isinstance(column.get("name"), str) for column in columns):
            return _Signature(matrix_of=_type(columns[0]) if len(columns) == 1 else None)
        return _Signature(
            tuple(column["name"] for column in columns),
            tuple(c["name"] for c in columns if c.get("required", True) is False),
            {c["name"]: kind for c in columns if (kind := _type(c)) is not None},
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise PackageError(
            "signature.inputs is not a JSON list of column specifications",
            path=path,
            advice="Log the model again with mlflow.models.infer_signature.",
        ) from error


def _type(column: Mapping[str, Any]) -> str | None:
    """What type a column is of; None where it is none that the gate knows, or not said."""
    told = column.get("type")
    if told == "tensor":
        told = column.get("tensor-spec", {}).get("dtype")
    return told if told in INPUT_TYPES else None
