"""A version's vectors of a golden set's texts, with those of the same texts stuffed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gates.domain.exhibits import Cell, Table
from gates.domain.subject import Arm, GoldenSet
from gates.errors import ModelFault
from gates.kernels import vectors as kernel
from gates.kernels.packed import Bools, Floats, Ints

__all__ = ["TextVectors", "most_changed", "most_changed_by_stuffing", "stuffed"]

_REPEATS = 5
_TEXTS, _SHOWN = 50, 10


@dataclass(frozen=True, eq=False)
class TextVectors:
    """One version's vectors.

    Attributes:
        arm: Who gave them.
        vectors: float64[Q, D].
    """

    golden: GoldenSet
    arm: Arm
    vectors: Floats

    def neighbours(self, k: int) -> Ints:
        """The k nearest texts of each, int64[Q, min(k, Q - 1)]."""
        return kernel.nearest(self.vectors, self.vectors, k)

    @cached_property
    def _stuffed(self) -> Floats:
        texts = [stuffed(text) for text in self.golden.query_text]
        vectors = self.arm.vectors(self.golden.texts(texts))
        given, first = vectors.shape[1], self.vectors.shape[1]
        if given != first:
            what = f"the model gives {given} dimensions to one list of texts, {first} to another"
            raise ModelFault("wrong-type", what, breach=self.arm.role == "candidate")
        return vectors

    def stuffed_neighbours(self, k: int) -> Ints:
        """The k nearest of the plain texts to each stuffed one, but for the one it was made of."""
        return kernel.nearest(self._stuffed, self.vectors, k)

    @cached_property
    def distinct(self) -> Bools:
        """The first of the texts that read alike (letter case and white space aside), bool[Q]."""
        plain = [" ".join(text.casefold().split()) for text in self.golden.query_text]
        first = np.zeros(len(plain), np.bool_)
        first[np.unique(np.array(plain, dtype=object), return_index=True)[1]] = True
        return first


def stuffed(text: str) -> str:
    """A text that says its longest word five times: what a seller does to be found.

    Args:
        text: A text; one without a word is returned as it is.
    """
    words = text.split()
    if not words:
        return text
    at = max(range(len(words)), key=lambda place: len(words[place]))
    return " ".join([*words[: at + 1], *[words[at]] * (_REPEATS - 1), *words[at + 1 :]])


def most_changed(golden: GoldenSet, old: Ints, new: Ints, overlap: Floats) -> Iterator[Table]:
    """The texts whose neighbours changed most, old and new neighbours side by side.

    Args:
        old: int64[Q, K], the champion's neighbours, nearest first.
        new: int64[Q, K], the candidate's.
        overlap: float64[Q], the share that both hold.
    """
    k = old.shape[1]
    rows = _changed(golden, golden.query_text, (old, new), overlap)
    columns = ["text", "overlap", "champion's neighbours", "candidate's neighbours"]
    title = (
        f"{int((overlap < 1).sum()):,} of {len(overlap):,} texts get other neighbours among their "
        f"first {k}, the most changed first (* in this list only)"
    )
    yield Table(title, columns, rows)


def most_changed_by_stuffing(
    golden: GoldenSet, plain: Ints, there: Ints, overlap: Floats
) -> Iterator[Table]:
    """The texts whose neighbours change most when a word is repeated; nothing where none does.

    Args:
        plain: int64[Q, K], the neighbours of each text.
        there: int64[Q, K], those of the stuffed text.
        overlap: float64[Q], the share that both hold.
    """
    texts = [stuffed(text) for text in golden.query_text]
    if rows := _changed(golden, texts, (plain, there), overlap):
        columns = ["text", "overlap", "neighbours as typed", "neighbours when stuffed"]
        title = (
            f"{int((overlap < 1).sum()):,} of {len(overlap):,} texts get other neighbours when a "
            f"word is said {_REPEATS} times, the most changed first (* in this list only)"
        )
        yield Table(title, columns, rows)


def _changed(
    golden: GoldenSet, texts: Sequence[str], lists: tuple[Ints, Ints], overlap: Floats
) -> list[list[Cell]]:
    old, new = lists
    order = np.lexsort((-golden.weight, overlap))
    return [
        [
            texts[at],
            round(float(overlap[at]), 4),
            _listed(golden.query_text, old[at], new[at]),
            _listed(golden.query_text, new[at], old[at]),
        ]
        for at in order[:_TEXTS].tolist()
        if overlap[at] < 1
    ]


def _listed(texts: Sequence[str], here: Ints, there: Ints) -> str:
    others = set(there.tolist())
    shown = [texts[at] + ("" if at in others else " *") for at in here[:_SHOWN].tolist()]
    return " · ".join(shown) + (" · …" if len(here) > _SHOWN else "")
