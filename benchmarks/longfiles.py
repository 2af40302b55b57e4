"""Three long Parquet files as teams have them: two rankings and judgments, with ids of text.

Each file holds its queries in an order of its own, and the rows of a query together in no order.
Nine of ten documents stand in both rankings, nineteen of twenty are judged.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

__all__ = ["write_files", "write_queries"]

_AT_ONCE = 100_000  # queries held in memory


def write_files(folder: Path, queries: int, documents: int, *, seed: int = 7) -> None:
    """Write `old.parquet`, `new.parquet` and `judgments.parquet`.

    Args:
        folder: Where to; made.
        queries: How many queries.
        documents: How many documents each query has in each file.
        seed: The same seed writes the same files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, skipped in (("old", 0), ("new", documents // 10), ("judgments", documents // 20)):
        rng = np.random.default_rng((seed, queries, skipped))
        order = rng.permutation(queries)
        with _writer(folder / f"{name}.parquet", name) as writer:
            for first in range(0, queries, _AT_ONCE):
                writer.write_table(
                    _rows(name, order[first : first + _AT_ONCE], documents, skipped, rng, seed)
                )


def write_queries(path: Path, queries: int) -> None:
    """Write weights and twenty slices (a column of twenty values) of the same queries."""
    rng = np.random.default_rng(queries)
    table = {
        "query_id": _ids("q", np.arange(queries), 7),
        "weight": rng.lognormal(0, 1, queries),
        "sampling": pa.array(["pps"] * queries),
        "inclusion_probability": np.ones(queries),
        "category": pa.array([f"category {n}" for n in rng.integers(0, 20, queries).tolist()]),
    }
    table["inclusion_probability"] = table["weight"] / table["weight"].max()
    pyarrow.parquet.write_table(pa.table(table), path)


def _writer(path: Path, name: str) -> pyarrow.parquet.ParquetWriter:
    value = ("grade", pa.int64()) if name == "judgments" else ("score", pa.float64())
    schema = pa.schema([("query_id", pa.string()), ("doc_id", pa.string()), value])
    return pyarrow.parquet.ParquetWriter(path, schema)


def _rows(
    name: str, query: np.ndarray, documents: int, skipped: int, rng: np.random.Generator, seed: int
) -> pa.Table:
    pool = documents + documents // 10
    shape = (query.size, pool)
    # A document's number and quality follow from its query and place: the same in all three files.
    place = np.arange(pool, dtype=np.uint64)
    noise = _hashed(query.astype(np.uint64)[:, None] * np.uint64(100_003) + place, seed)
    number = (_hashed(query.astype(np.uint64), seed + 1) % np.uint64(3_000_000))[:, None]
    step = np.cumsum(noise % np.uint64(39) + np.uint64(1), axis=1)
    quality = (noise >> np.uint64(11)).astype(np.float64) / 2**53
    chosen = rng.permuted(
        np.broadcast_to(np.arange(skipped, skipped + documents), (shape[0], documents)), axis=1
    )
    docs = np.take_along_axis((number + step).astype(np.int64), chosen, 1).ravel()
    quality = np.take_along_axis(quality, chosen, 1).ravel()
    if name == "judgments":
        value: object = np.minimum((quality * 4).astype(np.int64), 3)
    else:
        value = quality + rng.normal(0, 0.5 if name == "old" else 0.47, quality.size)
    columns = [_ids("q", np.repeat(query, documents), 7), _ids("B0", docs, 8), pa.array(value)]
    names = ["query_id", "doc_id", "grade" if name == "judgments" else "score"]
    return pa.Table.from_arrays(columns, names)


def _hashed(value: np.ndarray, salt: int) -> np.ndarray:
    value = value * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    spread: np.ndarray = value ^ (value >> np.uint64(31))
    return spread


def _ids(prefix: str, number: np.ndarray, digits: int) -> pa.StringArray:
    """Texts of one length, without making a Python object of any."""
    letters = np.empty((number.size, len(prefix) + digits), np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode(), np.uint8)
    rest = number.copy()
    for place in range(letters.shape[1] - 1, len(prefix) - 1, -1):
        letters[:, place] = ord("0") + rest % 10
        rest //= 10
    offsets = np.arange(number.size + 1, dtype=np.int32) * letters.shape[1]
    return pa.StringArray.from_buffers(
        number.size, pa.py_buffer(offsets), pa.py_buffer(letters.tobytes())
    )


if __name__ == "__main__":
    target, queries_wanted, documents_wanted = sys.argv[1:]
    write_files(Path(target), int(queries_wanted), int(documents_wanted))
    write_queries(Path(target) / "queries.parquet", int(queries_wanted))
