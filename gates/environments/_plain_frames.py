"""The plain encoding of columns, described in `gates.environments.frames`: NumPy's side of it."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gates.environments._frame_limits import BadFrame, check_lists, checked_rows, json_object
from gates.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["decode_plain", "encode_plain", "fixed_buffer", "text_buffers"]

_WIRE = {"float64": "<f8", "int64": "<i8", "bool": "u1"}
_NATIVE = {"float64": "f8", "int64": "i8", "bool": "?"}


def encode_plain(typed: Mapping[str, tuple[str, Sequence[Any] | NDArray[Any]]], rows: int) -> bytes:
    """Typed columns in the plain encoding.

    Raises:
        UsageError: Integers beyond 64 bits, or text that is not Unicode.
    """
    import numpy as np

    header: list[dict[str, Any]] = []
    buffers: list[bytes] = []
    for name, (kind, values) in typed.items():
        if isinstance(values, np.ndarray):
            valid = b"\x01" * rows
        else:
            valid = bytes(value is not None for value in values)
        if kind == "string":
            data = b"".join(text_buffers(values, "<u8"))
        else:
            data = fixed_buffer(kind, values)
        header.append({"name": name, "type": kind, "bytes": len(data)})
        buffers += (valid, data)
    head = json.dumps({"rows": rows, "columns": header}).encode("ascii")
    return b"".join((struct.pack("<I", len(head)), head, *buffers))


def fixed_buffer(kind: str, values: Sequence[Any] | NDArray[Any]) -> bytes:
    """Numbers or booleans as little-endian bytes, a byte for a boolean; zero where one is missing.

    Raises:
        UsageError: Integers beyond 64 bits.
    """
    import numpy as np

    if isinstance(values, np.ndarray):
        return values.astype(_WIRE[kind]).tobytes()
    try:
        return np.array([value or 0 for value in values], _WIRE[kind]).tobytes()
    except OverflowError as error:
        raise UsageError("an integer beyond 64 bits, which no model can be given") from error


def text_buffers(values: Sequence[Any] | NDArray[Any], offset: str) -> tuple[bytes, bytes]:
    """Texts as offsets (of a NumPy type such as `<u8`) and UTF-8; empty where one is missing.

    Raises:
        UsageError: Text that is not Unicode, or too much for the offsets.
    """
    import numpy as np

    try:
        texts = [(value or "").encode("utf-8") for value in values]
    except UnicodeEncodeError as error:
        raise UsageError(f"text that is not Unicode: {error.object!r:.60}") from error
    offsets = np.cumsum([0, *map(len, texts)], dtype="i8")
    if offsets[-1] > np.iinfo(offset).max:
        raise UsageError("a column of more than 2 GiB of text")
    return offsets.astype(offset).tobytes(), b"".join(texts)


def decode_plain(body: memoryview, most_rows: int) -> dict[str, NDArray[Any] | list[Any]]:
    """The columns of a plain body.

    Raises:
        BadFrame: It is anything but well-formed columns.
    """
    head = _Cursor(body)
    header = json_object(bytes(head.take(int.from_bytes(head.take(4), "little"))))
    columns = header.get("columns")
    if not isinstance(columns, list) or not all(isinstance(one, dict) for one in columns):
        raise BadFrame("a header without columns")
    rows = checked_rows((one.get("name") for one in columns), header.get("rows"), most_rows)
    decoded, lists = {}, 0
    for one in columns:
        valid = head.take(rows)
        size = one.get("bytes")
        if type(size) is not int or size < 0:
            raise BadFrame("a column without a size")
        lists += one.get("type") == "string" or not all(valid)
        check_lists(lists)
        decoded[one["name"]] = _plain_values(one.get("type"), valid, head.take(size), rows)
    if head.left:
        raise BadFrame(f"{head.left} bytes after the last column")
    return decoded


class _Cursor:
    def __init__(self, body: memoryview) -> None:
        self._body = body

    @property
    def left(self) -> int:
        return len(self._body)

    def take(self, size: int) -> memoryview:
        if size > len(self._body):
            raise BadFrame(f"{len(self._body)} bytes where {size} were announced")
        taken, self._body = self._body[:size], self._body[size:]
        return taken


def _plain_values(
    kind: object, valid: memoryview, data: memoryview, rows: int
) -> NDArray[Any] | list[Any]:
    import numpy as np

    present = np.frombuffer(valid, np.uint8)
    if (present > 1).any():
        raise BadFrame("a validity byte that is neither 0 nor 1")
    values: NDArray[Any] | list[Any]
    if kind == "string":
        values = _texts(data, rows)
    else:
        if not isinstance(kind, str) or kind not in _WIRE:
            raise BadFrame(f"a column of type {str(kind)[:30]!r}")
        if len(data) != rows * np.dtype(_WIRE[kind]).itemsize:
            raise BadFrame(f"{rows} rows of {kind} in {len(data)} bytes")
        values = np.frombuffer(data, _WIRE[kind]).astype(_NATIVE[kind])
    if present.all():
        return values
    items = values if isinstance(values, list) else values.tolist()
    return [item if there else None for item, there in zip(items, present, strict=True)]


def _texts(data: memoryview, rows: int) -> list[Any]:
    import numpy as np

    size = 8 * (rows + 1)
    if len(data) < size:
        raise BadFrame("a string column without offsets")
    offsets: NDArray[np.uint64] = np.frombuffer(data[:size], "<u8")
    text = bytes(data[size:])
    if offsets[0] != 0 or offsets[-1] != len(text) or (offsets[1:] < offsets[:-1]).any():
        raise BadFrame("string offsets that do not fit their text")
    places = offsets.tolist()
    try:
        return [text[a:b].decode("utf-8") for a, b in itertools.pairwise(places)]
    except UnicodeDecodeError as error:
        raise BadFrame("text that is not UTF-8") from error
