"""Which of the queries of files are compared, as their own file says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gates.comparison.files.aligned import Aligned
from gates.comparison.files.arrow import as_arrow
from gates.comparison.files.coded import codes_of
from gates.comparison.files.formats import open_source
from gates.comparison.plan import ComparisonPlan
from gates.comparison.population import Population
from gates.domain.id_repairs import MeetingIds, meeting
from gates.errors import RankingError
from gates.kernels.packed import Bools, Ints

if TYPE_CHECKING:
    from gates.domain.design import Design

__all__ = ["population"]

_EXAMPLES = 5
_COMPARED = 20_000  # ids whose repairs are tried
_TEXTS = ("query", "query_text")


def population(plan: ComparisonPlan, aligned: Aligned) -> Population:
    """Decide which queries count.

    Raises:
        RankingError: A ranking lacks some, nobody judged any, or the queries' file is wrong.
    """
    design = _read(plan) if plan.queries else None
    notes: list[str] = []
    cluster: Ints | None = None
    if design is None:
        index = np.arange(aligned.query.size)
        traffic = weight = np.ones(index.size)
        census = np.zeros(index.size, dtype=np.bool_)
        slices: Mapping[str, Sequence[str]] = {}
    else:
        index, row = _known(aligned, design)
        _demand_found(plan, design, row)
        left = aligned.query.size - index.size
        if left:
            notes.append(f"{left:,} queries are not in {plan.queries} and are left out")
        traffic = design.weight[row]
        weight = traffic / design.inclusion[row]
        census = design.census[row]
        slices = {
            name: [values[at] for at in row.tolist()] for name, values in design.slices.items()
        }
        cluster = None if design.cluster is None else design.cluster[row]
        notes += design.warnings
    notes += _missing(plan, aligned, index)
    text = next((slices[name] for name in _TEXTS if name in slices), None)
    slices = {name: values for name, values in slices.items() if name not in _TEXTS}
    return Population(index, traffic, weight, census, slices, text, tuple(notes), cluster)


def _read(plan: ComparisonPlan) -> Design:
    # Reading golden sets costs as much to import as a small comparison takes.
    from gates.domain.design import read_design
    from gates.system.table import FileTable

    assert plan.queries  # noqa: S101 - asked before
    source = open_source(plan.queries, "queries")
    tables = [table for read in source.pieces(source.names) for table in read()]
    whole = pa.concat_tables(tables) if tables else pa.table({name: [] for name in source.names})
    columns = {name: whole[name].combine_chunks() for name in whole.column_names}
    known = {"query_id", "weight", "sampling", "inclusion_probability", plan.cluster}
    # Every column of words may be a slice; numbers are cut only where somebody asks.
    words = [name for name, values in columns.items() if pa.types.is_string(values.type)]
    slices = dict.fromkeys((*plan.slice_columns, *(one for one in words if one not in known)))
    table = FileTable(plan.queries, columns, whole.num_rows, source.lines_before == 1)
    design = read_design(table, tuple(slices), cluster=plan.cluster)
    for name in plan.slices:
        column, equals, value = name.partition("=")
        if equals and value not in design.slices[column]:
            raise RankingError(
                f"no query has {column} '{value}'",
                path=plan.queries,
                advice=f"there are: {', '.join(sorted(set(design.slices[column]))[:12])}",
            )
    return design


def _known(aligned: Aligned, design: Design) -> tuple[Ints, Ints]:
    """Index into the aligned queries and row of the design, in the order of the former."""
    codes = codes_of(design.ids)
    by_code = np.argsort(codes)
    place = np.minimum(np.searchsorted(codes[by_code], aligned.query), codes.size - 1)
    row = by_code[place]
    there = codes[row] == aligned.query
    return np.flatnonzero(there), row[there]


def _demand_found(plan: ComparisonPlan, design: Design, row: Ints) -> None:
    unknown = np.ones(len(design.ids), dtype=np.bool_)
    unknown[row] = False
    if unknown.any() and plan.missing == "error":
        raise RankingError(
            f"{int(unknown.sum()):,} of {unknown.size:,} queries are in no other file: "
            f"{_named(design.ids, unknown)}",
            path=plan.queries or "",
            advice="remove them, or say that their result lists are empty: --missing empty",
        )


def _missing(plan: ComparisonPlan, aligned: Aligned, index: Ints) -> list[str]:
    query = aligned.query[index]
    names = aligned.names.take(as_arrow(index))
    judged = np.isin(query, aligned.judgments.query)
    ranked = np.isin(query, np.concatenate((aligned.old.query, aligned.new.query)))
    cause = _cause(names, judged, ranked) if not (judged & ranked).all() else None
    if cause and not (judged & ranked).any():
        counted = ranked if ranked.any() else judged
        raise RankingError(
            f"none of the {int(counted.sum()):,} queries to compare is "
            + ("both ranked and judged" if judged.any() else "judged"),
            path=plan.judgments,
            advice=f"write query ids alike: {cause.words}"
            if cause.repair
            else "check that all files write query ids alike: "
            f"{_named(names, ranked)} against {_named(aligned.judgments.names, None)}",
        )
    if cause and cause.damaged:
        raise RankingError(
            f"only {cause.met:,} of {cause.ids:,} judged queries are ranked",
            path=plan.judgments,
            advice=f"write query ids alike: {cause.words}",
        )
    notes = [f"judged queries that are not ranked: {cause.words}"] if cause and cause.repair else []
    for path, file in ((plan.old, aligned.old), (plan.new, aligned.new)):
        lacks = ~np.isin(query, file.query)
        if not lacks.any():
            continue
        count = f"{int(lacks.sum()):,} of {query.size:,} queries are not in it"
        if plan.missing == "error":
            raise RankingError(
                f"{count}: {_named(names, lacks)}",
                path=path,
                advice="rank them, or say that their result lists are empty: --missing empty",
            )
        notes.append(f"{path}: {count} and count as empty result lists: {_named(names, lacks)}")
    unjudged = int((~judged).sum())
    if unjudged:
        notes.append(
            f"{unjudged:,} of {query.size:,} queries have no judgments: they count in how alike "
            f"the rankings are, not in quality: {_named(names, ~judged)}"
        )
    return notes


def _cause(names: pa.Array, judged: Bools, ranked: Bools) -> MeetingIds:
    """How many judged queries are ranked, and what would let more of them be."""
    apart = np.flatnonzero(judged & ~ranked)[:_COMPARED]
    found = meeting(
        (("", one) for one in names.take(as_arrow(apart)).to_pylist()),
        (("", one) for one in names.take(as_arrow(np.flatnonzero(ranked & ~judged))).to_pylist())
        if apart.size
        else (),
    )
    both = int((judged & ranked).sum())
    return replace(found, ids=found.ids + both, met=both, would=found.would + both)


def _named(names: pa.Array, wanted: Bools | None) -> str:
    rows = np.arange(len(names)) if wanted is None else np.flatnonzero(wanted)
    shown = ", ".join(repr(names[row].as_py()) for row in rows[:_EXAMPLES].tolist())
    return shown + (", …" if rows.size > _EXAMPLES else "")
