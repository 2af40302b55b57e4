"""Columns in the child process: from the gate's bytes to a model's input, and back from its answer.

Part of the worker: standard library only, Python 3.9 and later, loaded by its place. What the
bytes are, `gates.environments.frames` describes; pyarrow and pandas are the model's own, if any.
"""

# ruff: noqa: ANN401 - models take and give anything
from __future__ import annotations

import array
import importlib
import json
import struct
import sys
from typing import Any


class Breach(Exception):
    """The model answered, and its answer cannot be columns."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind


def optional(name: str) -> Any:
    """A module of the model's environment, or None when it does not have it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def decode(payload: bytes) -> Any:
    """The columns the gate sent, as what a model takes: a DataFrame, or a dict of lists.

    Missing numbers are NaN, as pandas has them; missing booleans and texts are None.
    """
    pandas = optional("pandas")
    if payload[:8] == b"arrow   ":
        pyarrow = importlib.import_module("pyarrow")
        table = pyarrow.ipc.open_stream(memoryview(payload)[8:]).read_all()
        if pandas is not None:
            return table.to_pandas()
        columns = {
            name: (str(table.column(name).type), table.column(name).to_pylist())
            for name in table.column_names
        }
    else:
        columns = _decode_plain(payload[8:])
    lists = {name: _numbers_with_nan(kind, values) for name, (kind, values) in columns.items()}
    return lists if pandas is None else pandas.DataFrame(lists)


def _numbers_with_nan(kind: str, values: list[Any]) -> list[Any]:
    if kind not in ("float64", "double", "int64") or None not in values:
        return values
    return [float("nan") if value is None else float(value) for value in values]


def _decode_plain(body: bytes) -> dict[str, tuple[str, list[Any]]]:
    size = struct.unpack_from("<I", body)[0]
    header = json.loads(body[4 : 4 + size])
    rows, at, columns = header["rows"], 4 + size, {}
    for one in header["columns"]:
        valid, data = body[at : at + rows], body[at + rows : at + rows + one["bytes"]]
        at += rows + one["bytes"]
        values = _unpack(one["type"], data, rows)
        if 0 in valid:
            values = [v if there else None for v, there in zip(values, valid)]  # noqa: B905
        columns[one["name"]] = (one["type"], values)
    return columns


def _unpack(kind: str, data: bytes, rows: int) -> list[Any]:
    if kind == "string":
        places = _little(array.array("Q", data[: 8 * (rows + 1)]))
        text = data[8 * (rows + 1) :]
        return [text[a:b].decode("utf-8") for a, b in zip(places, places[1:])]  # noqa: B905, RUF007
    if kind == "bool":
        return [byte == 1 for byte in data]
    return list(_little(array.array({"float64": "d", "int64": "q"}[kind], data)))


def _little(numbers: Any) -> Any:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def encode(columns: dict[str, tuple[str, list[Any]]], encoding: str) -> bytes:
    """Typed columns as a payload in the encoding this environment speaks."""
    if encoding == "arrow":
        return b"arrow   " + _encode_arrow(columns)
    header, buffers = [], []
    for name, (kind, values) in columns.items():
        data = _pack(kind, values)
        header.append({"name": name, "type": kind, "bytes": len(data)})
        buffers += [bytes([value is not None for value in values]), data]
    rows = len(next(iter(columns.values()))[1]) if columns else 0
    head = json.dumps({"rows": rows, "columns": header}).encode("ascii")
    return b"plain   " + b"".join([struct.pack("<I", len(head)), head] + buffers)  # noqa: RUF005


def _encode_arrow(columns: dict[str, tuple[str, list[Any]]]) -> bytes:
    pa = importlib.import_module("pyarrow")
    types = {"float64": pa.float64(), "int64": pa.int64(), "bool": pa.bool_(), "string": pa.utf8()}
    schema = pa.schema([(name, types[kind]) for name, (kind, _) in columns.items()])
    arrays = [pa.array(values, types[kind]) for kind, values in columns.values()]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(sink.getvalue())


