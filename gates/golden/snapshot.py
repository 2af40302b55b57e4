"""A training snapshot: the feature columns a model learnt from, read from a CSV or Parquet file."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from gates.domain.subject import Snapshot
from gates.errors import InputError
from gates.system.interruption import keep_from_arrow

if TYPE_CHECKING:
    from gates.domain.golden_set import Floats

__all__ = ["read_snapshot"]

keep_from_arrow()

_BYTES = 2 << 30
_CELLS = 50_000_000  # 400 MB as float64
_HEADER = 1 << 20
_SMALLER = "keep a random sample of its rows as the snapshot"


def read_snapshot(path: Path, columns: Sequence[str]) -> Snapshot:
    """Read those of some columns that a snapshot has, as numbers; nothing else of it is decoded.

    Args:
        path: A `.csv` file (UTF-8, comma, a header in line 1; empty cells are missing), or a
            `.parquet` file.
        columns: The columns asked for; those that the file lacks are left out.

    Raises:
        InputError: It is missing, of another format, larger than 2 GiB or 50 million cells, or
            holds something that is not a number.
    """
    if not path.is_file():
        raise InputError("there is no such training snapshot", path=path, advice="check the path")
    if path.stat().st_size > _BYTES:
        raise InputError(f"it is larger than {_BYTES >> 30} GiB", path=path, advice=_SMALLER)
    readers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix not in readers:
        raise InputError(
            "its name does not tell a format of training snapshots",
            path=path,
            advice="write it as .csv or .parquet",
        )
    with _unreadable(path):
        parts = [
            {name: _numbers(batch.column(name)) for name in batch.schema.names}
            for batch in _bounded(path, readers[path.suffix](path, columns))
        ]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    features = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    rows = len(next(iter(features.values()))) if features else 0
    return Snapshot(path, f"sha256:{digest}", rows, features)


def _csv(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader([file.readline(_HEADER)]), [])
    twice = next((name for name in columns if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"the column `{twice}` stands there twice",
            path=path,
            line=1,
            advice="give each column a name of its own",
        )
    kept = [name for name in columns if name in names]
    yield pa.RecordBatch.from_pydict({name: pa.array([], pa.float64()) for name in kept})
    if kept:
        with pyarrow.csv.open_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=kept, column_types=dict.fromkeys(kept, pa.float64())
            ),
        ) as reader:
            yield from reader


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with pyarrow.parquet.ParquetFile(path) as file:
        kept = [name for name in columns if name in file.schema_arrow.names]
        yield pa.RecordBatch.from_pydict({name: pa.array([], pa.float64()) for name in kept})
        if kept:
            yield from file.iter_batches(columns=kept)


def _bounded(path: Path, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    cells = 0
    for batch in batches:
        cells += batch.num_rows * batch.num_columns
        if cells > _CELLS:
            raise InputError(
                f"it holds more than {_CELLS:,} cells of features", path=path, advice=_SMALLER
            )
        yield batch


def _numbers(column: pa.Array) -> Floats:
    cast = pc.cast(column, pa.float64(), safe=False)
    return np.asarray(cast.to_numpy(zero_copy_only=False), dtype=np.float64)


@contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as problem:
        raise InputError(
            f"it cannot be read as a table of numbers: {str(problem).splitlines()[0]}",
            path=path,
            advice="write it anew with a CSV or Parquet writer; leave missing cells empty",
        ) from None
