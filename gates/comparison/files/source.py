"""A file that can be read piece by piece, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

__all__ = ["Kind", "Reader", "Source"]

Kind = Literal["run", "judgments", "queries"]
"""What a file should hold."""

Reader = Callable[[], Iterable[pa.Table]]
"""Reads one piece of a file."""


@dataclass(frozen=True)
class Source:
    """A file, or a folder of Parquet files, that can be read piece by piece.

    Attributes:
        path: As it was named.
        names: Its columns.
        rows: How many rows it holds; None where only reading would tell.
        bytes: Its size on disk.
        pieces: Readers of the named columns, a piece of the file each; they may be called side by
            side, and give the piece's tables one after another.
        lines_before: Lines of text before the first row; None where rows have no lines.
    """

    path: Path
    names: tuple[str, ...]
    rows: int | None
    bytes: int
    pieces: Callable[[Sequence[str]], Iterator[Reader]]
    lines_before: int | None = None
