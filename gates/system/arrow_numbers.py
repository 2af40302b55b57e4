"""Arrow numbers as NumPy arrays, without the pandas that Arrow's own way imports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["as_numpy"]


def as_numpy(values: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401 - pyarrow has no types
    """The numbers of an Arrow array, of whatever type they are.

    `to_numpy` imports pandas wherever that is installed, which takes half a second.

    Args:
        values: An array or chunked array of numbers; missing ones become NaN.
    """
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if not len(array) or array.null_count or not pa.types.is_primitive(array.type):
        found: np.ndarray[Any, Any] = array.to_numpy(zero_copy_only=False)
        return found
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
        return np.from_dlpack(array).astype(np.bool_)
    return np.from_dlpack(array)
