"""Frames: how columns cross the pipes between the gate and a model's worker.

A frame is `struct '<Q'` (the payload's length) and the payload. A payload is eight ASCII bytes
that name its kind, padded with spaces, and a body:

    json      one JSON object: the first word to a worker, and every answer that is not columns
    types     a request: in which types the model is from now on to be given its columns, as JSON:
              {"columns": {name: type}, "all": type or null}
    explain   a request: columns, as another payload, whose scores the worker is to explain
    memory    a request without a body: the most memory the worker has held
    arrow     an Arrow IPC stream
    plain     for environments without pyarrow:
                  '<I'           length of the header
                  header         JSON: {"rows": n, "columns": [{"name", "type", "bytes"}, …]}
                  then, for each column,
                  validity       n bytes, 1 where there is a value and 0 where it is missing
                  data           `bytes` bytes, little-endian: float64 and int64 8 a row, bool 1 a
                                 row; string: n + 1 uint64 offsets into the UTF-8 that follows them

Columns are float64, int64, bool or string. Nothing here unpickles or evaluates. Decoding believes
nothing: a worker may be broken or hostile, and whatever it writes gives columns or `BadFrame`,
never another error, and never much more memory than the frame itself.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gates.domain.golden_set import Columns
from gates.environments._arrow_frames import decode_arrow, encode_arrow
from gates.environments._frame_limits import (
    MAX_CELLS,
    MAX_FRAME_BYTES,
    BadFrame,
    TooLarge,
    answer_bytes,
    json_object,
    most_rows,
)
from gates.environments._plain_frames import decode_plain, encode_plain
from gates.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MAX_FRAME_BYTES",
    "PEAK_MEMORY",
    "BadFrame",
    "Encoding",
    "TooLarge",
    "answer_bytes",
    "column_types",
    "decode_columns",
    "decode_message",
    "encode_columns",
    "encode_message",
    "explaining",
    "framed",
    "payload_length",
]

Encoding = Literal["arrow", "plain"]

_TAG_BYTES = 8
_NO_LENGTH = 1 << 40  # eight bytes of text read as a length are always more
PEAK_MEMORY = b"memory  "
"""The payload that asks a worker for the most memory it has held."""


def framed(payload: bytes) -> bytes:
    """A payload with its length before it, ready for a pipe."""
    return struct.pack("<Q", len(payload)) + payload


def payload_length(head: bytes | bytearray, most: int = MAX_FRAME_BYTES) -> int:
    """The payload length that the first eight bytes of a frame announce.

    Raises:
        TooLarge: It is more than this frame may hold.
        BadFrame: It is no length that any answer has.
    """
    (length,) = struct.unpack_from("<Q", head)
    if length > _NO_LENGTH:
        raise BadFrame(f"a frame of {length} bytes was announced: that is no length")
    if length > most:
        raise TooLarge(f"a frame of {length} bytes was announced, {most} is the most")
    return int(length)


def encode_message(message: Mapping[str, Any]) -> bytes:
    """A JSON message as a payload."""
    return _tag("json") + json.dumps(message).encode("ascii")


def decode_message(payload: bytes) -> Mapping[str, Any] | None:
    """The JSON message of a payload, or None when it holds columns.

    Raises:
        BadFrame: It says it is JSON and is not a JSON object.
    """
    if payload[:_TAG_BYTES] != _tag("json"):
        return None
    return json_object(payload[_TAG_BYTES:])


def encode_columns(columns: Columns, encoding: Encoding) -> bytes:
    """Columns as a payload.

    Args:
        columns: Name → values, all of one length: NumPy arrays, or sequences of float, int, bool
            or str in which None stands for a missing value.
        encoding: What the worker reads.

    Raises:
        UsageError: Columns of different lengths, or of values that a model cannot be given.
    """
    typed = {name: _typed(name, values) for name, values in columns.items()}
    lengths = {name: len(values) for name, (_, values) in typed.items()}
    if len(set(lengths.values())) > 1:
        raise UsageError(f"columns differ in length: {lengths}")
    if encoding == "arrow":
        return _tag(encoding) + encode_arrow(typed)
    return _tag(encoding) + encode_plain(typed, next(iter(lengths.values()), 0))


def explaining(columns: bytes) -> bytes:
    """Columns as a payload that asks not for predictions but for what each column added to them."""
    return _tag("explain") + columns


def column_types(columns: Mapping[str, str], of_all: str | None) -> bytes:
    """A payload that says in which types a model is to be given its columns.

    Args:
        columns: Column → type.
        of_all: The type of every column, whatever its name.
    """
    return _tag("types") + json.dumps({"columns": dict(columns), "all": of_all}).encode("ascii")


def decode_columns(payload: bytes, rows: int = MAX_CELLS) -> dict[str, NDArray[Any] | list[Any]]:
    """The columns of a payload.

    Args:
        payload: What a worker answered.
        rows: How many it was asked for: an answer of many more is not decoded.

    Returns:
        Name → values: a NumPy array (float64, int64, bool) or a list of str; a list with None
        where a column has missing values.

    Raises:
        TooLarge: It holds much more than what was asked for.
        BadFrame: It is anything but well-formed columns.
    """
    tag, body = payload[:_TAG_BYTES], memoryview(payload)[_TAG_BYTES:]
    if tag == _tag("arrow"):
        return decode_arrow(body, most_rows(rows))
    if tag == _tag("plain"):
        return decode_plain(body, most_rows(rows))
    raise BadFrame(f"a payload of unknown kind {tag!r}")


def _tag(kind: str) -> bytes:
    return kind.ljust(_TAG_BYTES).encode("ascii")


def _typed(
    name: str, values: Sequence[Any] | NDArray[Any]
) -> tuple[str, Sequence[Any] | NDArray[Any]]:
    """A column's type, and its values as a NumPy array or a list with None for missing."""
    import numpy as np

    if isinstance(values, np.ndarray) and values.ndim == 1:
        if values.dtype.kind == "f":
            return "float64", values
        if values.dtype.kind in "iu" and values.dtype != np.uint64:
            return "int64", values
        if values.dtype.kind == "b":
            return "bool", values
    plain = values.tolist() if isinstance(values, np.ndarray) else list(values)
    plain = [value.item() if isinstance(value, np.generic) else value for value in plain]
    kinds = {type(value) for value in plain if value is not None}
    if kinds <= {float, int} and float in kinds:
        return "float64", [None if value is None else float(value) for value in plain]
    for kind, type_name in ((int, "int64"), (bool, "bool"), (str, "string")):
        if kinds == {kind}:
            return type_name, plain
    if not kinds:
        return "float64", plain
    held = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise UsageError(
        f"column {name!r} holds {held}: a model is given numbers, booleans or text",
        advice="Give each column values of one kind.",
    )
