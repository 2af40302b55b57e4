"""Numbers between Arrow and NumPy, sharing memory.

pyarrow's own conversions import pandas wherever it is installed, which takes most of a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["as_arrow", "as_numpy", "joined", "numbers", "text_buffers"]


def as_numpy(array: pa.Array) -> NDArray[Any]:
    """The numbers of an Arrow array without nulls."""
    return np.from_dlpack(array)


def numbers(array: pa.Array) -> NDArray[np.float64]:
    """An Arrow array of doubles, NaN where it is null."""
    _, data = array.buffers()
    if data is None:
        return np.empty(0)
    values = np.frombuffer(data, np.float64)[array.offset : array.offset + len(array)]
    if array.null_count:
        there = as_numpy(pc.cast(pc.is_valid(array), pa.uint8()))
        values = np.where(there == 1, values, np.nan)
    return values


def as_arrow(values: NDArray[Any]) -> pa.Array:
    """NumPy numbers as an Arrow array."""
    values = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, values.size, [None, pa.py_buffer(values)])


def joined(texts: Iterable[pa.Array]) -> pa.Array:
    """Arrow strings one after another; none at all give an empty array."""
    nothing = pa.StringArray.from_buffers(0, pa.py_buffer(bytes(4)), pa.py_buffer(b""))
    return pa.concat_arrays([nothing, *texts])


def text_buffers(ids: pa.Array) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """The bytes of Arrow strings, uint8[B], and their offsets, int32 or int64[N + 1]."""
    _, places, data = ids.buffers()
    kind = np.int64 if pa.types.is_large_string(ids.type) else np.int32
    offsets = np.frombuffer(places, kind)[ids.offset : ids.offset + len(ids) + 1]
    empty = np.empty(0, np.uint8)
    return np.frombuffer(data, np.uint8) if data is not None else empty, offsets
