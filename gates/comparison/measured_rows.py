"""Measured queries as a Parquet file, and the same measurements out of it again, to the bit.

A row is a query: what it stands for, its slices, every metric under both rankings, how alike the
lists are. What was asked of all of them together (names, slices, margins, options) stands beside,
in the file's metadata. `measure_again` asks it once more, by the code that the check itself ran.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gates.comparison.measure import MeasuredQueries
from gates.comparison.measures import RankingMeasures
from gates.comparison.metrics import quality
from gates.comparison.per_query import PerQuery
from gates.comparison.population import Population
from gates.comparison.slices import cuts
from gates.domain.judging import Measurement
from gates.domain.query_rows import QueryRows
from gates.kernels.packed import Floats
from gates.system.arrow_numbers import as_numpy
from gates.system.json_files import json_value

__all__ = [
    "SCHEMA",
    "Request",
    "RowsError",
    "measure_again",
    "measured",
    "queries_in",
    "rows_of",
]

SCHEMA = "mlgates.rows/1"

_META = b"mlgates"
_ARRAYS = ("traffic", "weight", "census")  # of a population, which stand under their own names
_CLUSTER = "cluster"  # likewise, where queries were drawn together
_PARTS = ("measures", "population", "per_query")  # of measured queries; the rest are numbers


class RowsError(ValueError):
    """Bytes that are no such file, or one that another version of mlgates wrote."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of measured queries.

    Attributes:
        names: Measurements, as `MeasuredQueries.measure` takes them.
        slices: As a card writes them.
        margins: metric → slice key → what may be lost there.
    """

    names: tuple[str, ...]
    slices: tuple[str, ...]
    margins: Mapping[str, Mapping[str, float]]


def measured(queries: MeasuredQueries, request: Request) -> Iterator[Measurement]:
    """What is asked, measured.

    Args:
        queries: Of one population.
        request: What is asked of them.
    """
    population = queries.population
    slices = [*cuts(population.slices, request.slices, population.weight.size)]
    return queries.measure(request.names, slices, margins=request.margins)


def rows_of(queries: MeasuredQueries, request: Request, ids: Sequence[str]) -> QueryRows:
    """All that the measurements are made of.

    Args:
        queries: P measured queries.
        request: What is asked of them.
        ids: P ids, for people.
    """
    population, values = queries.population, queries.per_query
    columns: dict[str, object] = {"query": pa.array(list(ids), pa.string())}
    columns |= {name: getattr(population, name) for name in _ARRAYS}
    if population.cluster is not None:
        columns[_CLUSTER] = population.cluster
    columns |= {f"slice:{k}": pa.array(list(v), pa.string()) for k, v in population.slices.items()}
    for kind, of in _by_kind(values):
        columns |= {f"{kind}:{name}": one for name, one in of.items()}
    measures = queries.measures
    meta = {
        "schema": SCHEMA,
        "request": dataclasses.asdict(request),
        "measures": {**_plain(measures, ("judged",)), "judged": measures.judged.name},
        "queries": _plain(queries, _PARTS),
        "longest": values.longest,
    }
    table = pa.table(columns)
    table = table.replace_schema_metadata({_META: json.dumps(meta, sort_keys=True)})
    stream = io.BytesIO()
    # Without statistics and dictionaries the same rows are the same bytes in more versions.
    pq.write_table(table, stream, compression="zstd", use_dictionary=False, write_statistics=False)
    return QueryRows(stream.getvalue(), len(ids))


def measure_again(content: bytes) -> tuple[Measurement, ...]:
    """The measurements that rows were kept of.

    Args:
        content: The bytes of the file.

    Raises:
        RowsError: They are no such file, or another version of mlgates wrote it.
    """
    queries, request = queries_in(content)
    return tuple(measured(queries, request))


def queries_in(content: bytes) -> tuple[MeasuredQueries, Request]:
    """The queries that rows were kept of, and what was asked of them.

    Args:
        content: The bytes of the file.

    Raises:
        RowsError: They are no such file, or another version of mlgates wrote it.
    """
    try:
        return _read(content)
    except (pa.ArrowException, KeyError, TypeError, ValueError, AttributeError) as problem:
        what = f"{type(problem).__name__}: {problem}".splitlines()[0][:200]
        raise RowsError(f"these rows cannot be read by this version of mlgates: {what}") from None


def _read(content: bytes) -> tuple[MeasuredQueries, Request]:
    # Not `read_table`: its dataset imports pandas, which takes half a second.
    table = pq.ParquetFile(io.BytesIO(content)).read()
    meta = json_value((table.schema.metadata or {})[_META])
    if meta["schema"] != SCHEMA:
        raise ValueError(f"schema {meta['schema']!r}, not {SCHEMA!r}")
    columns = {name: table.column(name) for name in table.column_names}
    numbers: dict[str, Any] = {
        name: as_numpy(one) for name, one in columns.items() if not pa.types.is_string(one.type)
    }
    kinds = {
        kind: _named(numbers, kind)
        for kind in ("old", "new", "least", "greatest", "tells", "like", "random", "ideal")
    }
    unjudged = {name: (one, kinds["greatest"][name]) for name, one in kinds["least"].items()}
    per_query = PerQuery(
        kinds["old"],
        kinds["new"],
        kinds["like"],
        unjudged,
        kinds["tells"],
        met=0,
        repeated=0,
        judge_next=(),
        longest=int(meta["longest"]),
        random=kinds["random"],
        ideal=kinds["ideal"],
    )
    population = Population(
        index=np.arange(table.num_rows),
        slices={
            name.removeprefix("slice:"): one.to_pylist()
            for name, one in columns.items()
            if name.startswith("slice:")
        },
        cluster=numbers.get(_CLUSTER),
        **{name: numbers[name] for name in _ARRAYS},
    )
    of = {**meta["measures"], "names": tuple(meta["measures"]["names"])}
    measures = RankingMeasures(**{**of, "judged": quality(of["judged"])})
    asked = meta["request"]
    request = Request(tuple(asked["names"]), tuple(asked["slices"]), asked["margins"])
    return MeasuredQueries(measures, population, per_query, **meta["queries"]), request


def _by_kind(values: PerQuery) -> Iterable[tuple[str, Mapping[str, Floats]]]:
    """Kind of column → metric → float64[P]."""
    yield "old", values.old
    yield "new", values.new
    yield "least", {name: ends[0] for name, ends in values.unjudged.items()}
    yield "greatest", {name: ends[1] for name, ends in values.unjudged.items()}
    yield "tells", values.informative
    yield "like", values.likeness
    yield "random", values.random
    yield "ideal", values.ideal


def _named(numbers: Mapping[str, Any], kind: str) -> dict[str, Floats]:
    return {
        name.partition(":")[2]: one
        for name, one in numbers.items()
        if name.partition(":")[0] == kind and ":" in name
    }


def _plain(value: Any, besides: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    fields = (one.name for one in dataclasses.fields(value) if one.name not in besides)
    return {name: getattr(value, name) for name in fields}
