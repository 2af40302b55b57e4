"""By what a ranking is ordered, and what is doubtful about it: told from its first rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gates.comparison.files.arrow import as_numpy
from gates.comparison.files.columns import Columns, Piece, known_column, read_pieces, run_columns
from gates.comparison.files.source import Source
from gates.errors import RankingError
from gates.kernels.packed import Floats, Ints

__all__ = ["Order", "ordered_columns"]

Order = Literal["", "score", "rank", "rows"]
"""What orders a ranking; empty is its rank where it has one that says something."""

_LOOKED_AT = 50_000  # rows: some hundred queries of any kind
_MANY_TIED = 0.1  # of the queries: fewer are what any ranker does


@dataclass(frozen=True, slots=True, eq=False)
class _First:
    """The first rows of a ranking."""

    query: Ints
    value: Floats

    @property
    def queries(self) -> int:
        return int(np.unique(self.query).size)


def ordered_columns(source: Source, order: Order) -> tuple[Columns, tuple[str, ...]]:
    """The columns of a ranking, and what to know of how it is ordered.

    Args:
        source: The file.
        order: What orders it, as somebody said; empty where nobody did.

    Raises:
        RankingError: It has no such column, or its scores order nothing.
    """
    rank, score = known_column(source, "rank"), known_column(source, "score")
    if order == "rows":
        return run_columns(source, "rows"), ()
    ranks = _first(source, run_columns(source, "rank")) if rank and order != "score" else None
    notes: list[str] = []
    path = source.path
    if ranks and score and not order and not ranks.value.any():
        notes.append(f"{path}: `{rank}` is 0 on every line, so it is read by `{score}`")
        ranks = None
    if order == "rank" or ranks:
        columns = run_columns(source, "rank")
        if ranks and score:
            notes += _disagreement(source, ranks, columns)
        return columns, tuple(notes)
    columns = run_columns(source, "score")
    notes += _ties(source, _first(source, columns), columns)
    return columns, tuple(notes)


def _disagreement(source: Source, ranks: _First, columns: Columns) -> list[str]:
    by_score = run_columns(source, "score")
    scores = _first(source, by_score)
    if scores.value.size != ranks.value.size:
        return []
    by_rank = np.lexsort((ranks.value, ranks.query))
    query, score = ranks.query[by_rank], scores.value[by_rank]
    rises = (query[1:] == query[:-1]) & (score[1:] > score[:-1])
    apart = int(np.unique(query[1:][rises]).size)
    if not apart:
        return []
    note = (
        f"{source.path}: in {_of(apart, ranks.queries)} `{by_score.value}` says another order than "
        f"`{columns.value}`, by which it is read; --order score reads it by score"
    )
    return [note]


def _ties(source: Source, scores: _First, columns: Columns) -> list[str]:
    order = np.lexsort((scores.value, scores.query))
    query, value = scores.query[order], scores.value[order]
    same = query[1:] == query[:-1]
    tied = same & (value[1:] == value[:-1])
    several = np.unique(query[1:][same])
    some, differ = np.unique(query[1:][tied]), np.unique(query[1:][same & ~tied])
    if several.size and not differ.size:
        raise RankingError(
            f"all documents of a query have the same `{columns.value}`, in every query: they have "
            "no order",
            path=source.path,
            advice="give scores or ranks that differ, or say that the rows stand in order: "
            "--order rows",
        )
    if not some.size or some.size < _MANY_TIED * scores.queries:
        return []
    alone = np.setdiff1d(several, differ).size
    wholly = f", in {alone:,} of them all of them" if alone else ""
    note = (
        f"{source.path}: in {_of(some.size, scores.queries)} documents have the same "
        f"`{columns.value}`{wholly}, and are ordered by their ids"
    )
    return [note]


def _of(some: int, queries: int) -> str:
    return f"{some:,} of the first {queries:,} queries ({some / queries:.0%})"


def _first(source: Source, columns: Columns) -> _First:
    """The first rows of a file."""
    query, value = np.empty(0, np.int64), np.empty(0)
    piece: Piece | None = next(
        (one for read in read_pieces(source, columns) for one in read()), None
    )
    if piece is not None:
        query, value = as_numpy(piece.query.indices).astype(np.int64), piece.value
    return _First(query[:_LOOKED_AT], value[:_LOOKED_AT])
