"""ONNX models: files beside them that they name, and operators that only a library of its own has.

Source: `onnx.proto` (https://github.com/onnx/onnx). The message is walked by field numbers; nothing
is built of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

from gates.artifacts._found import Found, Place
from gates.artifacts._layers import NotRead
from gates.artifacts._values import Region

__all__ = ["escapes", "onnx"]

_MOST_FIELDS = 5_000_000
_MOST_DEEP = 60
_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _TENSOR, _FUNCTION, _SPARSE, _ENTRY = range(8)
# message → field → the message that stands there
_HOLDS = {
    _MODEL: {7: _GRAPH, 25: _FUNCTION, 20: _MODEL},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {13: _ENTRY},
    _ENTRY: {},
}
_DOMAINS = ("", "ai.onnx", "com.microsoft", "org.pytorch", "local", "pkg.onnxscript")


class _NotProtobuf(Exception):
    """These bytes are no message."""


def escapes(path: str) -> bool:
    """Whether a path leads out of the folder in which it is written, on any system."""
    parts = (*PurePosixPath(path).parts, *PureWindowsPath(path).parts)
    absolute = path.startswith(("/", "\\", "~")) or PureWindowsPath(path).drive != ""
    return absolute or ".." in parts or "\0" in path


def onnx(place: Place) -> Iterator[Found]:
    """A model by its name, or by a first field as every ONNX model has it."""
    head = place.region.head(2)
    called_so = place.name.endswith((".onnx", ".ort"))
    if not called_so and not (head[:1] == b"\x08" and 0 < int.from_bytes(head[1:], "big") < 32):
        return
    if head[:1] == b"\x80" or place.region.head(8)[4:] == b"ORTM":
        return
    found: dict[Found, None] = {}
    try:
        _walk(place.region, found)
    except (_NotProtobuf, IndexError):
        if called_so:
            raise NotRead("it is not the ONNX model that its name says") from None
        return
    yield from found


def _walk(region: Region, found: dict[Found, None]) -> None:
    waiting = [(region, _MODEL, 0)]
    budget = _MOST_FIELDS
    while waiting:
        message, kind, depth = waiting.pop()
        if depth > _MOST_DEEP:
            raise NotRead("it is an ONNX model whose graphs nest too deep")
        texts: dict[int, str] = {}
        for number, value in _fields(message):
            budget -= 1
            if budget < 0:
                raise NotRead("it is an ONNX model of more parts than are looked at")
            if isinstance(value, Region):
                inner = _HOLDS[kind].get(number)
                if inner is not None:
                    waiting.append((value, inner, depth + 1))
                elif kind in (_ENTRY, _NODE) and number in (1, 2, 4, 7) and value.size < 4096:
                    texts[number] = value.head(value.size).decode("utf-8", "replace")
        _note(kind, texts, found)


def _note(kind: int, texts: dict[int, str], found: dict[Found, None]) -> None:
    if kind == _ENTRY and texts.get(1) == "location" and escapes(texts.get(2, "")):
        what = f"takes its values from {texts[2]}, outside the artifact"
        found[Found("critical", what, "loading it reads a file of the host")] = None
    domain = texts.get(7, "") if kind == _NODE else ""
    if domain not in _DOMAINS and not domain.startswith(("ai.onnx", "org.pytorch", "pkg.")):
        what = f"needs operators of {domain}"
        found[Found("medium", what, "only a library that comes with it would have them")] = None


def _fields(region: Region) -> Iterator[tuple[int, Region | int]]:
    data, at, end = region.data, region.start, region.end
    while at < end:
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at, end)
            yield number, value
            continue
        size = {1: 8, 5: 4}.get(wire)
        if size is None:
            if wire != 2:
                raise _NotProtobuf
            size, at = _varint(data, at, end)
        if number == 0 or at + size > end:
            raise _NotProtobuf
        yield number, Region(data, at, at + size)
        at += size


def _varint(data: object, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = data[at]  # type: ignore[index]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _NotProtobuf
