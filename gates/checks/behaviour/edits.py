"""A query and the single edits that make another of it.

A variant is a query and a set of edits that do not overlap. Each edit can be left out, and each
word that no edit touches, which is how a counterexample becomes small.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["EditedQuery", "Span", "TextEdit", "applied", "words"]

Span = tuple[int, int]
"""Start and end of a word, in characters; the end is the first character after it."""


@dataclass(frozen=True, slots=True, order=True)
class TextEdit:
    """Text of a query replaced.

    Attributes:
        start: Its first character; within a word or at a word's end.
        end: The first character after it; `start` where something is only put in.
        new: What stands there instead.
    """

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class EditedQuery:
    """A query and the same query typed otherwise.

    Attributes:
        edits: What is typed otherwise, from left to right, without overlap.
    """

    query: str
    edits: tuple[TextEdit, ...]

    @property
    def typed(self) -> str:
        """The query as it was typed."""
        return applied(self.query, self.edits)

    @property
    def words(self) -> int:
        """How many words the query has."""
        return len(self.query.split())

    def reduced(self, kept_words: Sequence[bool], kept_edits: Sequence[bool]) -> EditedQuery | None:
        """The same with fewer words and edits; None when no edit is left.

        An edit goes when a word goes that it touches.

        Args:
            kept_words: For each word, whether it stays.
            kept_edits: For each edit, whether it stays.
        """
        spans = words(self.query)
        text, moved, before = "", {}, -1
        for at, (start, end) in enumerate(spans):
            if not kept_words[at]:
                continue
            if text:
                text += self.query[spans[before][1] : start] if before == at - 1 else " "
            moved[at] = len(text) - start
            text += self.query[start:end]
            before = at
        edits = []
        for edit, kept in zip(self.edits, kept_edits, strict=True):
            touched = _touched(edit, spans)
            if kept and all(at in moved for at in touched):
                by = moved[touched[0]]
                edits.append(TextEdit(edit.start + by, edit.end + by, edit.new))
        return EditedQuery(text, tuple(edits)) if edits else None


def words(text: str) -> list[Span]:
    """Where the words of a query stand: what is between white space."""
    return [found.span() for found in re.finditer(r"\S+", text)]


def applied(text: str, edits: Sequence[TextEdit]) -> str:
    """A text with edits made.

    Args:
        edits: From left to right, without overlap.
    """
    for edit in reversed(edits):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def _touched(edit: TextEdit, spans: Sequence[Span]) -> range:
    first = max(at for at, (start, _) in enumerate(spans) if start <= edit.start)
    last = min(at for at, (_, end) in enumerate(spans) if end >= edit.end)
    return range(min(first, last), max(first, last) + 1)
