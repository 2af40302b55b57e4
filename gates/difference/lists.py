"""The result lists of the queries that changed most, read again from the files they stand in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gates.difference.per_query import PerQuery, likeness_names
from gates.difference.plan import Plan
from gates.difference.population import Population
from gates.domain import Exhibit
from gates.kernels.ids import Codes
from gates.kernels.packed import Floats, Ints
from gates.rankings.aligned import Aligned
from gates.rankings.arrow import as_arrow, as_numpy
from gates.rankings.coded import codes_of
from gates.rankings.columns import read_pieces
from gates.rankings.store import CodedFile

__all__ = ["exhibits"]

_WORST, _BEST = 200, 50
_SAMPLE = 600  # differences that a picture of all queries is drawn from


def exhibits(
    plan: Plan, aligned: Aligned, population: Population, per_query: PerQuery
) -> tuple[Exhibit, ...]:
    """Old and new lists of the queries that lost and won most, worst first.

    Args:
        plan: Which metric, and how deep the lists are.
        aligned: The files.
        population: The queries that count.
        per_query: Their metrics.
    """
    change = per_query.delta(plan.judged)[population.index]
    chosen = _most_changed(change)
    query = population.index[chosen]
    codes = aligned.query[query]
    old = _ranked(aligned.old, codes)
    new = _ranked(aligned.new, codes)
    grades = {name: dict(rows) for name, rows in _rows_of(aligned.judgments, codes).items()}
    names = aligned.names.take(as_arrow(query)).to_pylist()
    entries = [
        _entry(plan, population, per_query, int(at), name, old, new, grades.get(name, {}))
        for at, name in zip(chosen, names, strict=True)
    ]
    data: dict[str, Any] = {
        "metric": plan.judged,
        "k": plan.k,
        "severe": -plan.severe,
        "queries": entries,
        "titles": {},
    }
    if chosen.size < change.size:
        data |= _of_all(change, plan.severe)
    title = "Old and new result lists, worst difference first"
    return (Exhibit("ranking-diff", title, data),)


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
    plan: Plan,
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
