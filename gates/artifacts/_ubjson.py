"""Universal Binary JSON, as XGBoost writes it, read as data with bounds.

Specification: https://ubjson.org, draft 12. Numbers are big-endian; arrays of one type of number
come as NumPy arrays.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

__all__ = ["Malformed", "read_ubjson"]

_NUMBERS = {"i": "b", "U": "B", "I": ">h", "l": ">i", "L": ">q", "d": ">f", "D": ">d"}
_INTEGERS = frozenset("iUIlL")
_CONSTANTS: dict[str, Any] = {"Z": None, "T": True, "F": False}
_MOST_DEEP = 64
_MOST_VALUES = 5_000_000  # boxed one by one; what stands in typed arrays is not


class Malformed(Exception):
    """It is not what its first byte promises, or larger than is read; the text says where."""


def read_ubjson(data: bytes) -> Any:  # noqa: ANN401 - whatever the document holds
    """One document: mappings, lists, NumPy arrays, texts, numbers, booleans and None.

    Args:
        data: The document; untrusted.

    Raises:
        Malformed: It ends early, has an unknown marker, nests too deep or holds too many values.
    """
    return _Reader(data).value(0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.left = data, 0, _MOST_VALUES

    def value(self, depth: int, marker: str = "") -> Any:  # noqa: ANN401 - as above
        self.left -= 1
        if self.left < 0 or depth > _MOST_DEEP:
            raise Malformed(f"it holds more than is read, at byte {self.at:,}")
        marker = marker or self.marker()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _NUMBERS:
            return self.number(marker)
        if marker == "C":
            return self.take(1).decode("latin-1")
        if marker in ("S", "H"):
            return self.text()
        if marker == "[":
            return self.array(depth)
        if marker == "{":
            return self.mapping(depth)
        raise Malformed(f"byte {self.at - 1:,} is no type of UBJSON")

    def array(self, depth: int) -> Any:  # noqa: ANN401 - as above
        kind, count = self.container()
        if count is None:
            found = []
            while not self.found("]"):
                found.append(self.value(depth + 1))
            return found
        if kind in _NUMBERS:
            stored = np.dtype(_NUMBERS[kind])
            numbers = np.frombuffer(self.take(count * stored.itemsize), stored)
            return numbers.astype(stored.newbyteorder("="))
        return [self.value(depth + 1, kind) for _ in range(count)]

    def mapping(self, depth: int) -> dict[str, Any]:
        kind, count = self.container()
        found: dict[str, Any] = {}
        while count is None or len(found) < count:
            if count is None and self.found("}"):
                break
            key = self.text()
            if key in found:
                raise Malformed(f"a mapping has a key twice, at byte {self.at:,}")
            found[key] = self.value(depth + 1, kind)
        return found

    def container(self) -> tuple[str, int | None]:
        """The type and the count that a container says of itself, where it does."""
        kind = self.marker() if self.found("$") else ""
        count = self.integer() if self.found("#") else None
        if kind and count is None:
            raise Malformed(f"a container has a type and no count, at byte {self.at:,}")
        return kind, count

    def text(self) -> str:
        return self.take(self.integer()).decode("utf-8", "replace")

    def integer(self) -> int:
        marker = self.marker()
        if marker not in _INTEGERS:
            raise Malformed(f"byte {self.at - 1:,} is no length")
        number = int(self.number(marker))
        if number < 0:
            raise Malformed(f"a length below 0, at byte {self.at:,}")
        return number

    def number(self, marker: str) -> int | float:
        kind = _NUMBERS[marker]
        found: tuple[int | float] = struct.unpack(kind, self.take(struct.calcsize(kind)))
        return found[0]

    def found(self, marker: str) -> bool:
        """Whether a marker comes next, which is then passed."""
        here = self.data[self.at : self.at + 1] == marker.encode()
        self.at += here
        return here

    def marker(self) -> str:
        return self.take(1).decode("latin-1")

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise Malformed(f"it ends early, at byte {len(self.data):,}")
        self.at += size
        return self.data[self.at - size : self.at]
