"""Slips of the hand on a QWERTY keyboard: one typing mistake, two of them, doubled letters.

Only words of four or more letters are touched, and never their first letter: shorter, one letter
makes another word. Words that hold a digit or a sign (sizes, model numbers) keep their spelling.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.checks._edits import Edit, words

__all__ = ["doubled_letters", "two_typos", "typo"]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _ROWS
    for place, letter in enumerate(row)
}
_SHORTEST = 4


def typo(text: str) -> list[tuple[Edit, ...]]:
    """Every query that is one slip away: a letter left out, doubled, swapped or the key beside it.

    Args:
        text: The query.
    """
    return [(edit,) for edit in _slips(text)]


def two_typos(text: str) -> list[tuple[Edit, ...]]:
    """Queries two slips away: each slip with the one that is half the query's slips further on.

    Args:
        text: The query.
    """
    slips = _slips(text)
    half = len(slips) // 2
    pairs = zip(slips[:half], slips[half : 2 * half], strict=True)
    return [(first, second) for first, second in pairs if first.end < second.start]


def doubled_letters(text: str) -> list[tuple[Edit, ...]]:
    """Every query with one double letter typed once, or one single letter typed twice.

    Args:
        text: The query.
    """
    found: list[tuple[Edit, ...]] = []
    for start, end in _touchable(text):
        for place in range(start + 1, end):
            letter = text[place]
            if place + 1 < end and letter == text[place + 1]:
                found.append((Edit(place, place + 2, letter),))
            elif letter != text[place - 1]:
                found.append((Edit(place, place + 1, letter * 2),))
    return found


def _touchable(text: str) -> list[tuple[int, int]]:
    return [
        (start, end)
        for start, end in words(text)
        if end - start >= _SHORTEST and text[start:end].isalpha()
    ]


def _slips(text: str) -> list[Edit]:
    return [
        edit
        for start, end in _touchable(text)
        for place in range(start + 1, end)
        for edit in _at(text, place, swap=place > start + 1)
    ]


def _at(text: str, place: int, *, swap: bool) -> Iterator[Edit]:
    letter = text[place]
    yield Edit(place, place + 1, "")
    yield Edit(place, place + 1, letter * 2)
    for near in _NEIGHBOURS.get(letter.lower(), ""):
        yield Edit(place, place + 1, near.upper() if letter.isupper() else near)
    if swap and letter != text[place - 1]:
        yield Edit(place - 1, place + 1, letter + text[place - 1])
