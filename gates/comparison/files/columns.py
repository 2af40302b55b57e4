"""Which column of a file is what, and what its cells may hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.comparison.files.arrow import joined, numbers
from gates.comparison.files.source import Reader, Source
from gates.errors import RankingError

if TYPE_CHECKING:
    from gates.domain.golden_set import Bools, Floats

__all__ = [
    "Columns",
    "Piece",
    "examples",
    "examples_of_twice",
    "judgment_columns",
    "known_column",
    "read_pieces",
    "run_columns",
]

Value = Literal["score", "rank", "grade"]

_NAMES: Mapping[str, tuple[str, ...]] = {
    "query_id": ("query_id", "qid", "query", "queryid", "topic", "query-id"),
    "doc_id": (
        *("doc_id", "docid", "docno", "document_id", "product_id", "item_id"),
        *("corpus-id", "corpus_id"),  # as BEIR and MTEB have it
    ),
    "rank": ("rank", "position"),
    "score": ("score",),
    "grade": ("grade", "relevance", "rel", "label", "rating", "score"),
}
_EXAMPLES = 3
_ROWS = 1 << 32  # of a piece at the most: rows are numbered through all pieces of a file


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file that are read.

    Attributes:
        query: The column of query ids.
        doc: The column of document ids.
        value: The column that orders or grades the documents.
        meaning: What the value is.
        counted: Whether the value is no column, but the number of the row.
    """

    query: str
    doc: str
    value: str
    meaning: Value
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a file, checked.

    Attributes:
        source: The file.
        number: Which piece of it this is, from 0.
        query: Arrow dictionary of strings [rows].
        doc: Arrow strings [rows].
        value: float64[rows], finite but for infinite scores.
    """

    source: Source
    number: int
    query: pa.DictionaryArray
    doc: pa.Array
    value: Floats


Reading = Callable[[], Iterator[Piece]]
"""Reads one piece of a file, some rows at a time."""


def judgment_columns(source: Source) -> Columns:
    """The columns of judgments, by their usual names.

    Raises:
        RankingError: One is missing; the error lists the names that would do.
    """
    query, doc = _column(source, "query_id"), _column(source, "doc_id")
    return Columns(query, doc, _column(source, "grade"), "grade")


def run_columns(source: Source, order: Literal["rank", "score", "rows"]) -> Columns:
    """The columns of a ranking that is ordered by its ranks, its scores, or as its rows stand.

    Raises:
        RankingError: One is missing; the error lists the names that would do.
    """
    query, doc = _column(source, "query_id"), _column(source, "doc_id")
    if order == "rows":
        return Columns(query, doc, "row", "rank", counted=True)
    if order == "rank":
        return Columns(query, doc, _column(source, "rank"), "rank")
    return Columns(query, doc, _column(source, "score", also="rank"), "score")


def known_column(source: Source, what: str) -> str | None:
    """The column that holds query ids, documents, ranks, scores or grades; None without one."""
    lowered = {name.lower(): name for name in source.names}
    return next((lowered[name] for name in _NAMES[what] if name in lowered), None)


def _column(source: Source, what: str, *, also: str = "") -> str:
    found = known_column(source, what)
    if found is None:
        wanted = (*_NAMES[what], *(_NAMES[also] if also else ()))
        near = [n for name in source.names for n in get_close_matches(name.lower(), wanted, n=1)]
        hint = f"; one looks like `{near[0]}`" if near else ""
        raise RankingError(
            f"there is no column `{what}`{f' or `{also}`' if also else ''}: "
            f"the file has {', '.join(source.names)}{hint}",
            path=source.path,
            line=1 if source.lines_before else None,
            advice=f"name the column one of {', '.join(wanted)}",
        )
    return found


def read_pieces(source: Source, columns: Columns) -> Iterator[Reading]:
    """Readers of the file's pieces, which may be called side by side.

    Raises:
        RankingError: From a reader: an empty id, or a value that is not a number.
    """
    wanted = (columns.query, columns.doc, *(() if columns.counted else (columns.value,)))
    for number, read in enumerate(source.pieces(wanted)):
        yield partial(_checked, source, columns, number, read)


def _checked(source: Source, columns: Columns, number: int, read: Reader) -> Iterator[Piece]:
    row = number * _ROWS
    for table in read():
        query = _text(source, columns.query, table[columns.query])
        doc = _text(source, columns.doc, table[columns.doc])
        if not pa.types.is_dictionary(query.type):
            query = pc.dictionary_encode(query)
        if pa.types.is_dictionary(doc.type):
            doc = doc.dictionary_decode()
        if columns.counted:
            value = np.arange(row, row + table.num_rows, dtype=np.float64)
            row += table.num_rows
        else:
            value = _numbers(source, columns.value, table[columns.value].combine_chunks())
        if columns.meaning == "grade":
            # What is worse than irrelevant (spam, in TREC's web tracks) gains no less than nothing.
            value = np.where(np.isfinite(value) & (value < 0), 0.0, value)
        piece = Piece(source, number, query, doc, value)
        _check_value(piece, columns)
        yield piece


def _check_value(piece: Piece, columns: Columns) -> None:
    value, meaning = piece.value, columns.meaning
    wrong = np.isnan(value) if meaning == "score" else ~np.isfinite(value)
    if wrong.any():
        words = {"score": "NaN or empty", "rank": "not a number", "grade": "not a number"}
        raise RankingError(
            f"`{columns.value}` is {words[meaning]} in {int(wrong.sum()):,} or more rows: "
            f"{examples(piece.query, piece.doc, wrong)}",
            path=piece.source.path,
            advice=f"give every row a {meaning}, or leave the row out",
        )


def examples(query: pa.Array, doc: pa.Array, wrong: Bools) -> str:
    """The first few of some rows, in words.

    Args:
        query: Arrow strings or dictionary [rows].
        doc: Arrow strings [rows].
        wrong: bool[rows].
    """
    rows = np.flatnonzero(wrong)
    named = [
        f"query {query[row].as_py()!r}, document {doc[row].as_py()!r}"
        for row in rows[:_EXAMPLES].tolist()
    ]
    return "; ".join(named) + ("; …" if rows.size > _EXAMPLES else "")


def examples_of_twice(source: Source, columns: Columns, query: str) -> str:
    """The documents that stand more than once in a query, in words; reads the file again."""
    seen: Counter[str] = Counter()
    for read in read_pieces(source, columns):
        for piece in read():
            mine = pc.equal(piece.query.dictionary_decode(), query)
            seen.update(piece.doc.filter(mine).to_pylist())
    named = [f"document {doc!r} {count} times" for doc, count in seen.items() if count > 1]
    return ", ".join(named[:_EXAMPLES]) + (", …" if len(named) > _EXAMPLES else "")


def _text(source: Source, name: str, column: pa.ChunkedArray) -> pa.Array:
    """A column of ids as text, a dictionary of text where it is one on disk."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(kind):
        column = pc.cast(column, pa.string())
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise RankingError(
            f"`{name}` holds {kind}: an id is text or a whole number",
            path=source.path,
            advice="write ids as text",
        )
    if pa.types.is_dictionary(column.type) and column.num_chunks > 1:
        column = column.unify_dictionaries()
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no chunk at all
        array = joined([])
    if array.null_count or pc.min(pc.binary_length(_values(array))).as_py() == 0:
        raise RankingError(
            f"`{name}` is empty in some rows", path=source.path, advice="give every row an id"
        )
    return array


def _values(array: pa.Array) -> pa.Array:
    return array.dictionary if pa.types.is_dictionary(array.type) else array


def _numbers(source: Source, name: str, column: pa.Array) -> Floats:
    """A column as float64, NaN where a cell is empty."""
    try:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            trimmed = pc.utf8_trim_whitespace(column)
            filled = pc.cast(pc.binary_length(trimmed), pa.bool_())
            column = pc.if_else(filled, trimmed, pa.nulls(len(trimmed), trimmed.type))
        cast = pc.cast(column, pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        raise RankingError(
            f"`{name}` holds something that is not a number: {problem}",
            path=source.path,
            advice="write a number with a point",
        ) from None
    values: Floats = numbers(cast)
    return values
