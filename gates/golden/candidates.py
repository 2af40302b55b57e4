"""`candidates.csv` or `candidates.parquet`: the documents a ranker orders, with their features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gates.errors import GoldenError
from gates.golden.files import read_csv, read_parquet
from gates.golden.pairs import codes, pair_keys, query_index
from gates.system.table import FileTable

if TYPE_CHECKING:
    from gates.domain.golden_set import Floats, Ints, Manifest

__all__ = ["Candidates", "read_candidates"]


@dataclass(frozen=True)
class Candidates:
    """The candidate rows, N of them, grouped by query in the order of the queries.

    Attributes:
        query: int64[N], non-decreasing.
        doc: Arrow string array[N].
        documents: Arrow string array of the distinct documents.
        title: N titles.
        features: column → float64[N].
        text_features: column → N texts, None where a cell is empty.
        attributes: column → N texts.
    """

    query: Ints
    doc: pa.Array
    documents: pa.Array
    title: tuple[str, ...]
    features: dict[str, Floats]
    attributes: dict[str, tuple[str, ...]]
    text_features: dict[str, tuple[str | None, ...]]

    def missing(self, query: Ints, document: pa.Array) -> Ints:
        """Positions into `query` of the pairs that are not candidates, int64[…]."""
        asked = pair_keys(query, document, self.documents)
        known = pair_keys(self.query, self.doc, self.documents)
        return np.flatnonzero(~np.isin(asked, known))


def _table(folder: Path) -> FileTable:
    parquet, plain = folder / "candidates.parquet", folder / "candidates.csv"
    if parquet.exists() and plain.exists():
        raise GoldenError(
            "there are both candidates.csv and candidates.parquet",
            path=folder,
            advice="Remove one of them.",
        )
    return read_parquet(parquet) if parquet.exists() else read_csv(plain)


def _titles(table: FileTable, manifest: Manifest) -> list[str]:
    name = manifest.raw.get("titles")
    if name:
        table.need(name)
    elif "title" not in table.columns:
        return [""] * table.rows
    return list(table.text(name or "title").to_pylist())


def _feature(table: FileTable, name: str) -> Floats:
    """A feature column, NaN where it is missing; trees know what to do with those."""
    values = table.numbers(name)
    if np.isinf(values).any():
        raise table.defect(
            f"`{name}` is infinite",
            np.isinf(values),
            show=("query_id", "doc_id"),
            advice="Correct the feature, or leave the cell empty where it has no value.",
        )
    return values


def read_candidates(folder: Path, manifest: Manifest, ids: pa.Array) -> Candidates:
    """Read and check a ranking set's candidates.

    Args:
        folder: The golden set.
        manifest: Its manifest: `inputs` and `attributes` must be columns here.
        ids: The known query ids.

    Raises:
        GoldenError: The file is missing or empty, or a row is wrong.
    """
    table = _table(folder)
    table.need("query_id", "doc_id", *manifest.inputs, *manifest.attributes)
    if not table.rows:
        raise GoldenError(
            "there is no candidate", path=table.path, advice="Add the documents to be ranked."
        )
    table.filled("doc_id", advice="Give every document an id.")
    query, document = query_index(table, ids), table.text("doc_id")
    code, documents = codes(document)
    table.unique(
        query * len(documents) + code,
        show=("query_id", "doc_id"),
        advice="Keep one row for each document of a query.",
    )
    order = np.argsort(query, kind="stable")
    title = _titles(table, manifest)
    attributes = {name: table.text(name).to_pylist() for name in manifest.attributes}
    return Candidates(
        query=query[order],
        doc=document.take(pa.array(order)),
        documents=documents,
        title=tuple(title[row] for row in order.tolist()),
        features={
            name: _feature(table, name)[order]
            for name in manifest.inputs
            if name not in manifest.text_inputs
        },
        attributes={
            name: tuple(values[row] for row in order.tolist())
            for name, values in attributes.items()
        },
        text_features={
            name: tuple(values[row] or None for row in order.tolist())
            for name in manifest.text_inputs
            for values in [table.text(name).to_pylist()]
        },
    )
