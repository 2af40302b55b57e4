"""Slips of the hand as edits of a query: one typing mistake, two of them, doubled letters."""

from __future__ import annotations

from gates.checks.behaviour.edits import TextEdit
from gates.domain.typos import slips, touchable

__all__ = ["doubled_letters", "two_typos", "typo"]


def typo(text: str) -> list[tuple[TextEdit, ...]]:
    """Every query one slip away: a letter left out, doubled, swapped or the key beside it."""
    return [(edit,) for edit in _slips(text)]


def two_typos(text: str) -> list[tuple[TextEdit, ...]]:
    """Queries two slips away: each slip with the one that is half the query's slips further on."""
    slips = _slips(text)
    half = len(slips) // 2
    pairs = zip(slips[:half], slips[half : 2 * half], strict=True)
    return [(first, second) for first, second in pairs if first.end < second.start]


def doubled_letters(text: str) -> list[tuple[TextEdit, ...]]:
    """Every query with one double letter typed once, or one single letter typed twice."""
    found: list[tuple[TextEdit, ...]] = []
    for start, end in touchable(text):
        for place in range(start + 1, end):
            letter = text[place]
            if place + 1 < end and letter == text[place + 1]:
                found.append((TextEdit(place, place + 2, letter),))
            elif letter != text[place - 1]:
                found.append((TextEdit(place, place + 1, letter * 2),))
    return found


def _slips(text: str) -> list[TextEdit]:
    return [TextEdit(one.start, one.end, one.new) for one in slips(text)]
