"""The rows of one file, as columns whose errors name lines."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.errors import GoldenError, InputError
from gates.system.arrow_numbers import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["FileTable", "csv_header", "filled_lines", "is_number"]

_EXAMPLES = 3


def csv_header(
    line: str, path: Path, error: type[InputError], *, delimiter: str = ","
) -> list[str]:
    """The names of the columns in a file's first line, each there once.

    Raises:
        InputError: There are none, or one stands there twice; of the class `error`.
    """
    names = next(csv.reader([line], delimiter=delimiter), [])
    if not any(names):
        raise error("the file has no header", path=path, advice="name the columns in line 1")
    for name in names:
        if names.count(name) > 1:
            raise error(
                f"the column `{name}` stands there twice",
                path=path,
                line=1,
                advice="give each column a name of its own",
            )
    return names


@dataclass(frozen=True)
class FileTable:
    """The columns of one file.

    Attributes:
        columns: Name → values (Arrow arrays of one length, strings in a CSV file).
        rows: How many rows there are.
        is_csv: True when a row has a line that an error can name.
    """

    path: Path
    columns: Mapping[str, Any]
    rows: int
    is_csv: bool

    def lines(self, rows: Sequence[int]) -> list[int | None]:
        """The lines (1-based) of some rows, not counting on there being no empty lines."""
        if not self.is_csv:
            return [None] * len(rows)
        filled = filled_lines(self.path.read_bytes())
        return [filled[row + 1] if row + 1 < len(filled) else None for row in rows]

    def need(self, *names: str) -> None:
        """Demand that columns are there.

        Raises:
            GoldenError: One is missing.
        """
        for name in names:
            if name not in self.columns:
                near = get_close_matches(name, self.columns, n=1)
                raise GoldenError(
                    f"the column `{name}` is missing",
                    path=self.path,
                    line=1 if self.is_csv else None,
                    advice=f"Is it `{near[0]}`? Rename it." if near else _listing(self.columns),
                )

    def text(self, name: str) -> pa.Array:
        """A column as an Arrow string array without nulls (empty cells are empty strings)."""
        return pc.fill_null(pc.cast(self.columns[name], pa.string()), "")

    def numbers(self, name: str) -> Floats:
        """A column as float64, NaN where a cell is empty.

        Raises:
            GoldenError: A cell is not a number.
        """
        values = self.columns[name]
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            trimmed = pc.utf8_trim_whitespace(values)
            values = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
        try:
            cast = pc.cast(values, pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            wrong = np.fromiter((not is_number(v) for v in values.to_pylist()), bool, self.rows)
            raise self.defect(
                f"`{name}` holds text that is not a number",
                wrong,
                show=(name,),
                advice="Write a number with a point, or leave the cell empty.",
            ) from None
        return np.asarray(cast.to_numpy(zero_copy_only=False), dtype=np.float64)

    def index(self, name: str, known: pa.Array, *, what: str, advice: str) -> Ints:
        """The position of each value of an id column in a list of known ids, int64[rows].

        Args:
            name: The id column.
            known: Arrow string array of known ids, unique.
            what: The error's sentence when some are unknown.
            advice: What to do about it.

        Raises:
            GoldenError: Some ids are unknown.
        """
        found = pc.index_in(self.text(name), value_set=known)
        if found.null_count:
            unknown = np.asarray(pc.is_null(found).to_numpy(zero_copy_only=False), dtype=bool)
            raise self.defect(what, unknown, show=(name,), advice=advice)
        return np.asarray(as_numpy(found), dtype=np.int64)

    def filled(self, name: str, *, advice: str) -> None:
        """Demand that no cell of a column is blank.

        Raises:
            GoldenError: Some are.
        """
        blank = pc.equal(pc.utf8_trim_whitespace(self.text(name)), "")
        if pc.any(blank).as_py():
            wrong = np.asarray(blank.to_numpy(zero_copy_only=False), dtype=bool)
            raise self.defect(f"`{name}` is blank", wrong, advice=advice)

    def unique(self, keys: Ints, *, show: tuple[str, ...], advice: str) -> None:
        """Demand that no two rows share a key.

        Args:
            keys: int64[rows].
            show: The columns the key stands for.
            advice: What to do about it.

        Raises:
            GoldenError: Some do.
        """
        order = np.argsort(keys, kind="stable")
        again = np.zeros(self.rows, dtype=bool)
        again[order[1:]] = np.diff(keys[order]) == 0
        if again.any():
            noun = (
                "duplicate (" + ", ".join(show) + ")" if len(show) > 1 else f"duplicate {show[0]}"
            )
            raise self.defect(noun, again, show=show, advice=advice)

    def defect(
        self, what: str, wrong: Bools, *, show: tuple[str, ...] = (), advice: str
    ) -> GoldenError:
        """An error about some rows: how many, and up to three examples with their lines.

        Args:
            what: What is wrong with them.
            wrong: bool[rows], the rows it is about.
            show: The columns whose values an example shows.
            advice: What to do about it.
        """
        rows = np.flatnonzero(wrong)
        first = rows[:_EXAMPLES].tolist()
        lines = self.lines(first)
        examples = []
        for row, line in zip(first, lines, strict=True):
            values = [repr(self.columns[name][row].as_py()) for name in show]
            shown = f"({', '.join(values)})" if len(values) > 1 else "".join(values)
            place = f"line {line}" if line else f"row {row + 1}"
            examples.append(f"{shown} ({place})" if shown else place)
        more = ", …" if len(rows) > _EXAMPLES else ""
        count = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
        return GoldenError(
            f"{what}: {count}, {', '.join(examples)}{more}",
            path=self.path,
            line=lines[0],
            advice=advice,
        )


def _listing(names: Mapping[str, Any]) -> str:
    return f"The file has: {', '.join(names)}."


def is_number(value: object) -> bool:
    """Whether a cell holds a number, or nothing."""
    try:
        float(value)  # type: ignore[arg-type]  # whatever a cell holds; TypeError says no
    except (TypeError, ValueError):
        return value is None or not str(value).strip()
    return True


def filled_lines(data: bytes) -> list[int]:
    """The numbers (1-based) of the lines that hold something: pyarrow leaves the others out."""
    return [number for number, line in enumerate(data.splitlines(), start=1) if line]
