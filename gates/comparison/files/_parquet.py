"""Parquet files as a stream of tables, a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from gates.comparison.files.source import Reader, Source
from gates.errors import RankingError

__all__ = ["parquet_source", "parts_of"]

_ROWS = 1 << 17  # rows decoded at a time: what is made of them stays in the caches
_MOST_ROWS = 1 << 22  # of a row group that is read whole


def parts_of(folder: Path) -> list[Path]:
    """The Parquet files of a folder, by name.

    Raises:
        RankingError: There are none.
    """
    parts = sorted(one for one in folder.rglob("*.parquet") if not one.name.startswith((".", "_")))
    if not parts:
        raise RankingError(
            "the folder holds no .parquet file", path=folder, advice="name the folder of the parts"
        )
    return parts


def parquet_source(path: Path, parts: Sequence[Path]) -> Source:
    """A table of one Parquet file, or of several with the same columns.

    Args:
        path: As it was named.
        parts: The files.

    Raises:
        RankingError: One cannot be read, or has other columns.
    """
    metadata, names = [], None
    for part in parts:
        with _unreadable(part), pyarrow.parquet.ParquetFile(part) as file:
            own = tuple(file.schema_arrow.names)
            metadata.append(file.metadata)
        names = names or own
        if own != names:
            raise RankingError(
                f"it has other columns than {parts[0].name}: {', '.join(own)}",
                path=part,
                advice="write all parts with the same columns",
            )

    def pieces(columns: Sequence[str]) -> Iterator[Reader]:
        for part, facts in zip(parts, metadata, strict=True):
            for group in range(facts.num_row_groups):
                yield partial(_row_group, part, group, columns)

    return Source(
        path,
        names or (),
        sum(one.num_rows for one in metadata),
        sum(part.stat().st_size for part in parts),
        pieces,
    )


def _row_group(path: Path, group: int, columns: Sequence[str]) -> Iterator[pa.Table]:
    """A row group, some rows at a time; ids that are a dictionary on disk stay one.

    It is read whole, since pyarrow's reader of batches would hold up all other threads.
    """
    with _unreadable(path), pyarrow.parquet.ParquetFile(path, read_dictionary=columns[:1]) as file:
        if file.metadata.row_group(group).num_rows > _MOST_ROWS:
            batches = file.iter_batches(_ROWS, row_groups=[group], columns=list(columns))
        else:
            whole = file.read_row_group(group, columns=list(columns), use_threads=False)
            batches = whole.to_batches(_ROWS)
        for batch in batches:
            yield pa.Table.from_batches([batch])


@contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowInvalid) as problem:
        raise RankingError(
            f"it cannot be read as Parquet: {problem}", path=path, advice="write it anew"
        ) from problem
