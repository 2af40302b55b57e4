"""The Arrow encoding of columns: an IPC stream, read with suspicion."""

from __future__ import annotations

import importlib
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gates.environments._frame_limits import BadFrame, check_lists, checked_rows
from gates.environments._plain_frames import fixed_buffer, text_buffers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decode_arrow", "encode_arrow"]


def _pyarrow() -> Any:  # noqa: ANN401 - pyarrow has no type stubs
    return importlib.import_module("pyarrow")


def encode_arrow(typed: Mapping[str, tuple[str, Sequence[Any] | NDArray[Any]]]) -> bytes:
    """Typed columns as an Arrow IPC stream.

    Raises:
        UsageError: Integers beyond 64 bits, or text that is not Unicode.
    """
    pa = _pyarrow()
    types = {"float64": pa.float64(), "int64": pa.int64(), "bool": pa.bool_(), "string": pa.utf8()}
    schema = pa.schema([(name, types[kind]) for name, (kind, _) in typed.items()])
    # Not pa.array: it imports pandas, wherever there is one, to ask whether the values are its own.
    arrays = []
    for kind, values in typed.values():
        buffers = [one if one is None else pa.py_buffer(one) for one in _buffers(kind, values)]
        arrays.append(pa.Array.from_buffers(types[kind], len(values), buffers))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(sink.getvalue())


def _buffers(kind: str, values: Sequence[Any] | NDArray[Any]) -> list[bytes | None]:
    import numpy as np

    present = np.ones(len(values), "?")
    if not isinstance(values, np.ndarray):
        present = np.array([value is not None for value in values], "?")
    bitmap = None if present.all() else np.packbits(present, bitorder="little").tobytes()
    if kind == "string":
        offsets, text = text_buffers(values, "<i4")
        return [bitmap, offsets, text]
    data = fixed_buffer(kind, values)
    if kind == "bool":
        data = np.packbits(np.frombuffer(data, "?"), bitorder="little").tobytes()
    return [bitmap, data]


def decode_arrow(body: memoryview, most_rows: int) -> dict[str, NDArray[Any] | list[Any]]:
    """The columns of an Arrow IPC stream.

    Raises:
        BadFrame: It is anything but flat, uncompressed, well-formed columns.
    """
    pa = _pyarrow()
    try:
        return _read(body, most_rows)
    except (pa.ArrowException, OSError, EOFError, ValueError, StopIteration, struct.error) as error:
        raise BadFrame(f"an Arrow stream that does not read ({type(error).__name__})") from error


def _read(body: memoryview, most_rows: int) -> dict[str, NDArray[Any] | list[Any]]:
    pa = _pyarrow()
    messages = pa.ipc.MessageReader.open_stream(pa.py_buffer(body))
    first, second = messages.read_next_message(), messages.read_next_message()
    if first.type != "schema" or second.type != "record batch":
        raise BadFrame("an Arrow stream that is not a schema and one record batch")
    schema = pa.ipc.read_schema(first)
    # Only flat types: a dictionary or an extension type would run far more of the reader.
    allowed = (pa.float64(), pa.int64(), pa.bool_(), pa.utf8())
    if not all(any(field.type.equals(one) for one in allowed) for field in schema):
        raise BadFrame("an Arrow column that is not float64, int64, bool or string")
    if _compressed(bytes(second.metadata)):
        raise BadFrame("an Arrow record batch that is compressed")
    batch = pa.ipc.read_record_batch(second, schema)
    batch.validate(full=True)
    checked_rows(schema.names, batch.num_rows, most_rows)
    held = (batch.column(at) for at in range(batch.num_columns))
    check_lists(sum(1 for one in held if str(one.type) == "string" or one.null_count))
    # Buffers may overlap, so that a small frame stands for much data.
    if batch.nbytes > len(body):
        raise BadFrame("Arrow columns that share their bytes")
    return {name: _values(batch.column(name)) for name in schema.names}


def _values(column: Any) -> NDArray[Any] | list[Any]:  # noqa: ANN401 - see above
    import numpy as np

    values: list[Any] = column.to_pylist()  # not to_numpy, which imports pandas as well
    if str(column.type) == "string" or None in values:
        return values
    return np.array(values, {"double": "f8", "int64": "i8", "bool": "?"}[str(column.type)])


def _compressed(metadata: bytes) -> bool:
    """Whether a record batch message has compressed buffers, which could unpack to gigabytes.

    Read off the flatbuffer itself (Message.fbs: field 2 of the message is its header, field 3 of
    a RecordBatch its compression), since pyarrow only tells after unpacking.
    """
    (message,) = struct.unpack_from("<I", metadata)
    header = _field(metadata, message, 2)
    if header is None:
        return False
    (batch,) = struct.unpack_from("<I", metadata, header)
    return _field(metadata, header + batch, 3) is not None


def _field(metadata: bytes, table: int, index: int) -> int | None:
    (back,) = struct.unpack_from("<i", metadata, table)
    vtable = table - back
    (size,) = struct.unpack_from("<H", metadata, vtable)
    slot = 4 + 2 * index
    if slot + 2 > size:
        return None
    (offset,) = struct.unpack_from("<H", metadata, vtable + slot)
    return table + offset if offset else None
