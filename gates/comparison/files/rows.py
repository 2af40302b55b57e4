"""Rows of long files, as a comparison asks for them; what a page shows is read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gates.comparison.files.aligned import Aligned
from gates.comparison.files.arrow import as_arrow, as_numpy
from gates.comparison.files.coded import codes_of
from gates.comparison.files.columns import examples_of_twice, read_pieces
from gates.comparison.files.store import CodedFile
from gates.comparison.rows import AlignedQueries, QueryLists
from gates.errors import RankingError
from gates.kernels.ids import Codes
from gates.kernels.matching import JUDGED, OLD, Lists, Matched, match
from gates.kernels.packed import Ints

__all__ = ["FileRows"]


@dataclass(frozen=True, slots=True, eq=False)
class FileRows:
    """Rows of two rankings and of judgments in files."""

    aligned: Aligned

    @property
    def queries(self) -> int:
        """How many queries any of the files holds."""
        return self.aligned.query.size

    @property
    def max_grade(self) -> float:
        """The greatest grade that anybody gave."""
        return self.aligned.judgments.top

    def names(self, queries: Ints) -> list[str]:
        """The ids of some queries."""
        found: list[str] = self.aligned.names.take(as_arrow(queries)).to_pylist()
        return found

    def blocks(self) -> Iterator[AlignedQueries]:
        """All queries, some thousand at a time, in no order that means anything; once."""
        return self.aligned.blocks()

    def match(self, block: AlignedQueries) -> tuple[AlignedQueries, Matched]:
        """The block without repeated judgments, its documents matched with each other and grades.

        Raises:
            RankingError: A document stands twice in a query of one file, but for judgments that
                stand there twice word for word.
        """
        matched = match(block.old, block.new, block.judged, block.grades)
        if matched.twice.size:
            block = _without_repeated(block)
            matched = match(block.old, block.new, block.judged, block.grades)
        if matched.twice.size:
            raise self._twice(block, matched)
        return block, matched

    def lists(self, queries: Ints, *, graded: bool) -> Mapping[int, QueryLists]:
        """The lists of some queries, by number, from just the pieces of files that hold them."""
        aligned = self.aligned
        codes = aligned.query[queries]
        old, new = _ranked(aligned.old, codes), _ranked(aligned.new, codes)
        grades = _rows_of(aligned.judgments, codes) if graded else {}
        return {
            query: QueryLists(old.get(name, ()), new.get(name, ()), dict(grades.get(name, ())))
            for query, name in zip(queries.tolist(), self.names(queries), strict=True)
        }

    def _twice(self, block: AlignedQueries, matched: Matched) -> RankingError:
        aligned = self.aligned
        source, row = matched.twice[0].tolist()
        file = {JUDGED: aligned.judgments, OLD: aligned.old}.get(source, aligned.new)
        lists = {JUDGED: block.judged, OLD: block.old}.get(source, block.new)
        place = int(np.searchsorted(lists.starts, row, side="right")) - 1
        (query,) = self.names(block.query[place : place + 1])
        count = int((matched.twice[:, 0] == source).sum())
        documents = examples_of_twice(file.source, file.columns, query)
        return RankingError(
            f"{count:,} or more documents stand twice in a query: query {query!r}, {documents}",
            path=file.source.path,
            advice="keep one row for each document of a query",
        )


def _without_repeated(block: AlignedQueries) -> AlignedQueries:
    """The block with each judgment once; those that contradict each other stay."""
    starts, codes, grades = block.judged.starts, block.judged.codes, block.grades
    query = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    order = np.lexsort((grades, codes, query))
    again = np.zeros(codes.size, dtype=np.bool_)
    same = np.ones(max(codes.size - 1, 0), dtype=np.bool_)
    for column in (query, codes, grades):
        same &= column[order][1:] == column[order][:-1]
    again[order[1:]] = same
    kept = ~again
    ends = np.concatenate(([0], np.cumsum(np.bincount(query[kept], minlength=starts.size - 1))))
    judged = Lists(ends, codes[kept])
    return replace(block, judged=judged, grades=grades[kept], repeated=int(again.sum()))


def _ranked(file: CodedFile, codes: Codes) -> dict[str, list[str]]:
    """The documents of some queries in rank order."""
    sign = 1 if file.columns.meaning == "rank" else -1
    # Ties by document id descending: sort by that first, since sorting keeps what is alike.
    return {
        query: [
            doc
            for doc, _ in sorted(
                sorted(rows, key=lambda row: row[0], reverse=True), key=lambda row: sign * row[1]
            )
        ]
        for query, rows in _rows_of(file, codes).items()
    }


def _rows_of(file: CodedFile, codes: Codes) -> dict[str, list[tuple[str, float]]]:
    """Documents and values of some queries, from just the pieces that hold them."""
    seen, piece_of = file.seen
    pieces = set(piece_of[np.isin(seen, codes)].tolist())
    found: dict[str, list[tuple[str, float]]] = {}
    for number, read in enumerate(read_pieces(file.source, file.columns)):
        if number not in pieces:
            continue
        for piece in read():
            wanted = np.isin(codes_of(piece.query.dictionary), codes)
            rows = np.flatnonzero(wanted[as_numpy(piece.query.indices)])
            place = as_arrow(rows)
            for query, doc, value in zip(
                piece.query.take(place).to_pylist(),
                piece.doc.take(place).to_pylist(),
                piece.value[rows].tolist(),
                strict=True,
            ):
                found.setdefault(query, []).append((doc, value))
    return found
