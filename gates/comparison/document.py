"""A comparison as a JSON document, and its queries as a Parquet table."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from gates.comparison.compare import Compared
from gates.comparison.files.arrow import as_arrow
from gates.comparison.measures import SEVERE
from gates.comparison.paired import PairedMetric
from gates.comparison.plan import ComparisonPlan
from gates.domain.comparison import Comparison
from gates.domain.exhibits import Table, TableId
from gates.domain.judging import Measurement
from gates.kernels.packed import Floats
from gates.system.files import write_atomically

__all__ = ["document", "write_per_query"]

_WORST = 10


def document(plan: ComparisonPlan, compared: Compared) -> dict[str, Any]:
    """Everything a machine may want to know of a comparison.

    Numbers that do not exist are null: an interval that is open, a metric nobody could measure.
    """
    comparison = compared.comparison
    whole = {one.metric: one for one in comparison.measurements if not one.slice}
    return {
        "verdict": comparison.verdict.outcome,
        "reasons": list(comparison.verdict.reasons),
        "metric": comparison.metric,
        "margin": comparison.margin,
        "queries": comparison.queries,
        "files": {
            name: {"path": file.path, "rows": file.rows, "queries": file.queries}
            for name, file in (
                ("old", comparison.old),
                ("new", comparison.new),
                ("judgments", comparison.judgments),
            )
        },
        "metrics": {
            name.removesuffix(".delta"): _difference(one)
            for name, one in whole.items()
            if name.endswith(".delta")
        },
        "similarity": {
            name.replace("-", "_"): _number(whole[name].value) for name in plan.likeness
        },
        "severe_losses": _share(whole[SEVERE]),
        "judged": {name.rpartition(".")[2]: _number(whole[name].value) for name in plan.coverage},
        "slices": {
            one.bound.slice: {
                "outcome": one.outcome,
                **(_difference(one.measurement) if one.measurement else {}),
            }
            for one in comparison.judgements
            if one.bound.slice
        },
        "judgements": [
            {
                "bound": one.bound.id,
                "demand": one.bound.demand,
                "outcome": one.outcome,
                "reason": one.reason,
            }
            for one in comparison.judgements
        ],
        "worst": _worst(compared),
        "judge_next": _table(comparison, TableId.JUDGE_NEXT),
        "worst_places": _table(comparison, TableId.WORST_SLICES),
        "notes": list(comparison.notes),
    }


def _table(comparison: Comparison, wanted: TableId) -> list[dict[str, Any]]:
    """A table of the comparison, a row an object."""
    return [
        dict(zip(one.columns, row, strict=True))
        for one in comparison.exhibits
        if isinstance(one, Table) and one.id is wanted
        for row in one.rows
    ]


def _difference(one: Measurement) -> dict[str, Any]:
    names = (
        *("old", "new", "n_eff", "mde", "n_needed", "uninformative_share", "delta_without"),
        *("mean_loss", "severe_share", "together"),
    )
    extra = {name: _number(one.extra[name]) for name in names if name in one.extra}
    ends = {"pessimistic": one.pessimistic, "optimistic": one.optimistic}
    counts = ("wins", "ties", "losses", "uninformative", "unmeasured")
    return {
        "delta": _number(one.value),
        "lower": _number(one.lower),
        "upper": _number(one.upper),
        "n": one.n,
        **extra,
        **{name: _number(end) for name, end in ends.items() if end is not None},
        **{name: int(one.extra[name] or 0) for name in counts if name in one.extra},
        **({"reason": one.reason} if one.value is None else {}),
    }


def _share(one: Measurement) -> dict[str, Any]:
    return {
        "share": _number(one.value),
        "of": one.unit.removeprefix("share of "),
        "upper": _number(one.upper),
        "queries": int(one.extra.get("queries") or 0),
        "n": one.n,
    }


def _worst(compared: Compared) -> list[dict[str, Any]]:
    queries = compared.queries
    change, gain = queries.change(queries.measures.judged), queries.gain
    rows = [row for row in np.argsort(gain, kind="stable")[:_WORST] if gain[row] < 0]
    names = compared.names().take(as_arrow(np.array(rows, dtype=np.int64))).to_pylist()
    return [
        {
            "query": name,
            "old": _number(float(change.old[row])),
            "new": _number(float(change.new[row])),
            "delta": _number(float(change.new[row] - change.old[row])),
            "weight": float(queries.population.traffic[row]),
            **_open_ends(change, row),
        }
        for name, row in zip(names, rows, strict=True)
    ]


def _open_ends(change: PairedMetric, row: int) -> dict[str, float]:
    """What grades still to come could make of a query's difference, where any could."""
    least, most = (float(one[row]) for one in change.ends)
    # Equal but for rounding: nothing that was served is unjudged.
    return {"least": least, "most": most} if most - least > 1e-12 else {}


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def write_per_query(path: Path, compared: Compared) -> None:
    """Write a row a query: its weight, slices, and every metric of both rankings.

    Raises:
        UsageError: The file cannot be written; nothing is left half-written.
    """
    population, per_query = compared.queries.population, compared.queries.per_query
    columns: dict[str, Any] = {
        "query_id": compared.names(),
        "weight": as_arrow(population.weight),
        **{name: pa.array(values) for name, values in population.slices.items()},
    }
    for metric in per_query.old:
        columns[f"{metric}.old"] = _column(per_query.old[metric])
        columns[f"{metric}.new"] = _column(per_query.new[metric])
    for name, values in per_query.likeness.items():
        columns[name] = _column(values)
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), sink)
    write_atomically(path.absolute(), sink.getvalue())


def _column(values: Floats) -> pa.Array:
    """A metric as an Arrow column, null where it does not exist."""
    return pa.array(values, mask=np.isnan(values))
