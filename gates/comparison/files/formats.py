"""Which format a file has; `_parquet.py` and `_text.py` read them."""

from __future__ import annotations

from pathlib import Path

from gates.comparison.files._parquet import parquet_source, parts_of
from gates.comparison.files._text import (
    TREC,
    csv_source,
    is_headerless_trec,
    jsonl_source,
    trec_source,
)
from gates.comparison.files.source import Kind, Source
from gates.errors import RankingError

__all__ = ["open_source"]

_SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".trec": "trec",
    ".run": "trec",
    ".qrels": "trec",
    ".qrel": "trec",
    ".txt": "trec",
}


def open_source(path: Path, kind: Kind) -> Source:
    """Look at a file's first bytes, and say how to read the rest.

    Args:
        path: A file whose name tells its format, or a folder of Parquet files.
        kind: What it should hold; a TREC file has no header to tell.

    Raises:
        RankingError: It is missing, of unknown format, empty or unreadable.
    """
    if path.is_dir():
        return parquet_source(path, parts_of(path))
    if not path.exists():
        raise RankingError("there is no such file", path=path, advice="check the path")
    suffixes = [one for one in path.suffixes[-2:] if one != ".gz"]
    form = _SUFFIXES.get(suffixes[-1].lower() if suffixes else "")
    if form == "parquet":
        return parquet_source(path, [path])
    if form == "csv" and ".tsv" in suffixes and is_headerless_trec(path, kind):
        form = "trec"
    if form == "csv":
        return csv_source(path)
    if form == "jsonl":
        return jsonl_source(path)
    if form == "trec" and kind in TREC:
        return trec_source(path, kind)
    raise RankingError(
        "its name does not tell a format that can be read here",
        path=path,
        advice="name it .parquet, .csv, .tsv, .jsonl, or .trec, .run, .qrels, .txt for TREC files; "
        "text files may end in .gz",
    )
