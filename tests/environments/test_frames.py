"""Columns survive both encodings, and nothing a worker writes can hurt the gate."""

from __future__ import annotations

import contextlib
import json
import math
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.environments.frames import (
    MAX_FRAME_BYTES,
    BadFrame,
    Encoding,
    decode_columns,
    decode_message,
    encode_columns,
    encode_message,
    framed,
    payload_length,
)
from gates.errors import UsageError

both = pytest.mark.parametrize("encoding", ["arrow", "plain"])

cells = {
    "float64": st.floats(),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "string": st.text(),
}
names = st.text(min_size=1).filter(str.isprintable)


@st.composite
def frames(draw: st.DrawFn) -> dict[str, list[Any]]:
    rows = draw(st.integers(0, 20))
    kinds = draw(st.dictionaries(names, st.sampled_from(sorted(cells)), max_size=4))
    return {
        name: draw(st.lists(st.none() | cells[kind], min_size=rows, max_size=rows))
        for name, kind in kinds.items()
    }


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other


def as_lists(columns: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name: values.tolist() if isinstance(values, np.ndarray) else values
        for name, values in columns.items()
    }


@both
@given(columns=frames())
def test_columns_come_back_as_they_went(encoding: Encoding, columns: dict[str, list[Any]]) -> None:
    back = as_lists(decode_columns(encode_columns(columns, encoding)))
    assert list(back) == list(columns)
    for name, values in columns.items():
        assert len(back[name]) == len(values)
        assert all(same(one, other) for one, other in zip(values, back[name], strict=True))


@both
@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "i2", "u4", "i8", "?", "U3"])
def test_arrays_come_back_as_they_went(encoding: Encoding, dtype: str) -> None:
    values = np.array([0, 1, 2], dtype)
    back = decode_columns(encode_columns({"x": values}, encoding))["x"]
    assert list(back) == values.tolist()


@both
def test_columns_of_different_lengths_are_refused(encoding: Encoding) -> None:
    with pytest.raises(UsageError, match="differ in length"):
        encode_columns({"a": [1.0], "b": [1.0, 2.0]}, encoding)


@both
@pytest.mark.parametrize("values", [[object()], [1, "a"], [True, 1], [2**70], ["\ud800"]])
def test_values_that_no_model_can_be_given_are_refused(
    encoding: Encoding, values: list[Any]
) -> None:
    with pytest.raises(UsageError):
        encode_columns({"a": values}, encoding)


def test_messages_come_back_as_they_went() -> None:
    assert decode_message(encode_message({"a": ["é", 1]})) == {"a": ["é", 1]}
    assert decode_message(encode_columns({"a": [1.0]}, "plain")) is None


@given(st.binary(max_size=400), st.sampled_from([b"arrow   ", b"plain   ", b"json    ", b""]))
def test_any_bytes_give_columns_or_the_named_fault(body: bytes, tag: bytes) -> None:
    for decode in (decode_columns, decode_message):
        with contextlib.suppress(BadFrame):
            decode(tag + body)


@both
@given(data=st.data())
def test_damaged_columns_give_columns_or_the_named_fault(
    encoding: Encoding, data: st.DataObject
) -> None:
    payload = bytearray(
        encode_columns(
            {"a": [1.0, None, 3.0], "b": ["x", None, "zé"], "c": [1, 2, 3], "d": [True] * 3},
            encoding,
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(8, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(8, len(payload)))
    with contextlib.suppress(BadFrame):
        decode_columns(bytes(payload[:cut]))


def test_a_frame_beyond_the_limit_is_refused_before_it_is_read() -> None:
    assert payload_length(framed(b"12345")) == 5
    with pytest.raises(BadFrame, match="announced"):
        payload_length(struct.pack("<Q", MAX_FRAME_BYTES + 1))


def plain(header: object, body: bytes = b"") -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return b"plain   " + struct.pack("<I", len(head)) + head + body


def column(**changes: object) -> dict[str, object]:
    return {"name": "a", "type": "float64", "bytes": 8, **changes}


@pytest.mark.parametrize(
    "payload",
    [
        b"pickle  " + b"\x80\x04.",
        plain(b"[" * 100_000),
        plain(b"1" * 5_000),
        plain([]),
        plain({"rows": 1}),
        plain({"rows": 2**60, "columns": [column(bytes=2**63)]}),
        plain({"rows": -1, "columns": [column()]}),
        plain({"rows": True, "columns": [column()]}, b"\x01" + b"0" * 8),
        plain({"rows": 1, "columns": [column(bytes=-8)]}, b"\x01" + b"0" * 8),
        plain({"rows": 1, "columns": [column(type="object")]}, b"\x01" + b"0" * 8),
        plain({"rows": 1, "columns": [column(type=["float64"])]}, b"\x01" + b"0" * 8),
        plain({"rows": 1, "columns": [column(name="\ud800")]}, b"\x01" + b"0" * 8),
        plain({"rows": 1, "columns": [column()]}, b"\x02" + b"0" * 8),
        plain({"rows": 1, "columns": [column()]}, b"\x01" + b"0" * 9),
        plain({"rows": 1, "columns": [column(), column()]}, (b"\x01" + b"0" * 8) * 2),
        plain({"rows": 0, "columns": [column(type="string", bytes=0)]}),
    ],
)
def test_a_plain_frame_that_lies_is_refused(payload: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_columns(payload)


def arrow(batch: Any, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as out:
        out.write_batch(batch)
    return b"arrow   " + bytes(sink.getvalue())


def test_compressed_arrow_is_refused_since_it_could_unpack_to_gigabytes() -> None:
    batch = pa.record_batch([pa.array(np.zeros(1_000_000))], names=["a"])
    assert len(decode_columns(arrow(batch))["a"]) == 1_000_000
    for codec in ("zstd", "lz4"):
        with pytest.raises(BadFrame, match="compressed"):
            decode_columns(arrow(batch, compression=codec))


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["a", "a"]).dictionary_encode(),
        pa.array([[1.0]]),
        pa.array([b"x"]),
        pa.nulls(3),
        pa.array([1.0], pa.float32()),
    ],
    ids=lambda values: str(values.type)[:20],
)
def test_other_arrow_types_are_refused(values: Any) -> None:
    with pytest.raises(BadFrame):
        decode_columns(arrow(pa.record_batch([values], names=["a"])))


def test_more_cells_than_a_worker_may_answer_are_refused() -> None:
    many = pa.record_batch([pa.array(np.zeros((16 << 20) + 1, "?"))], names=["a"])
    with pytest.raises(BadFrame, match="rows of 1 columns"):
        decode_columns(arrow(many))
