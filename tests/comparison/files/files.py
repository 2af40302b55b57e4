"""Rankings and judgments as rows, and as files of every format."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from gates.comparison.files.aligned import Aligned
from gates.comparison.files.rows import FileRows
from gates.comparison.per_query import PerQuery, measure_queries
from gates.comparison.plan import ComparisonPlan
from gates.comparison.population import Population

Row = tuple[str, str, float]
FORMATS = ("parquet", "csv", "tsv", "jsonl", "trec", "csv.gz")


def measured_rows(plan: ComparisonPlan, aligned: Aligned) -> PerQuery:
    """The metrics of every query of three files, each counting alike."""
    rows = FileRows(aligned)
    everything = np.ones(rows.queries)
    nobody = np.zeros(rows.queries, np.bool_)
    population = Population(np.arange(rows.queries), everything, everything, nobody, {})
    return measure_queries(plan.measures, rows, population)


class Shop:
    """A small shop: rankings of products for queries, of many lengths, and judgments."""

    def __init__(self, queries: int = 40, *, seed: int = 1, longest: int = 30) -> None:
        rng = np.random.default_rng(seed)
        self.old: list[Row] = []
        self.new: list[Row] = []
        self.judgments: list[Row] = []
        for number in range(queries):
            query = f"q{number:04}"
            docs = [f"B{one:05}" for one in rng.choice(500, longest + 10, replace=False)]
            for rows, first in ((self.old, 0), (self.new, 5)):
                served = docs[first : first + int(rng.integers(1, longest))]
                scores = rng.integers(0, 40, len(served)) / 4  # many ties
                rows += [(query, doc, float(s)) for doc, s in zip(served, scores, strict=True)]
            judged = rng.permutation(docs)[: int(rng.integers(1, longest))]
            self.judgments += [(query, str(doc), float(rng.integers(0, 4))) for doc in judged]


def write(path: Path, rows: Sequence[Row], value: str) -> Path:
    """Rows as a file; the name tells the format. `value` is score, rank or grade."""
    names = ("query_id", "doc_id", value)
    text = path.name.removesuffix(".gz")
    content: str
    if text.endswith(".parquet"):
        kinds = (pa.string(), pa.string(), pa.float64())
        columns: dict[str, Any] = {
            name: pa.array([row[at] for row in rows], kind)
            for at, (name, kind) in enumerate(zip(names, kinds, strict=True))
        }
        pyarrow.parquet.write_table(pa.table(columns), path, row_group_size=97)
        return path
    if text.endswith((".csv", ".tsv")):
        mark = "\t" if text.endswith(".tsv") else ","
        content = "\n".join([mark.join(names), *(mark.join(map(str, row)) for row in rows)]) + "\n"
    elif text.endswith(".jsonl"):
        content = "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows)
    elif value == "grade":
        content = "".join(f"{q} 0  {doc} {grade:g}\n" for q, doc, grade in rows)
    else:
        # A file that holds just scores has no ranks to serve by; TREC's has, so they are made here.
        content = "".join(
            f"{q}\tQ0 {doc} {rank} {score} run\r\n" for q, doc, rank, score in _ranks(rows)
        )
    data = content.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def _ranks(rows: Sequence[Row]) -> list[tuple[str, str, int, float]]:
    found = []
    for query in dict.fromkeys(row[0] for row in rows):
        served = [(doc, score) for q, doc, score in rows if q == query]
        served.sort(reverse=True)
        served.sort(key=lambda one: -one[1])
        found += [(query, doc, rank, score) for rank, (doc, score) in enumerate(served, 1)]
    return found


def write_shop(folder: Path, shop: Shop, form: str = "parquet") -> tuple[Path, Path, Path]:
    """The three files of a shop in one format."""
    folder.mkdir(parents=True, exist_ok=True)
    return (
        write(folder / f"old.{form}", shop.old, "score"),
        write(folder / f"new.{form}", shop.new, "score"),
        write(folder / f"judgments.{form}", shop.judgments, "grade"),
    )
