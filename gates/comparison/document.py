"""A comparison as a JSON document, and its queries as a Parquet table."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from gates.comparison.compare import Compared
from gates.comparison.files.arrow import as_arrow
from gates.comparison.plan import ComparisonPlan
from gates.domain.comparison import Comparison
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
        "seed": comparison.seed,
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
            name.replace("-", "_"): _number(whole[name].value)
            for name in ("rbo", f"overlap@{plan.k}", "kendall-tau", "top1-changed")
        },
        "severe_losses": _share(whole["severe-losses"]),
        "judged": {arm: _number(whole[f"judged@{plan.k}.{arm}"].value) for arm in ("old", "new")},
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
        "worst": _worst(plan, compared),
        "judge_next": _table(comparison, "Documents to judge next"),
        "worst_places": _table(comparison, "Where the candidate is worst"),
        "notes": list(comparison.notes),
    }


def _table(comparison: Comparison, title: str) -> list[dict[str, Any]]:
    """A table of the comparison, a row an object."""
    return [
        dict(zip(one.data["columns"], row, strict=True))
        for one in comparison.exhibits
        if one.title.startswith(title)
        for row in one.data["rows"]
    ]


def _difference(one: Measurement) -> dict[str, Any]:
    names = ("old", "new", "n_eff", "mde", "n_needed")
    extra = {name: _number(one.extra[name]) for name in names if name in one.extra}
    ends = {"pessimistic": one.pessimistic, "optimistic": one.optimistic}
    counts = ("wins", "ties", "losses")
    return {
        "delta": _number(one.value),
        "lower": _number(one.lower),
        "upper": _number(one.upper),
        "n": one.n,
        **extra,
        **{name: _number(end) for name, end in ends.items() if end is not None},
        **{name: int(one.extra[name] or 0) for name in counts if name in one.extra},
    }


def _share(one: Measurement) -> dict[str, Any]:
    return {
        "share": _number(one.value),
        "upper": _number(one.upper),
        "queries": int(one.extra.get("queries") or 0),
        "n": one.n,
    }


def _worst(plan: ComparisonPlan, compared: Compared) -> list[dict[str, Any]]:
    change = compared.per_query.delta(plan.judged)[compared.population.index]
    rows = [row for row in np.argsort(change, kind="stable")[:_WORST] if change[row] < 0]
    names = compared.names().take(as_arrow(np.array(rows, dtype=np.int64))).to_pylist()
    index = compared.population.index[rows]
    return [
        {
            "query": name,
            "old": _number(compared.per_query.old[plan.judged][at]),
            "new": _number(compared.per_query.new[plan.judged][at]),
            "delta": _number(float(change[row])),
            "weight": float(compared.population.traffic[row]),
        }
        for name, row, at in zip(names, rows, index.tolist(), strict=True)
    ]


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def write_per_query(path: Path, compared: Compared) -> None:
    """Write a row a query: its weight, slices, and every metric of both rankings.

    Raises:
        UsageError: The file cannot be written; nothing is left half-written.
    """
    population, per_query = compared.population, compared.per_query
    columns: dict[str, Any] = {
        "query_id": compared.names(),
        "weight": as_arrow(population.weight),
        **{name: pa.array(values) for name, values in population.slices.items()},
    }
    for metric in per_query.old:
        columns[f"{metric}.old"] = _column(per_query.old, metric, compared)
        columns[f"{metric}.new"] = _column(per_query.new, metric, compared)
    for name in per_query.likeness:
        columns[name] = _column(per_query.likeness, name, compared)
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), sink)
    write_atomically(path.absolute(), sink.getvalue())


def _column(columns: Mapping[str, Floats], name: str, compared: Compared) -> pa.Array:
    """A metric as an Arrow column, null where it does not exist."""
    values = columns[name][compared.population.index]
    return pa.array(values, mask=np.isnan(values))
