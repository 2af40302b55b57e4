"""`expectations.csv`: what the team will not see broken, query by query."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.domain.golden_set import Expectation
from gates.domain.tasks import ExpectationKind
from gates.golden.files import read_csv
from gates.golden.pairs import query_index
from gates.system.table import FileTable

if TYPE_CHECKING:
    from gates.domain.golden_set import Floats, Ints, Manifest
    from gates.golden.candidates import Candidates

__all__ = ["JUDGED", "RECORDED", "read_expectations"]

JUDGED, RECORDED = "judged", "recorded"
"""What `source` may say: a person wrote the expectation, or it is what a version answered."""


def _range(table: FileTable) -> tuple[Floats, Floats]:
    bounds = []
    for name, default in (("low", 0.0), ("high", 1.0)):
        given = table.numbers(name) if name in table.columns else np.full(table.rows, np.nan)
        bounds.append(np.where(np.isnan(given), default, given))
    low, high = bounds
    wrong = low > high
    if wrong.any():
        show = tuple(name for name in ("query_id", "low", "high") if name in table.columns)
        raise table.defect(
            "`low` is above `high`",
            wrong,
            show=show,
            advice="Swap or correct them (0 and 1 if blank).",
        )
    return low, high


def _depths(table: FileTable, kind: pa.Array) -> Ints:
    """The depth of each row: `k`, which a top-k expectation must give; 1 otherwise."""
    given = table.numbers("k") if "k" in table.columns else np.full(table.rows, np.nan)
    tops = pa.array(["in-top", "never-in-top"])
    deep = np.asarray(pc.is_in(kind, value_set=tops).to_numpy(False), dtype=bool)
    depth = np.where(np.isnan(given) & ~deep, 1.0, given)
    wrong = ~((depth >= 1) & (depth == np.floor(depth)) & np.isfinite(depth)) | (
        ~deep & (depth != 1)
    )
    if wrong.any():
        show = ("query_id", "expect", "k") if "k" in table.columns else ("query_id", "expect")
        raise table.defect(
            "`k` is not a depth",
            wrong,
            show=show,
            advice="in-top and never-in-top take a whole k ≥ 1; the others leave it blank.",
        )
    return depth.astype(np.int64)


def _kinds(table: FileTable, manifest: Manifest) -> pa.Array:
    kinds = manifest.task.expectations
    kind = table.text("expect")
    known = np.asarray(pc.is_in(kind, value_set=pa.array(kinds)).to_numpy(False), dtype=bool)
    if not known.all():
        raise table.defect(
            f"`expect` is not for {manifest.task} models",
            ~known,
            show=("query_id", "expect"),
            advice=f"Use one of: {', '.join(kinds)}.",
        )
    return kind


def _others(table: FileTable, manifest: Manifest, query: Ints, ids: pa.Array) -> list[str]:
    """The text that each row's target must be nearer than; empty where none is compared so."""
    if "closer" not in manifest.task.expectations:
        return [""] * table.rows
    table.need("than")
    near, far = (
        table.index(
            name,
            ids,
            what=f"`{name}` is not in queries.csv",
            advice="Write the query_id of one of its texts.",
        )
        for name in ("target", "than")
    )
    wrong = (query == near) | (query == far) | (near == far)
    if wrong.any():
        raise table.defect(
            "a text is compared with itself",
            wrong,
            show=("query_id", "target", "than"),
            advice="Name three texts: `target` must be nearer to `query_id` than `than` is.",
        )
    return list(table.text("than").to_pylist())


def _recorded(table: FileTable) -> int:
    """How many rows a version's answers wrote."""
    if "source" not in table.columns:
        return 0
    source = table.text("source")
    known = pc.is_in(source, value_set=pa.array([JUDGED, RECORDED, ""]))
    if not pc.all(known).as_py():
        raise table.defect(
            f"`source` is neither {JUDGED} nor {RECORDED}",
            ~np.asarray(known.to_numpy(False), dtype=bool),
            show=("query_id", "source"),
            advice=f"Write {JUDGED} for what a person expects, or leave the cell empty.",
        )
    return int(pc.sum(pc.equal(source, RECORDED)).as_py() or 0)


def _warnings(table: FileTable) -> tuple[str, ...]:
    recorded = _recorded(table)
    if not recorded:
        return ()
    warning = (
        f"{recorded} of {table.rows} expectations were recorded from a version's answers, not "
        "judged: what is measured by them is agreement with that version"
    )
    return (warning,)


def read_expectations(
    path: Path, manifest: Manifest, ids: pa.Array, candidates: Candidates | None
) -> tuple[tuple[Expectation, ...], tuple[str, ...]]:
    """Read and check `expectations.csv`.

    Args:
        manifest: The set's manifest.
        ids: The known query ids.
        candidates: The candidates that targets must be among; None for models of texts.

    Returns:
        The expectations in file order, and what a reader should know about them.

    Raises:
        GoldenError: It is missing, or a row is wrong.
    """
    table = read_csv(path)
    table.need("query_id", "expect", "target")
    query, kind = query_index(table, ids), _kinds(table, manifest)
    table.filled("target", advice="Write the label, or the id of the document or text.")
    target = table.text("target")
    low, high = _range(table)
    depth = _depths(table, kind)
    if candidates is not None:
        lost = np.zeros(table.rows, dtype=bool)
        lost[candidates.missing(query, target)] = True
        if lost.any():
            raise table.defect(
                "the target is not among the query's candidates",
                lost,
                show=("query_id", "target"),
                advice="Add the document to the candidates, or correct the target.",
            )
    if "label" in manifest.task.expectations:
        table.unique(query, show=("query_id",), advice="Keep one label for each query.")
    others = _others(table, manifest, query, ids)
    lines = table.lines(range(table.rows))
    rows = zip(
        query.tolist(),
        kind.to_pylist(),
        target.to_pylist(),
        depth.tolist(),
        low.tolist(),
        high.tolist(),
        lines,
        others,
        strict=True,
    )
    expectations = tuple(
        Expectation(at, cast("ExpectationKind", what), aim, k, least, most, line or 0, other)
        for at, what, aim, k, least, most, line, other in rows
    )
    return expectations, _warnings(table)
