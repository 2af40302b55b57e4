"""`synonyms.csv`: words that shoppers use for the same thing, as the team lists them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gates.errors import GoldenError
from gates.golden.files import read_csv

__all__ = ["read_synonyms"]

_COLUMNS = ("word", "synonym")


def read_synonyms(path: Path) -> tuple[tuple[str, str], ...]:
    """Read and check `synonyms.csv`.

    Args:
        path: The file; a pair holds in the other direction only where that is a row as well.

    Returns:
        (word or phrase, synonym) in file order, with single spaces.

    Raises:
        GoldenError: It is missing or not a table, has another column or a blank cell, or a row is
            there twice or names a word as its own synonym; letter case makes no difference.
    """
    table = read_csv(path)
    table.need(*_COLUMNS)
    for name in table.columns:
        if name not in _COLUMNS:
            raise GoldenError(
                f"`{name}` is not a column of synonyms",
                path=path,
                line=1,
                advice="Keep `word` and `synonym`, one pair a line.",
            )
    for name in _COLUMNS:
        table.filled(name, advice="Write a word or a phrase, or remove the row.")
    cells = [table.text(name).to_pylist() for name in _COLUMNS]
    pairs = [(_spaced(word), _spaced(synonym)) for word, synonym in zip(*cells, strict=True)]
    same = np.array([one.casefold() == other.casefold() for one, other in pairs], dtype=bool)
    if same.any():
        raise table.defect(
            "a word is its own synonym", same, show=_COLUMNS, advice="Correct or remove the row."
        )
    keys = {pair: at for at, pair in enumerate(dict.fromkeys(map(_folded, pairs)))}
    table.unique(
        np.array([keys[_folded(pair)] for pair in pairs], dtype=np.int64),
        show=_COLUMNS,
        advice="Keep one of the rows.",
    )
    return tuple(pairs)


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _folded(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[0].casefold(), pair[1].casefold()
