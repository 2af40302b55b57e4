"""How the queries of a set were drawn: what each stands for, and by what results may be cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.errors import GoldenError
from gates.system.arrow_numbers import as_numpy
from gates.system.table import FileTable

if TYPE_CHECKING:
    from gates.domain.golden_set import Bools, Floats, Ints

__all__ = ["Design", "read_design"]

_SAMPLINGS = ("census", "pps", "uniform")


@dataclass(frozen=True)
class Design:
    """How queries were drawn and by what they may be cut; Q of them, in file order.

    Attributes:
        ids: Arrow string array[Q], unique.
        weight: float64[Q] > 0.
        census: bool[Q].
        inclusion: float64[Q] in (0, 1].
        slices: column → Q values.
        warnings: What a reader should know about the sample.
        cluster: int64[Q], queries drawn together (near-duplicates) share a number; None where
            nobody says.
    """

    path: Path
    ids: pa.Array
    weight: Floats
    census: Bools
    inclusion: Floats
    slices: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]
    cluster: Ints | None


def _weights(table: FileTable) -> Floats:
    if "weight" not in table.columns:
        return np.ones(table.rows)
    weight = table.numbers("weight")
    wrong = ~(np.isfinite(weight) & (weight > 0))
    if wrong.any():
        raise table.defect(
            "`weight` is not a number above 0",
            wrong,
            show=("query_id", "weight"),
            advice="Give every query its traffic, or leave the column out.",
        )
    return weight


def _inclusion(table: FileTable) -> Floats:
    if "inclusion_probability" not in table.columns:
        return np.ones(table.rows)
    given = table.numbers("inclusion_probability")
    blank = np.asarray(pc.equal(table.text("inclusion_probability"), "").to_numpy(False))
    inclusion = np.where(blank, 1.0, given)
    wrong = ~((inclusion > 0) & (inclusion <= 1))
    if wrong.any():
        raise table.defect(
            "`inclusion_probability` is outside (0, 1]",
            wrong,
            show=("query_id", "inclusion_probability"),
            advice="Write the probability with which the query was drawn; blank means 1.",
        )
    return inclusion


def _sampling(table: FileTable) -> pa.Array:
    if "sampling" not in table.columns:
        return pa.array([""] * table.rows)
    sampling = table.text("sampling")
    known = pc.is_in(sampling, value_set=pa.array([*_SAMPLINGS, ""]))
    if not pc.all(known).as_py():
        raise table.defect(
            f"`sampling` is none of {', '.join(_SAMPLINGS)}",
            ~np.asarray(known.to_numpy(False)),
            show=("query_id", "sampling"),
            advice="Say how the query was drawn, or leave the cell empty.",
        )
    return sampling


def _sample_warnings(weight: Floats, sampling: pa.Array, noun: str) -> tuple[str, ...]:
    planned = np.asarray(
        pc.is_in(sampling, value_set=pa.array(["census", "pps"])).to_numpy(False), dtype=bool
    )
    loose = weight[~planned]
    if not len(loose) or np.ptp(loose) == 0:
        return ()
    effective = weight.sum() ** 2 / (weight**2).sum()
    warning = (
        f"a weighted uniform sample undercovers: {len(loose)} of {len(weight)} {noun} carry "
        f"unequal weights but were not drawn by them (effective n = {effective:.0f} of "
        f"Q = {len(weight)}); take the head whole (census) and draw the tail in proportion to "
        "traffic (pps)"
    )
    return (warning,)


def _clusters(table: FileTable, column: str) -> Ints:
    text = table.text(column)
    code: Ints = np.asarray(as_numpy(pc.dictionary_encode(text).indices), dtype=np.int64)
    blank = np.asarray(pc.equal(text, "").to_numpy(False), dtype=bool)
    return np.where(blank, -1 - np.arange(table.rows), code)


def read_design(
    table: FileTable, slices: Sequence[str], *, cluster: str = "", noun: str = "queries"
) -> Design:
    """Read and check the ids, weights, sampling and slices of queries.

    Args:
        table: A table with `query_id` and, where they are known, `weight`, `sampling`,
            `inclusion_probability`.
        slices: Columns of it by which results may be cut.
        cluster: The column whose values queries share that were drawn together; a blank cell is a
            query of its own. Empty where there is none.
        noun: What its rows are, in words.

    Raises:
        GoldenError: A column is missing, there is no row, or a row is wrong.
    """
    table.need("query_id", *slices, *filter(None, (cluster,)))
    if not table.rows:
        raise GoldenError("there is no query", path=table.path, advice="Add a row for each query.")
    table.filled("query_id", advice="Give every query an id.")
    ids = table.text("query_id")
    keys = np.asarray(as_numpy(pc.dictionary_encode(ids).indices), dtype=np.int64)
    table.unique(keys, show=("query_id",), advice="Give every query an id of its own.")
    weight, sampling = _weights(table), _sampling(table)
    return Design(
        path=table.path,
        ids=ids,
        weight=weight,
        census=np.asarray(pc.equal(sampling, "census").to_numpy(False), dtype=bool),
        inclusion=_inclusion(table),
        slices={name: tuple(table.text(name).to_pylist()) for name in slices},
        warnings=_sample_warnings(weight, sampling, noun),
        cluster=_clusters(table, cluster) if cluster else None,
    )