def _pack(kind: str, values: list[Any]) -> bytes:
    if kind == "string":
        texts = [(value or "").encode("utf-8") for value in values]
        places = array.array("Q", [0])
        for text in texts:
            places.append(places[-1] + len(text))
        return bytes(_little(places).tobytes() + b"".join(texts))
    if kind == "bool":
        return bytes([bool(value) for value in values])
    code = {"float64": "d", "int64": "q"}[kind]
    return bytes(_little(array.array(code, [value or 0 for value in values])).tobytes())


# ---- what models answer ----------------------------------------------------------------------


def rows_of(frame: Any) -> int:
    """How many rows a decoded frame has."""
    return len(next(iter(frame.values()), ())) if isinstance(frame, dict) else len(frame)


def check_order(result: Any, rows: int) -> None:
    """Refuse an answer whose own index says that its rows are not those asked, one after another.

    Reading it by position would give each row the answer of another one. An index that is no
    rearrangement of 0 … rows - 1 names something else, and says nothing of the order.

    Raises:
        Breach: It is in another order.
    """
    for part in [result, *(result.values() if isinstance(result, dict) else ())]:
        index = getattr(part, "index", None) if hasattr(part, "iloc") else None
        if index is None:
            continue
        places = index.tolist()
        asked = list(range(rows))
        if len(places) != rows or places == asked or not all(map(_is_place, places)):
            continue
        if sorted(places) == asked:
            at = next(i for i, place in enumerate(places) if place != i)
            raise Breach(
                "wrong-order",
                f"returned its rows in another order: by its index, what stands in row {at} is "
                f"the answer to row {int(places[at])}; return them in the order of the input, "
                "such as with .sort_index()",
            )


def _is_place(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def normalise(result: Any) -> dict[str, tuple[str, list[Any]]]:
    """Whatever a pyfunc model may return, as typed columns; `prediction` when it is one column."""
    found = _spread(_columns_of(result))
    columns = {name: _typed(name, values) for name, values in found.items()}
    lengths = {name: len(values) for name, (_, values) in columns.items()}
    if len(set(lengths.values())) > 1:
        raise Breach("wrong-rows", f"returned columns of different lengths: {lengths}")
    return columns


def _columns_of(result: Any) -> dict[str, list[Any]]:
    if isinstance(result, dict):
        return {str(name): _list_of(name, values) for name, values in result.items()}
    if hasattr(result, "iloc"):
        if not hasattr(result, "columns"):
            return {"prediction": result.tolist()}
        names = [str(name) for name in result.columns]
        if len(set(names)) != len(names):
            raise Breach("wrong-type", f"returned two columns of one name: {names}")
        return {name: result.iloc[:, i].tolist() for i, name in enumerate(names)}
    values = _list_of("prediction", result)
    if values and all(isinstance(value, dict) for value in values):
        names = list(dict.fromkeys(str(name) for value in values for name in value))
        return {name: [value.get(name) for value in values] for name in names}
    return {"prediction": values}


def _spread(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """One column of lists as a column for each place in them: vectors, or a matrix's rows."""
    if len(columns) != 1:
        return columns
    (values,) = columns.values()
    rows = [value.tolist() if hasattr(value, "tolist") else value for value in values]
    if not rows or not all(isinstance(row, (list, tuple)) for row in rows):
        return columns
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise Breach("wrong-type", "returned lists of different lengths")
    width = widths.pop()
    names = ["prediction"] if width == 1 else [str(i) for i in range(width)]
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _list_of(name: object, values: Any) -> list[Any]:
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        return list(values)
    raise Breach("wrong-type", f"returned {type(values).__name__} for {name!r}, not rows")


def _typed(name: str, values: list[Any]) -> tuple[str, list[Any]]:
    plain = [_scalar(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if int in kinds and not all(-(1 << 63) <= v < 1 << 63 for v in plain if type(v) is int):
        raise Breach("wrong-type", f"returned integers beyond 64 bits for {name!r}")
    if kinds == {int}:
        return "int64", plain
    if kinds <= {int, float}:
        return "float64", [None if value is None else float(value) for value in plain]
    if kinds == {bool}:
        return "bool", plain
    if kinds == {str}:
        return "string", plain
    held = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise Breach("wrong-type", f"returned {held} for {name!r}")


def _scalar(value: Any) -> Any:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    for kind in (bool, int, float, str):
        if type(value) is kind:
            return value
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    for kind in (str, float, int):
        if isinstance(value, kind):
            return kind(value)
    return value
