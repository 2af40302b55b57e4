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
from gates.golden.pairs import codes
from gates.system.interruption import keep_from_arrow

if TYPE_CHECKING:
    from gates.domain.golden_set import Floats

__all__ = ["read_snapshot"]

keep_from_arrow()

_BYTES = 2 << 30
_CELLS = 50_000_000  # 400 MB as float64
_HEADER = 1 << 20
_QUERY = "query_id"
_SMALLER = "keep a random sample of its rows as the snapshot"


def read_snapshot(path: Path, columns: Sequence[str]) -> Snapshot:
    """Read those of some columns that a snapshot has, as numbers; nothing else of it is decoded.

    Args:
        path: A `.csv` file (UTF-8, comma, a header in line 1; empty cells are missing), or a
            `.parquet` file. A column `query_id` tells which rows belong together.
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
        parts: list[dict[str, Floats]] = []
        queries: list[pa.Array] = []
        for batch in _bounded(path, readers[path.suffix](path, columns)):
            parts.append(
                {
                    name: _numbers(batch.column(name))
                    for name in batch.schema.names
                    if name != _QUERY
                }
            )
            if _QUERY in batch.schema.names:
                queries.append(pc.cast(batch.column(_QUERY), pa.string()))
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    features = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    rows = len(next(iter(features.values()))) if features else 0
    query = codes(pa.chunked_array(queries).combine_chunks())[0] if queries and rows else None
    return Snapshot(path, f"sha256:{digest}", rows, features, query)


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
    kept = _kept(columns, names)
    yield _nothing(kept)
    if kept:
        types = {name: pa.string() if name == _QUERY else pa.float64() for name in kept}
        with pyarrow.csv.open_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(include_columns=kept, column_types=types),
        ) as reader:
            yield from reader


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with pyarrow.parquet.ParquetFile(path) as file:
        kept = _kept(columns, file.schema_arrow.names)
        yield _nothing(kept)
        if kept:
            yield from file.iter_batches(columns=kept)


def _kept(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    """What is read: the columns asked for, and the query if there is anything else."""
    kept = [name for name in columns if name in names]
    return [*kept, _QUERY] if kept and _QUERY in names and _QUERY not in kept else kept


def _nothing(kept: Sequence[str]) -> pa.RecordBatch:
    """A batch without rows, so that a file without rows has its columns."""
    return pa.RecordBatch.from_pydict(
        {n: pa.array([], pa.string() if n == _QUERY else pa.float64()) for n in kept}
    )


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
