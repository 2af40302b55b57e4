"""Slips of the hand on a QWERTY keyboard: every typing mistake of one letter that a query can have.

Only words of four or more letters are touched, and never their first letter: shorter, one letter
makes another word. Words that hold a digit or a sign (sizes, model numbers) keep their spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Slip", "slips", "touchable"]

Kind = Literal["left out", "swapped", "doubled", "beside"]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _ROWS
    for place, letter in enumerate(row)
}
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Slip:
    """One typing mistake.

    Attributes:
        kind: What went wrong.
        start: The first character that is typed otherwise.
        end: The first character after those.
        new: What is typed instead.
    """

    kind: Kind
    start: int
    end: int
    new: str


def touchable(text: str) -> list[tuple[int, int]]:
    """Start and end of the words in which a slip is looked for."""
    spans = (found.span() for found in re.finditer(r"\S+", text))
    return [
        (start, end)
        for start, end in spans
        if end - start >= _SHORTEST and text[start:end].isalpha()
    ]


def slips(text: str) -> Iterator[Slip]:
    """Mistakes letter by letter: left out, doubled, the key beside it, swapped with the last."""
    for start, end in touchable(text):
        for place in range(start + 1, end):
            yield from _at(text, place, swap=place > start + 1)


def _at(text: str, place: int, *, swap: bool) -> Iterator[Slip]:
    letter = text[place]
    yield Slip("left out", place, place + 1, "")
    yield Slip("doubled", place, place + 1, letter * 2)
    for near in _NEIGHBOURS.get(letter.lower(), ""):
        typed = near.upper() if letter.isupper() else near
        yield Slip("beside", place, place + 1, typed)
    if swap and letter != text[place - 1]:
        yield Slip("swapped", place - 1, place + 1, letter + text[place - 1])
