"""Rows about a (query, document) pair: what candidates, judgments and annotations share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.domain.id_repairs import meeting
from gates.errors import GoldenError
from gates.system.arrow_numbers import as_numpy
from gates.system.table import FileTable

if TYPE_CHECKING:
    from gates.domain.golden_set import Ints

__all__ = ["codes", "pair_keys", "query_index"]


def query_index(table: FileTable, ids: pa.Array) -> Ints:
    """The query of each row, int64[rows].

    Args:
        table: A table with `query_id`.
        ids: The known query ids.

    Raises:
        GoldenError: A row is of an unknown query.
    """
    try:
        return table.index(
            "query_id",
            ids,
            what="the query is not in queries.csv",
            advice="Add the query to queries.csv, or remove these rows.",
        )
    except GoldenError as problem:
        written = dict.fromkeys(table.text("query_id").to_pylist())
        cause = meeting((("", one) for one in written), (("", one) for one in ids.to_pylist()))
        if cause.repair:
            problem.advice = f"Write the ids as queries.csv does: {cause.words}."
        raise


def codes(values: pa.Array) -> tuple[Ints, pa.Array]:
    """Whole numbers that stand for strings, and the distinct strings they point at."""
    encoded = pc.dictionary_encode(values)
    return np.asarray(as_numpy(encoded.indices), dtype=np.int64), encoded.dictionary


def pair_keys(query: Ints, document: pa.Array, documents: pa.Array) -> Ints:
    """One number for each (query, document) pair, the same in every table; int64[rows].

    Args:
        query: int64[rows].
        document: The document id of each row.
        documents: Arrow string array of distinct documents that spans the key.

    Returns:
        The keys; −1 where the document is not among `documents`.
    """
    found = pc.index_in(document, value_set=documents)
    code = np.asarray(as_numpy(pc.fill_null(found, -1)), dtype=np.int64)
    return np.where(code < 0, -1, query * max(len(documents), 1) + code)
