"""What the gate accepts from a worker at most, and the one fault for all beyond it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gates.errors import ModelFault

__all__ = [
    "MAX_CELLS",
    "MAX_FRAME_BYTES",
    "BadFrame",
    "TooLarge",
    "answer_bytes",
    "check_lists",
    "checked_rows",
    "json_object",
    "most_rows",
]

MAX_FRAME_BYTES = 256 << 20
_MAX_HEADER_BYTES = 1 << 20
MAX_CELLS = 16 << 20
_MESSAGE_BYTES = 2 << 20  # any answer may be: a fault with its traceback, or names of many columns
_ROW_BYTES = 64 << 10  # a vector of 7,000 numbers, or as much text
_LIST_COLUMNS = 64


class BadFrame(ModelFault):
    """What a worker wrote is not a frame."""

    def __init__(self, what: str) -> None:
        super().__init__("bad-frame", what)


class TooLarge(BadFrame):
    """A worker answers with more than the question can have asked for."""


def answer_bytes(rows: int) -> int:
    """How long the answer to a question of so many rows may be."""
    return min(_MESSAGE_BYTES + rows * _ROW_BYTES, MAX_FRAME_BYTES)


def most_rows(rows: int) -> int:
    """How many rows are still read of an answer: more than was asked for, to be told how many."""
    return 2 * rows + 1000


def check_lists(columns: int) -> None:
    """Columns of text, or with missing values, become lists: ten times their bytes on the wire.

    Raises:
        TooLarge: More of them than any answer needs.
    """
    if columns > _LIST_COLUMNS:
        raise TooLarge(
            f"{columns} columns of text or with missing values, {_LIST_COLUMNS} are the most"
        )


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


def checked_rows(names: Iterable[object], rows: object, most: int) -> int:
    """The number of rows, once names and size are believable.

    Raises:
        TooLarge: More rows than `most`.
        BadFrame: Names that repeat or do not print, or too many cells.
    """
    names = list(names)
    if not all(isinstance(name, str) and name.isprintable() for name in names):
        raise BadFrame("a column without a printable name")
    if len(set(names)) != len(names):
        raise BadFrame("two columns of one name")
    if type(rows) is not int or rows < 0 or rows * max(len(names), 1) > MAX_CELLS:
        raise BadFrame(f"{str(rows)[:30]} rows of {len(names)} columns")
    if rows > most:
        raise TooLarge(f"{rows} rows, {most} are the most that are read of this answer")
    return rows
