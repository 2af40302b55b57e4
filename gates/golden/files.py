"""Reading one file of a golden set: text, CSV or Parquet, with errors that name the line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from gates.errors import GoldenError
from gates.system.files import read_bounded
from gates.system.interruption import keep_from_arrow
from gates.system.table import FileTable, csv_header, filled_lines

__all__ = ["read_csv", "read_parquet", "read_text"]

_MOST_BYTES = 1 << 30

keep_from_arrow()


def read_text(path: Path) -> str:
    """The text of a file of a golden set, without a byte order mark.

    Raises:
        GoldenError: It is missing, cannot be read, or is not UTF-8.
    """
    try:
        data = read_bounded(path, _MOST_BYTES)
    except FileNotFoundError:
        raise GoldenError(
            "the golden set lacks this file", path=path, advice=f"Add {path.name} to the folder."
        ) from None
    except OSError as error:
        raise GoldenError(f"it cannot be read ({error.strerror})", path=path) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GoldenError(
            f"it is not UTF-8 text: byte 0x{data[error.start]:02x}",
            path=path,
            line=data.count(b"\n", 0, error.start) + 1,
            advice="Save it as UTF-8.",
        ) from error


def _keep_first(found: list[pa.csv.InvalidRow]) -> Callable[[pa.csv.InvalidRow], str]:
    def handler(row: pa.csv.InvalidRow) -> str:
        found.append(row)
        return "skip"

    return handler


def read_csv(path: Path) -> FileTable:
    """Read a CSV file with every cell as text: ids keep their leading zeros.

    Args:
        path: The file; UTF-8, comma, a header in line 1.

    Raises:
        GoldenError: It is missing, not UTF-8, has no header, or a row of another length.
    """
    text = read_text(path)
    names = csv_header(text.partition("\n")[0].rstrip("\r"), path, GoldenError)
    data = text.encode()
    ragged: list[pa.csv.InvalidRow] = []
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(invalid_row_handler=_keep_first(ragged)),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise GoldenError(
            f"it is not a CSV table: {error}", path=path, advice="Write it with a CSV writer."
        ) from error
    if ragged:
        row = ragged[0]
        raise GoldenError(
            f"{len(ragged)} row(s) have not {row.expected_columns} cells: "
            f"the first has {row.actual_columns}",
            path=path,
            line=filled_lines(data)[row.number - 1] if row.number else None,
            advice="Put quotes around a cell that holds a comma.",
        )
    return FileTable(path, _combined(table), table.num_rows, is_csv=True)


def read_parquet(path: Path) -> FileTable:
    """Read a Parquet file.

    Raises:
        GoldenError: It is not a Parquet file.
    """
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise GoldenError(
            f"it cannot be read as Parquet: {error}", path=path, advice="Write it anew."
        ) from error
    return FileTable(path, _combined(table), table.num_rows, is_csv=False)


def _combined(table: pa.Table) -> dict[str, Any]:
    return {name: table[name].combine_chunks() for name in table.column_names}
