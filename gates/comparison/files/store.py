"""All pieces of a file, coded: in memory, or in partitions of queries on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gates.comparison.files.arrow import as_arrow, joined
from gates.comparison.files.coded import (
    CodedPiece,
    Segments,
    code_piece,
    codes_of,
    join_pieces,
)
from gates.comparison.files.columns import Columns, Piece
from gates.comparison.files.source import Source
from gates.kernels.ids import Codes
from gates.kernels.packed import Floats, Ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CodedFile", "Collector", "Partition", "Scattered"]

_LEAST_BYTES = 8  # of a row of text: two ids, a value, and what stands between them


class Scattered(Exception):
    """The rows of a query lie apart: the file must be regrouped before it can be read in pieces."""


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """The queries of one partition of a file, sorted by code.

    Attributes:
        query: uint64[Q], unique and ascending.
        start: int64[Q], where each query's rows begin.
        length: int64[Q].
        codes: uint64[N], document codes, in rank order within a query where they are ranked.
        grades: float64 or float32[N]; empty in a ranking.
    """

    query: Codes
    start: Ints
    length: Ints
    codes: Codes
    grades: NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class CodedFile:
    """A file, coded.

    Attributes:
        source: The file.
        columns: The columns that were read.
        rows: How many rows it holds.
        query: uint64[Q], the codes of its queries, unique and ascending.
        names: Arrow strings[Q], their ids.
        top: The greatest grade; 0 in a ranking.
        seen: (uint64[S], int32[S]): a query, and a piece of the file that holds rows of it.
        part: Gives one partition; each may be asked for once.
    """

    source: Source
    columns: Columns
    rows: int
    query: Codes
    names: pa.Array
    top: float
    seen: tuple[Codes, NDArray[np.int32]]
    part: Callable[[int], Partition]


class Collector:
    """Takes the coded pieces of one file, in order.

    Args:
        source: The file.
        columns: What is read of it.
        partitions: 1 keeps everything in memory; more, a power of two, keep rows on disk.
        scratch: A folder for what goes to disk.
    """

    def __init__(self, source: Source, columns: Columns, *, partitions: int, scratch: Path) -> None:
        expected = source.rows if source.rows is not None else source.bytes // _LEAST_BYTES
        self._source = source
        self._columns = columns
        self._shelf = _Shelf(partitions, scratch, expected, graded=columns.meaning == "grade")
        self._edges: list[Piece] = []
        self._segments: list[Segments] = []
        self._names: list[tuple[Codes, pa.Array]] = []
        self._top = 0.0

    def add(self, coded: CodedPiece) -> None:
        """Keep the next piece."""
        self._segments.append(self._shelf.put(coded))
        self._names.append((coded.segments.query, coded.names))
        self._edges += coded.edges
        self._top = max(self._top, float(coded.grades.max(initial=0)))

    def finish(self) -> CodedFile:
        """The file, once all its pieces are there.

        Raises:
            Scattered: The rows of some query do not lie together.
        """
        table = _joined(self._segments)
        # As they were read: a shelf of several partitions gives segments in another order.
        read = np.concatenate([table.query[:0], *(query for query, _ in self._names)])
        names = joined(name for _, name in self._names)
        order = np.argsort(read, kind="stable")
        ordered = read[order]
        first = np.ones(ordered.size, dtype=np.bool_)
        np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
        seen, rows = (table.query, table.piece), int(table.length.sum())
        split = _split_queries(table.query, ordered[~first], self._edges)
        if split:
            pieces = [one for pieces in split.values() for one in pieces]
            again = self._shelf.put(code_piece(join_pieces(pieces), self._columns))
            whole = ~np.isin(table.query, np.array(list(split), dtype=np.uint64))
            both = _joined([_chosen(table, whole), again])
            table = _chosen(both, np.argsort(both.query))
        else:
            table = _chosen(table, np.argsort(table.query))
        shelf = self._shelf
        return CodedFile(
            self._source,
            self._columns,
            rows,
            table.query,
            names.take(as_arrow(order[first])),
            self._top,
            seen,
            lambda number: shelf.part(table, number),
        )


def _joined(segments: Sequence[Segments]) -> Segments:
    if not segments:
        nothing = np.empty(0, np.int64)
        return Segments(nothing.astype(np.uint64), nothing, nothing, nothing.astype(np.int32))
    return Segments(
        np.concatenate([one.query for one in segments]),
        np.concatenate([one.start for one in segments]),
        np.concatenate([one.length for one in segments]),
        np.concatenate([one.piece for one in segments]),
    )


def _chosen(table: Segments, rows: NDArray[np.generic]) -> Segments:
    return Segments(table.query[rows], table.start[rows], table.length[rows], table.piece[rows])


def _split_queries(query: Codes, repeated: Codes, edges: list[Piece]) -> dict[int, list[Piece]]:
    """The queries that were read in several segments, with the rows of each.

    Raises:
        Scattered: One has a segment in the middle of a piece, whose rows were not kept.
    """
    again = np.unique(repeated)
    found: dict[int, list[Piece]] = {int(one): [] for one in again}
    if not found:
        return found
    if again.size > len(edges):
        raise Scattered
    for edge in edges:
        code = int(codes_of(edge.query.dictionary.take(edge.query.indices[:1]))[0])
        if code in found:
            found[code].append(edge)
    if int(np.isin(query, again).sum()) != sum(map(len, found.values())):
        raise Scattered
    return found


class _Shelf:
    """Where coded rows are kept until they are asked for, partition by partition."""

    def __init__(self, partitions: int, scratch: Path, expected: int, *, graded: bool) -> None:
        self._bits = (partitions - 1).bit_length()
        self._rows = np.zeros(partitions, dtype=np.int64)
        if partitions > 1:
            scratch.mkdir(parents=True)

        def rows(name: str, kind: type[np.generic], number: int) -> _Rows:
            on_disk = scratch / f"{name}-{number}" if partitions > 1 else None
            return _Rows(kind, expected, on_disk)

        self._codes = [rows("codes", np.uint64, one) for one in range(partitions)]
        grade = np.float64 if partitions > 1 else np.float32
        self._grades = [rows("grades", grade, one) for one in range(partitions)] if graded else []

    def put(self, coded: CodedPiece) -> Segments:
        """Keep a piece's rows.

        Returns:
            Its segments; each starts at its row in its partition.
        """
        segments, codes, grades = coded.segments, coded.codes, coded.grades
        which = self._partition(segments.query)
        if self._bits:
            segments = _chosen(segments, order := np.argsort(which, kind="stable"))
            which = which[order]
            rows = _ranges(segments.start, segments.length)
            codes, grades = codes[rows], grades[rows] if grades.size else grades
        length = np.bincount(which, segments.length, self._rows.size).astype(np.int64)
        before = np.cumsum(segments.length) - segments.length
        first = np.cumsum(length) - length
        start = before - first[which] + self._rows[which]
        for number in np.flatnonzero(length):
            part = slice(first[number], first[number] + length[number])
            self._codes[number].append(codes[part])
            if self._grades:
                self._grades[number].append(grades[part])
        self._rows += length
        return Segments(segments.query, start, segments.length, segments.piece)

    def part(self, table: Segments, number: int) -> Partition:
        """The queries of one partition, with their rows."""
        mine = _chosen(table, self._partition(table.query) == number)
        codes: Codes = self._codes[number].taken()
        grades: Floats = self._grades[number].taken() if self._grades else np.empty(0)
        return Partition(mine.query, mine.start, mine.length, codes, grades)

    def _partition(self, query: Codes) -> Ints:
        if not self._bits:
            return np.zeros(query.size, dtype=np.int64)
        return (query >> np.uint64(64 - self._bits)).astype(np.int64)


class _Rows:
    """One column of one partition: an array in memory that grows, or a file."""

    def __init__(self, kind: type[np.generic], expected: int, path: Path | None) -> None:
        self._kind = kind
        self._path = path
        self._size = 0
        # Memory that is not written to is not taken: an estimate may be generous.
        self._array: NDArray[Any] = np.empty(0 if path else expected, kind)

    def append(self, values: NDArray[Any]) -> None:
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(values.astype(self._kind, copy=False).data)
            return
        end = self._size + values.size
        if end > self._array.size or not np.can_cast(values.dtype, self._array.dtype):
            kind = np.promote_types(values.dtype, self._array.dtype)
            larger = np.empty(max(end, self._array.size * 3 // 2), kind)
            larger[: self._size] = self._array[: self._size]
            self._array = larger
        self._array[self._size : end] = values
        self._size = end

    def taken(self) -> NDArray[Any]:
        """All rows, which are then let go."""
        if self._path is None:
            array, self._array = self._array[: self._size], self._array[:0]
            return array
        if not self._path.exists():
            return np.empty(0, self._kind)
        values = np.fromfile(self._path, self._kind)
        self._path.unlink()
        return values


def _ranges(start: Ints, length: Ints) -> Ints:
    """start[0], start[0] + 1, … for each length, one after another."""
    before = np.cumsum(length) - length
    return np.repeat(start - before, length) + np.arange(int(length.sum()))
