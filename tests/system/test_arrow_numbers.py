"""Arrow numbers are the same numbers in NumPy, and pandas stays unloaded."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gates.system.arrow_numbers import as_numpy


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 2, 3], pa.int32()),
        pa.array([0.5, -1.0, 7.25]),
        pa.array([True, False, True, True]),
        pa.array([], pa.float64()),
        pa.array([1.0, None, 3.0]),
        pa.array([1, 2, 3, 4])[1:3],
        pa.chunked_array([[1.0, 2.0], [3.0]]),
        pa.chunked_array([], pa.int64()),
    ],
    ids=str,
)
def test_the_numbers_are_those_of_arrows_own_way(values: Any) -> None:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    expected = array.to_numpy(zero_copy_only=False)
    found = as_numpy(values)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_it_loads_no_pandas() -> None:
    # Made of buffers: `pa.array` loads pandas by itself.
    script = (
        "import sys, pyarrow as pa; from gates.system.arrow_numbers import as_numpy\n"
        "for kind in (pa.int64(), pa.bool_()):\n"
        "    made = pa.Array.from_buffers(kind, 2, [None, pa.py_buffer(bytes(16))])\n"
        "    assert not as_numpy(made).any()\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
