"""CSV, JSON lines and TREC files as a stream of tables, some megabytes of text at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from gates.comparison.files.source import Kind, Reader, Source
from gates.errors import RankingError
from gates.system.interruption import keep_from_arrow
from gates.system.json_files import json_value
from gates.system.table import csv_header

__all__ = ["TREC", "csv_source", "is_headerless_trec", "jsonl_source", "trec_source"]

keep_from_arrow()

TREC: Mapping[Kind, tuple[str, ...]] = {
    "run": ("query_id", "q0", "doc_id", "rank", "score", "tag"),
    "judgments": ("query_id", "iteration", "doc_id", "grade"),
}
"""Kinds of TREC files → their fields."""

_TEXT_BYTES = 1 << 23


def csv_source(path: Path) -> Source:
    """A table with a header, its cells as text.

    Raises:
        RankingError: It has no usable header.
    """
    delimiter = "\t" if ".tsv" in path.suffixes else ","
    names = csv_header(_first_line(path), path, RankingError, delimiter=delimiter)

    def pieces(columns: Sequence[str]) -> Iterator[Reader]:
        ragged: list[Any] = []

        def keep(row: Any) -> str:  # noqa: ANN401 - pyarrow names no type
            ragged.append(row)
            return "skip"

        try:
            with _opened(path) as stream:
                reader = pyarrow.csv.open_csv(
                    stream,
                    read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=_TEXT_BYTES),
                    parse_options=pyarrow.csv.ParseOptions(
                        delimiter=delimiter, invalid_row_handler=keep
                    ),
                    convert_options=pyarrow.csv.ConvertOptions(
                        column_types=dict.fromkeys(names, pa.string()),
                        include_columns=list(columns),
                        strings_can_be_null=False,
                    ),
                )
                for batch in reader:
                    if ragged:
                        break
                    yield partial(_itself, pa.Table.from_batches([batch]))
        except (OSError, EOFError, pa.ArrowInvalid) as problem:
            raise _not_a_table(path, problem) from problem
        if ragged:
            row = ragged[0]
            raise RankingError(
                f"{len(ragged)} row(s) have not {row.expected_columns} cells: "
                f"the first has {row.actual_columns}: {str(row.text)[:80]!r}",
                path=path,
                line=row.number,
                advice="put quotes around a cell that holds the delimiter",
            )

    return Source(path, tuple(names), None, path.stat().st_size, pieces, lines_before=1)


def jsonl_source(path: Path) -> Source:
    """JSON objects, one a line.

    Raises:
        RankingError: The first line is none.
    """
    line = _first_line(path)
    try:
        first = json_value(line)
    except ValueError:
        first = None
    if not isinstance(first, dict):
        raise RankingError(
            "line 1 is not a JSON object", path=path, line=1, advice="write one object a line"
        )

    def pieces(columns: Sequence[str]) -> Iterator[Reader]:
        lines = 0
        for block in _blocks(path):
            lines += block.count(b"\n")
            yield partial(_json_block, path, block, lines, columns)

    return Source(path, tuple(map(str, first)), None, path.stat().st_size, pieces, lines_before=0)


def _itself(table: pa.Table) -> tuple[pa.Table]:
    return (table,)


def _json_block(path: Path, block: bytes, last: int, columns: Sequence[str]) -> tuple[pa.Table]:
    from pyarrow import json

    try:
        table = json.read_json(
            pa.BufferReader(block),
            read_options=json.ReadOptions(use_threads=False, block_size=max(len(block), 1)),
        )
        return (table.select(list(columns)),)
    except (pa.ArrowInvalid, KeyError) as problem:
        raise RankingError(
            f"the lines up to {last} are not JSON objects of one form: {problem}",
            path=path,
            advice="write one object a line, each with the same keys",
        ) from problem


def trec_source(path: Path, kind: Kind) -> Source:
    """The fields of a TREC file, as text.

    Args:
        kind: One of `TREC`, since the file has no header to tell.

    Raises:
        RankingError: Its first line has another number of fields.
    """
    names = TREC[kind]
    head = _first_line(path).split()
    if len(head) != len(names):
        raise _fields(path, kind, 1, len(head), "for a table with a header, name it .csv or .tsv")

    def pieces(columns: Sequence[str]) -> Iterator[Reader]:
        lines = 0
        for block in _blocks(path):
            yield partial(_trec_block, path, block, lines, kind, columns)
            lines += block.count(b"\n")

    return Source(path, names, None, path.stat().st_size, pieces, lines_before=0)


def _trec_block(
    path: Path, block: bytes, before: int, kind: Kind, columns: Sequence[str]
) -> tuple[pa.Table]:
    names = TREC[kind]
    even = re.sub(rb"[ \t\r]+", b"\t", block)
    even = re.sub(rb"\t*\n\t*", b"\n", even).strip(b"\t")
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(even),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=list(names), block_size=max(len(even), 1)
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=list(columns),
                strings_can_be_null=False,
            ),
        )
        return (table,)
    except pa.ArrowInvalid as problem:
        for line, text in enumerate(block.split(b"\n"), before + 1):
            if (count := len(text.split())) not in (0, len(names)):
                raise _fields(path, kind, line, count, "give every line all of them") from problem
        raise RankingError(
            f"after line {before}: {problem}",
            path=path,
            advice=f"give every line {len(names)} fields: {' '.join(names)}",
        ) from problem


def is_headerless_trec(path: Path, kind: Kind) -> bool:
    """Whether a table's first line is one of a TREC file, such as MS MARCO's `qrels.dev.tsv`."""
    head, names = _first_line(path).split("\t"), TREC.get(kind, ())
    numeric = {"rank", "score", "grade"}
    return len(head) == len(names) and all(
        _is_number(cell) for cell, name in zip(head, names, strict=True) if name in numeric
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _fields(path: Path, kind: Kind, line: int, count: int, advice: str) -> RankingError:
    names = TREC[kind]
    if kind == "run" and count > len(names):
        advice = f"write the tag without blanks, or {advice}"
    return RankingError(
        f"line {line} has {count} fields; a TREC {kind} file has {len(names)}: {' '.join(names)}",
        path=path,
        line=line,
        advice=advice,
    )


def _opened(path: Path) -> pa.NativeFile:
    try:
        return pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None)
    except OSError as problem:
        raise RankingError(f"it cannot be read: {problem}", path=path) from problem


def _first_line(path: Path) -> str:
    try:
        with _opened(path) as stream:
            head: bytes = stream.read(1 << 16)
    except (OSError, EOFError) as problem:
        raise _not_a_table(path, problem) from problem
    line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].rstrip(b"\r")
    if not line.strip():
        raise RankingError("the file is empty", path=path, advice="name a file with rows in it")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise RankingError(
            "it is not UTF-8 text", path=path, line=1, advice="save it as UTF-8"
        ) from None


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time."""
    rest = b""
    try:
        with _opened(path) as stream:
            while chunk := stream.read(_TEXT_BYTES):
                whole, newline, rest_after = (rest + chunk).rpartition(b"\n")
                rest = rest_after
                if newline:
                    yield whole + newline
    except (OSError, EOFError) as problem:
        raise _not_a_table(path, problem) from problem
    if rest.strip():
        yield rest + b"\n"


def _not_a_table(path: Path, problem: Exception) -> RankingError:
    return RankingError(
        f"it is not a table of the kind its name tells: {problem}",
        path=path,
        advice="write it with a CSV writer, or name it by its format",
    )
