"""In the child process: what the gate sent, in the types that the model's signature names.

Part of the worker: standard library only, Python 3.9 and later, loaded by its place. Golden sets
hold numbers and texts; a signature may ask for whole numbers, single precision, truth values or
times. A value that does not fit its type stays as it is, so that MLflow, or the model, names it.
"""

# ruff: noqa: ANN401 - models take anything
from __future__ import annotations

from typing import Any

_NUMPY = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
}
"""MLflow's names of types, as NumPy has them; a tensor's are NumPy's already."""


def as_signed(frame: Any, told: dict[str, Any]) -> Any:
    """A decoded frame with each column in the type that it is asked for in.

    Args:
        frame: A DataFrame, or a dict of lists where the environment has no pandas.
        told: `columns`, column → type, where it is not the one it was sent in; and `all`, the type
            of all, where the signature is of one nameless tensor. Empty: as they were sent.
    """
    if not told:
        return frame
    asked: dict[str, str] = dict.fromkeys(frame, told["all"]) if told["all"] else told["columns"]
    kinds = {name: _NUMPY.get(kind, kind) for name, kind in asked.items() if name in frame}
    if isinstance(frame, dict):
        return {
            name: _list_as(values, kinds[name]) if name in kinds else values
            for name, values in frame.items()
        }
    times = {name for name, kind in kinds.items() if kind == "datetime"}
    frame = frame.astype(
        {
            name: kind
            for name, kind in kinds.items()
            if name not in times and _fits(frame[name], kind)
        }
    )
    for name in times:
        frame[name] = _times(frame[name])
    return frame


def _fits(column: Any, kind: str) -> bool:
    """Whether nothing but precision is lost: whole numbers have no way to be missing."""
    if getattr(column.dtype, "kind", "O") not in "iufb":
        return False
    if kind.startswith("float"):
        return True
    numbers = column.astype("float64")
    finite = bool(((numbers - numbers) == 0).all())
    return finite and bool((column.astype(kind) == column).all())


def _times(column: Any) -> Any:
    import pandas

    return column if getattr(column.dtype, "kind", "O") in "iufb" else pandas.to_datetime(column)


def _list_as(values: list[Any], kind: str) -> list[Any]:
    if not all(isinstance(value, (int, float)) for value in values):
        return values
    if kind == "bool" and all(value in (0, 1) for value in values):
        return [bool(value) for value in values]
    if kind.startswith(("int", "uint")) and all(float(value).is_integer() for value in values):
        return [int(value) for value in values]
    return values
