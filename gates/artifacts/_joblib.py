"""The arrays that joblib writes raw between the opcodes of a pickle: how many bytes to read past.

Source: `joblib.numpy_pickle.NumpyArrayWrapper.read_array`.
"""

from __future__ import annotations

import math
import re

from gates.artifacts._values import Made, Value

__all__ = ["ArrayProblem", "array_bytes"]


class ArrayProblem(Exception):
    """An array whose length in bytes cannot be told."""


def array_bytes(wrapper: Made) -> tuple[int | None, bool]:
    """How long an array is.

    Args:
        wrapper: A `NumpyArrayWrapper` with its state.

    Returns:
        Its bytes, None when a pickle of its own stands in their place; and whether padding comes
        first, a byte that says how much and the padding.

    Raises:
        ArrayProblem: Its shape or type is not one that NumPy writes.
    """
    state = wrapper.state
    if not isinstance(state, dict):
        raise ArrayProblem("an array has no description")
    shape, dtype = state.get("shape"), state.get("dtype")
    if not isinstance(shape, tuple) or not all(isinstance(one, int) and one >= 0 for one in shape):
        raise ArrayProblem("an array has no shape")
    size, objects = _item(dtype)
    if objects:
        return None, False
    return math.prod(shape) * size, state.get("numpy_array_alignment_bytes") is not None


def _item(dtype: Value) -> tuple[int, bool]:
    """The bytes of one value, and whether it holds Python objects."""
    code = dtype.arguments[0] if isinstance(dtype, Made) and dtype.arguments else None
    match = re.fullmatch(r"([?bBhHiIlLqQefdgFDGcmMbiufcOSaUV])(\d{0,9})", str(code))
    if not isinstance(dtype, Made) or match is None or not match[2]:
        raise ArrayProblem("an array is of a type that cannot be told")
    kind, size = match[1], int(match[2])
    if kind == "O":
        return 0, True
    parts = dtype.state if isinstance(dtype.state, tuple) else ()
    return size * (4 if kind == "U" else 1), kind == "V" and _holds_objects(parts)


def _holds_objects(value: Value) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Made):
            waiting += [one.state, *one.arguments]
        elif isinstance(one, tuple):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, str) and one.startswith(("O", "|O")):
            return True
    return False
