"""One piece of a file as numbers: text ids as codes, each query's rows in rank order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gates.comparison.files.arrow import as_arrow, as_numpy, joined, text_buffers
from gates.comparison.files.columns import Columns, Piece, examples
from gates.errors import RankingError
from gates.kernels.canonical import order_lists
from gates.kernels.ids import Codes, id_codes, id_words
from gates.kernels.packed import Floats, Ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CodedPiece", "Segments", "code_piece", "code_pieces", "codes_of", "join_pieces"]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Runs of rows that belong to one query, S of them.

    Attributes:
        query: uint64[S], the code of the query's id.
        start: int64[S], where its rows begin.
        length: int64[S], how many rows each holds, at least 1.
        piece: int32[S], the piece of the file it was read from.
    """

    query: Codes
    start: Ints
    length: Ints
    piece: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class CodedPiece:
    """One piece, coded.

    Attributes:
        segments: Its runs of rows.
        names: Arrow strings[S], the id of each segment's query.
        codes: uint64[rows], document codes; in rank order within a segment where they are ranked.
        grades: float32 or float64[rows], as they are without loss; empty in a ranking.
        edges: The first and the last segment as read: a query may go on in the next piece.
    """

    segments: Segments
    names: pa.Array
    codes: Codes
    grades: NDArray[np.floating]
    edges: tuple[Piece, ...]


def codes_of(ids: pa.Array) -> Codes:
    """The 64-bit codes of Arrow strings, uint64[N]."""
    data, offsets = text_buffers(ids)
    return id_codes(data, offsets)


def code_piece(piece: Piece, columns: Columns) -> CodedPiece:
    """Code a piece, and put each segment of a run into rank order.

    Raises:
        RankingError: A rank stands twice in a query.
    """
    index = as_numpy(piece.query.indices)
    rows = index.size
    begin = np.concatenate(([0], np.flatnonzero(index[1:] != index[:-1]) + 1))[:rows]
    starts = np.append(begin, rows)
    names = piece.query.dictionary.take(as_arrow(index[begin]))
    segments = Segments(
        codes_of(names),
        begin,
        np.diff(starts),
        np.full(begin.size, piece.number, np.int32),
    )
    data, offsets = text_buffers(piece.doc)
    codes = id_codes(data, offsets)
    edges = tuple(
        _slice(piece, int(starts[at]), int(starts[at + 1]))
        for at in sorted({0, begin.size - 1})
        if begin.size
    )
    if columns.meaning == "grade":
        return CodedPiece(segments, names, codes, _small(piece.value), edges)
    best_first = -piece.value if columns.meaning == "rank" else piece.value
    order = order_lists(starts, best_first, lambda row: id_words(data, offsets, row))
    if columns.meaning == "rank" and order.tied.any():
        again = np.zeros(rows, dtype=np.bool_)
        again[order.row[order.tied]] = True
        raise RankingError(
            f"`{columns.value}` repeats within a query in {int(again.sum()):,} or more rows: "
            f"{examples(piece.query, piece.doc, again)}",
            path=piece.source.path,
            advice="give each document of a query a rank of its own, or leave the column out and "
            "give scores",
        )
    return CodedPiece(segments, names, codes[order.row], np.empty(0, np.float32), edges)


def code_pieces(pieces: Iterable[Piece], columns: Columns) -> CodedPiece:
    """Code pieces that were read one after another, as one."""
    coded = [code_piece(one, columns) for one in pieces]
    before = np.cumsum([0, *(one.codes.size for one in coded)])
    nothing = np.empty(0, np.int64)
    return CodedPiece(
        Segments(
            np.concatenate([nothing.astype(np.uint64), *(one.segments.query for one in coded)]),
            np.concatenate(
                [
                    nothing,
                    *(one.segments.start + at for one, at in zip(coded, before, strict=False)),
                ]
            ),
            np.concatenate([nothing, *(one.segments.length for one in coded)]),
            np.concatenate([nothing.astype(np.int32), *(one.segments.piece for one in coded)]),
        ),
        joined(one.names for one in coded),
        np.concatenate([nothing.astype(np.uint64), *(one.codes for one in coded)]),
        np.concatenate([np.empty(0, np.float32), *(one.grades for one in coded)]),
        tuple(edge for one in coded for edge in one.edges),
    )


def join_pieces(pieces: Sequence[Piece]) -> Piece:
    """Rows that were read in several pieces, as one piece in which each query's rows adjoin."""
    query = pa.concat_arrays([one.query.dictionary_decode() for one in pieces])
    return Piece(
        pieces[0].source,
        pieces[0].number,
        query.dictionary_encode(),
        pa.concat_arrays([one.doc for one in pieces]),
        np.concatenate([one.value for one in pieces]),
    )


def _slice(piece: Piece, first: int, last: int) -> Piece:
    """Some rows, copied so that they do not keep the whole piece alive."""
    rows = as_arrow(np.arange(first, last))
    return Piece(
        piece.source,
        piece.number,
        piece.query.take(rows).dictionary_decode().dictionary_encode(),
        piece.doc.take(rows),
        piece.value[first:last].copy(),
    )


def _small(grades: Floats) -> NDArray[np.floating]:
    small = grades.astype(np.float32)
    return small if (small == grades).all() else grades
