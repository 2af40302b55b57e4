"""A file whose queries lie scattered, written anew so that each query's rows stand together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from gates.comparison.files.arrow import as_arrow, as_numpy
from gates.comparison.files.coded import codes_of
from gates.comparison.files.columns import Columns, Piece, read_pieces
from gates.comparison.files.formats import open_source
from gates.comparison.files.source import Source

__all__ = ["regrouped"]

_PART_BYTES = 1 << 26  # of a part on disk: what is sorted at a time


def regrouped(source: Source, columns: Columns, folder: Path) -> Source:
    """Rewrite a file by query: first spread over parts by query, then each part sorted.

    Args:
        source: The file.
        columns: What to keep of it.
        folder: Made; holds the rewritten file, and for a while its parts.

    Raises:
        RankingError: A row is wrong.
    """
    folder.mkdir(parents=True)
    parts = 1 << max(0, (source.bytes // _PART_BYTES).bit_length())
    schema = pa.schema(
        [(columns.query, pa.string()), (columns.doc, pa.string()), (columns.value, pa.float64())]
    )
    paths = [folder / f"part-{number:05}.arrows" for number in range(parts)]
    writers = [pyarrow.ipc.new_stream(str(path), schema) for path in paths]
    try:
        for read in read_pieces(source, columns):
            for piece in read():
                for number, batch in _spread(piece, parts, schema):
                    writers[number].write_batch(batch)
    finally:
        for writer in writers:
            writer.close()
    for path in paths:
        with pyarrow.ipc.open_stream(str(path)) as reader:
            table = reader.read_all()
        path.unlink()
        if table.num_rows:
            code = codes_of(pa.concat_arrays(table[columns.query].chunks))
            order = as_arrow(np.argsort(code, kind="stable"))
            pyarrow.parquet.write_table(
                table.take(order), path.with_suffix(".parquet"), compression="none"
            )
    whole = open_source(folder, "run")
    return Source(source.path, whole.names, whole.rows, whole.bytes, whole.pieces)


def _spread(piece: Piece, parts: int, schema: pa.Schema) -> Iterator[tuple[int, pa.RecordBatch]]:
    """A piece's rows by the part their query belongs to."""
    text = piece.query.dictionary
    part_of = (codes_of(text) % np.uint64(parts)).astype(np.int64)
    part = part_of[as_numpy(piece.query.indices)]
    order = np.argsort(part, kind="stable")
    batch = pa.RecordBatch.from_arrays(
        [
            piece.query.dictionary_decode().cast(pa.string()),
            piece.doc.cast(pa.string()),
            as_arrow(piece.value),
        ],
        schema=schema,
    ).take(as_arrow(order))
    ends = np.cumsum(np.bincount(part, minlength=parts))
    for number, (end, count) in enumerate(zip(ends, np.diff(ends, prepend=0), strict=True)):
        if count:
            yield number, batch.slice(int(end - count), int(count))
