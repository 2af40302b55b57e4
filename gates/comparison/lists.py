"""Where to look: bad slices, documents to judge, and the lists of single queries, read again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gates.comparison.files.aligned import Aligned
from gates.comparison.files.arrow import as_arrow, as_numpy
from gates.comparison.files.coded import codes_of
from gates.comparison.files.columns import read_pieces
from gates.comparison.files.store import CodedFile
from gates.comparison.measuring import places, to_judge
from gates.comparison.per_query import Open, PerQuery, likeness_names
from gates.comparison.plan import ComparisonPlan
from gates.comparison.population import Population
from gates.domain.judging import Exhibit
from gates.kernels.discovery import code, worst_slices
from gates.kernels.ids import Codes
from gates.kernels.packed import Floats, Ints
from gates.kernels.traits import traits

__all__ = ["exhibits"]

_WORST, _BEST = 200, 50
_TRAITS = 200_000  # queries whose texts are looked at; beyond it that would take the longest
_VALUES = 100  # of a column that may be searched: ids are no slices
_SAMPLE = 600  # differences that a picture of all queries is drawn from


def exhibits(
    plan: ComparisonPlan,
    aligned: Aligned,
    population: Population,
    per_query: PerQuery,
    *,
    with_lists: bool,
    with_documents: bool,
) -> tuple[Exhibit, ...]:
    """Slices that lost most, documents to judge next, and old and new lists of single queries.

    Args:
        plan: Which metric, and how deep the lists are.
        aligned: The files.
        population: The queries that count.
        per_query: Their metrics.
        with_lists: Whether the lists of the queries that lost and won most are wanted.
        with_documents: Whether the documents to judge next are.
    """
    change = per_query.delta(plan.judged)[population.index]
    chosen = _most_changed(change) if with_lists else np.empty(0, np.int64)
    query = population.index[chosen]
    opens = per_query.judge_next if with_documents else ()
    codes = aligned.query[np.unique([*query, *(one.query for one in opens)]).astype(np.int64)]
    old, new = _ranked(aligned.old, codes), _ranked(aligned.new, codes)
    found = [
        *_worst_places(population, change),
        *_to_judge(aligned, population, opens, old, new),
    ]
    if with_lists:
        grades = {
            name: dict(rows)
            for name, rows in _rows_of(aligned.judgments, aligned.query[query]).items()
        }
        names = aligned.names.take(as_arrow(query)).to_pylist()
        entries = [
            _entry(plan, population, per_query, int(at), name, old, new, grades.get(name, {}))
            for at, name in zip(chosen, names, strict=True)
        ]
        found.append(_side_by_side(plan, entries, change))
    return tuple(found)


def _side_by_side(plan: ComparisonPlan, entries: list[dict[str, Any]], change: Floats) -> Exhibit:
    data: dict[str, Any] = {
        "metric": plan.judged,
        "k": plan.k,
        "severe": -plan.severe,
        "queries": entries,
        "titles": {},
    }
    if len(entries) < change.size:
        data |= _of_all(change, plan.severe)
    return Exhibit("ranking-diff", "Old and new result lists, worst difference first", data)


def _worst_places(population: Population, change: Floats) -> Iterator[Exhibit]:
    columns = dict(population.slices)
    if population.text and change.size <= _TRAITS:
        brands = {one for one in columns.get("brand", ()) if one}
        columns = {**traits(population.text, population.traffic, brands), **columns}
    few = {name: values for name, values in columns.items() if len(set(values)) <= _VALUES}
    found = worst_slices(code(few), change, population.weight)
    if found:
        yield places(found)


def _to_judge(
    aligned: Aligned,
    population: Population,
    opens: Sequence[Open],
    old: Mapping[str, Sequence[str]],
    new: Mapping[str, Sequence[str]],
) -> Iterator[Exhibit]:
    rows = []
    total = float(population.weight.sum())
    for one in opens:
        name = aligned.names[one.query].as_py()
        doc = new[name][one.new - 1] if one.new else old[name][one.old - 1]
        share = round(one.power / total, 6)
        rows.append((name, doc, None, one.old or None, one.new or None, share))
    if rows:
        yield to_judge(rows)


def _most_changed(change: Floats) -> Ints:
    """Rows of the worst and the best queries, worst first; all of them when there are few."""
    order = np.lexsort((np.arange(change.size), change))
    if change.size <= _WORST + _BEST:
        return order
    exists = int((~np.isnan(change)).sum())
    worst = order[: min(_WORST, exists)]
    return np.concatenate((worst, order[max(worst.size, exists - _BEST) : exists]))


def _of_all(change: Floats, severe: float) -> dict[str, Any]:
    """What the page says of the queries whose lists are not shown."""
    known = np.sort(change[~np.isnan(change)])
    sample = known[np.linspace(0, max(known.size - 1, 0), min(_SAMPLE, known.size)).astype(int)]
    return {
        "counts": {
            "queries": int(change.size),
            "wins": int((known > 0).sum()),
            "ties": int((known == 0).sum()),
            "losses": int((known < 0).sum()),
            "severe": int((known <= -severe).sum()),
            "undefined": int(change.size - known.size),
        },
        "deltas": [round(float(one), 6) for one in sample],
    }


def _entry(
    plan: ComparisonPlan,
    population: Population,
    per_query: PerQuery,
    at: int,
    name: str,
    old: Mapping[str, Sequence[str]],
    new: Mapping[str, Sequence[str]],
    grades: Mapping[str, float],
) -> dict[str, Any]:
    row = int(population.index[at])
    rbo, overlap, _, changed = likeness_names(plan)
    old_list, new_list = old.get(name, ()), new.get(name, ())
    place = {doc: rank for rank, doc in enumerate(old_list, 1)}
    return {
        "id": name,
        "text": population.text[at] if population.text else name,
        "weight": float(population.traffic[at]),
        "slices": {column: str(values[at]) for column, values in population.slices.items()},
        "old": _number(per_query.old[plan.judged][row]),
        "new": _number(per_query.new[plan.judged][row]),
        "delta": _number(per_query.delta(plan.judged)[row]),
        "overlap": _number(per_query.likeness[overlap][row]),
        "rbo": _number(per_query.likeness[rbo][row]),
        "top1_changed": bool(per_query.likeness[changed][row]),
        "old_list": [[doc, grades.get(doc)] for doc in old_list[: plan.k]],
        "new_list": [[doc, grades.get(doc), place.get(doc)] for doc in new_list[: plan.k]],
    }


def _ranked(file: CodedFile, codes: Codes) -> dict[str, list[str]]:
    """The documents of some queries in rank order."""
    sign = 1 if file.columns.meaning == "rank" else -1
    # Ties by document id descending: sort by that first, since sorting keeps what is alike.
    return {
        query: [
            doc
            for doc, _ in sorted(
                sorted(rows, key=lambda row: row[0], reverse=True), key=lambda row: sign * row[1]
            )
        ]
        for query, rows in _rows_of(file, codes).items()
    }


def _rows_of(file: CodedFile, codes: Codes) -> dict[str, list[tuple[str, float]]]:
    """Documents and values of some queries, from just the pieces that hold them."""
    seen, piece_of = file.seen
    pieces = set(piece_of[np.isin(seen, codes)].tolist())
    found: dict[str, list[tuple[str, float]]] = {}
    for number, read in enumerate(read_pieces(file.source, file.columns)):
        if number not in pieces:
            continue
        for piece in read():
            wanted = np.isin(codes_of(piece.query.dictionary), codes)
            rows = np.flatnonzero(wanted[as_numpy(piece.query.indices)])
            place = as_arrow(rows)
            for query, doc, value in zip(
                piece.query.take(place).to_pylist(),
                piece.doc.take(place).to_pylist(),
                piece.value[rows].tolist(),
                strict=True,
            ):
                found.setdefault(query, []).append((doc, value))
    return found


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)
