"""A CSV file that people keep and commands add to: what is not changed stays to the byte."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates.errors import GoldenError

__all__ = ["Sheet", "difference", "read_sheet"]


@dataclass(slots=True)
class Sheet:
    """The rows of a file: cells for what is rewritten, raw text for what is not.

    Attributes:
        names: The columns.
        rows: The cells of each row.
        raw: Each row as it stands in the file.
        end: The file's line end.
    """

    names: list[str]
    rows: list[list[str]]
    raw: list[str]
    end: str

    def cell(self, row: int, name: str) -> str:
        """A cell; empty where there is no such column.

        Args:
            row: The row, from 0.
            name: The column.
        """
        return self.rows[row][self.names.index(name)] if name in self.names else ""

    def widen(self, columns: Mapping[str, str]) -> None:
        """Add the columns that the file has not.

        Args:
            columns: Name → what the rows that are there get.
        """
        for name, value in columns.items():
            if name not in self.names:
                self.names.append(name)
                for cells in self.rows:
                    cells.append(value)
                self.raw = [f"{line},{value}" for line in self.raw]

    def line(self, cells: Sequence[str]) -> str:
        """A row as text, without its end."""
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(cells)
        return text.getvalue()

    def row(self, cells: Mapping[str, str]) -> str:
        """A row as text; columns without a cell are left empty.

        Args:
            cells: Column → cell.
        """
        return self.line([cells.get(name, "") for name in self.names])

    def text(self, lines: Sequence[str]) -> str:
        """The file with these rows.

        Args:
            lines: The rows as text.
        """
        return "".join(f"{line}{self.end}" for line in (self.line(self.names), *lines))


def read_sheet(path: Path, text: str, rows: int, columns: Sequence[str]) -> Sheet:
    """Take a file apart into rows that can be kept as they are.

    Args:
        path: The file, for the error.
        text: Its text; empty when there is none yet.
        rows: How many rows it holds.
        columns: The columns of a new file.

    Raises:
        GoldenError: Its line ends are mixed.
    """
    if not text:
        return Sheet(list(columns), [], [], "\n")
    end = "\r\n" if "\r\n" in text else "\n"
    head, *lines = (line for line in text.split(end) if line)
    try:
        cells = [next(csv.reader([line]), []) for line in (head, *lines)]
    except csv.Error:
        cells = []
    if len(cells) != rows + 1 or any(len(one) != len(cells[0]) for one in cells):
        raise GoldenError(
            "its line ends are mixed, or a cell has a line break, so rows cannot be kept as "
            "they are",
            path=path,
            advice="Save it with one kind of line end, and each row in one line.",
        )
    return Sheet(cells[0], cells[1:], lines, end)


def difference(path: Path, before: str, after: str) -> str:
    """Before and after as a unified diff; empty when nothing changes.

    Args:
        before: Its text as it is.
        after: Its text as it would be.
    """
    name = path.name
    found = difflib.unified_diff(
        before.splitlines(), after.splitlines(), name, name, lineterm="", n=1
    )
    return "".join(f"{line}\n" for line in found)
