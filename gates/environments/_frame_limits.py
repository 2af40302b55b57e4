"""What the gate accepts from a worker at most, and the one fault for all beyond it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gates.errors import ModelFault

__all__ = ["MAX_FRAME_BYTES", "BadFrame", "checked_rows", "json_object"]

MAX_FRAME_BYTES = 256 << 20
_MAX_HEADER_BYTES = 1 << 20
_MAX_CELLS = 16 << 20


class BadFrame(ModelFault):
    """What a worker wrote is not a frame."""

    def __init__(self, what: str) -> None:
        super().__init__("bad-frame", what)


def json_object(raw: bytes) -> Mapping[str, Any]:
    """A JSON object, parsed.

    Raises:
        BadFrame: It is too long, does not parse, or is not an object.
    """
    if len(raw) > _MAX_HEADER_BYTES:
        raise BadFrame(f"a JSON text of {len(raw)} bytes, {_MAX_HEADER_BYTES} is the most")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadFrame("a JSON text that does not parse") from error
    if not isinstance(value, dict):
        raise BadFrame("a JSON text that is not an object")
    return value


def checked_rows(names: Iterable[object], rows: object) -> int:
    """The number of rows, once names and size are believable.

    Raises:
        BadFrame: Names that repeat or do not print, or too many cells.
    """
    names = list(names)
    if not all(isinstance(name, str) and name.isprintable() for name in names):
        raise BadFrame("a column without a printable name")
    if len(set(names)) != len(names):
        raise BadFrame("two columns of one name")
    if type(rows) is not int or rows < 0 or rows * max(len(names), 1) > _MAX_CELLS:
        raise BadFrame(f"{str(rows)[:30]} rows of {len(names)} columns")
    return rows
