"""Every typing mistake of one letter that a query can have."""

from __future__ import annotations

from collections.abc import Iterator

from gates.strategies.variants import Edit

__all__ = ["typing_mistakes"]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _ROWS
    for place, letter in enumerate(row)
}
_SHORTEST = 4
"""In shorter words, one letter makes another word."""


def typing_mistakes(text: str) -> Iterator[Edit[str]]:
    """Each mistake once: letters left out first, then swapped, doubled, and hit beside their key.

    Args:
        text: The query.
    """
    places = list(_places(text))
    seen = {text}
    for kind in (_left_out, _swapped, _doubled, _beside):
        for place in places:
            for edit in kind(text, place):
                if edit.after not in seen:
                    seen.add(edit.after)
                    yield edit


def _places(text: str) -> Iterator[int]:
    at = 0
    for word in text.split(" "):
        if len(word) >= _SHORTEST and word.isalpha():
            yield from range(at + 1, at + len(word))
        at += len(word) + 1


def _left_out(text: str, place: int) -> Iterator[Edit[str]]:
    yield Edit(text[:place] + text[place + 1 :], f"'{text[place]}' left out")


def _swapped(text: str, place: int) -> Iterator[Edit[str]]:
    if text[place + 1 : place + 2].isalpha():
        pair = text[place : place + 2]
        yield Edit(text[:place] + pair[::-1] + text[place + 2 :], f"'{pair}' swapped")


def _doubled(text: str, place: int) -> Iterator[Edit[str]]:
    yield Edit(text[:place] + text[place] + text[place:], f"'{text[place]}' doubled")


def _beside(text: str, place: int) -> Iterator[Edit[str]]:
    for near in _NEIGHBOURS.get(text[place].lower(), ""):
        yield Edit(text[:place] + near + text[place + 1 :], f"'{near}' typed for '{text[place]}'")
