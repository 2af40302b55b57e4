"""Where to look: old and new lists side by side, documents to judge, and slices that lost most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gates.comparison.measure import MeasuredQueries
from gates.comparison.rows import QueryLists, RankedRows
from gates.domain.exhibits import (
    Cell,
    Counts,
    NewPlace,
    OldPlace,
    QueryDifference,
    RankingDifference,
    Table,
    TableId,
)
from gates.kernels import similarity
from gates.kernels.discovery import LosingSlice, code, worst_slices
from gates.kernels.matching import Lists, as_codes, pair
from gates.kernels.packed import Bools, Floats, Ints
from gates.kernels.traits import traits

__all__ = ["judge_next", "most_changed", "side_by_side", "worst_places"]

_WORST, _BEST = 200, 50
_TRAITS = 200_000  # queries whose texts are looked at; beyond it that would take the longest
_VALUES = 100  # of a column that may be searched: ids are no slices
_SAMPLE = 600  # differences that a picture of all queries is drawn from


def most_changed(gain: Floats, *, all_of_them: bool) -> Ints:
    """Places of the queries to show, int64[at most P], worst first, those without a value last.

    Args:
        gain: float64[P], by how much each query is better.
        all_of_them: Whether every query is shown however many there are; else the 200 that lost
            most and the 50 that gained most.
    """
    order = np.lexsort((np.arange(gain.size), gain))
    if all_of_them or gain.size <= _WORST + _BEST:
        return order
    exists = int((~np.isnan(gain)).sum())
    worst = order[: min(_WORST, exists)]
    return np.concatenate((worst, order[max(worst.size, exists - _BEST) : exists]))


def side_by_side(
    queries: MeasuredQueries,
    rows: RankedRows,
    chosen: Ints,
    lists: Mapping[int, QueryLists],
    k: int,
) -> RankingDifference:
    """Old and new top k of some queries, in their order.

    Args:
        queries: All queries that count.
        rows: Both rankings.
        chosen: int64[C], places of the queries to show among those that count, worst first.
        lists: Their lists, by number.
        k: How many documents of each list to show.
    """
    metric, gain = queries.measures.judged, queries.gain
    index = queries.population.index[chosen]
    names, shown = rows.names(index), [lists[one] for one in index.tolist()]
    likeness = _likeness(shown, k, queries.measures.persistence)
    titles: dict[str, str] = {}
    found = []
    for at, name, own, alike in zip(chosen.tolist(), names, shown, likeness, strict=True):
        found.append(_query(queries, at, name, own, k, alike))
        seen = dict.fromkeys((*own.old[:k], *own.new[:k]))
        titles |= {doc: own.titles[doc] for doc in seen if doc in own.titles}
    title = "Old and new result lists, worst difference first"
    lists_of = RankingDifference(title, metric.name, k, -queries.severe, tuple(found), titles)
    return _of_all(lists_of, gain) if len(found) < gain.size else lists_of


def judge_next(
    queries: MeasuredQueries,
    lists: Mapping[int, QueryLists],
    called: Mapping[int, str],
) -> Iterator[Table]:
    """The unjudged documents in either top k that could move the mean most; none when all are.

    Args:
        queries: All queries that count.
        lists: The lists of those with such a document, by number.
        called: What to call those queries.
    """
    table: list[list[Cell]] = []
    for one in queries.per_query.judge_next:
        own = lists[one.query]
        doc = own.new[one.new - 1] if one.new else own.old[one.old - 1]
        title = own.titles.get(doc)
        power = round(one.power, 6)
        table.append([called[one.query], doc, title, one.old or None, one.new or None, power])
    if table:
        columns = ["query", "document", "title", "old rank", "new rank", "could move the mean by"]
        yield Table("Documents to judge next", columns, table, TableId.JUDGE_NEXT)


def worst_places(queries: MeasuredQueries) -> Iterator[Table]:
    """Slices, found by search, in which the new ranking is worse than elsewhere; none if all hold.

    Slice columns are searched, and beside them what the queries' texts show.

    Args:
        queries: All queries that count.
    """
    population = queries.population
    columns = dict(population.slices)
    if population.text and len(population.text) <= _TRAITS:
        brands = {one for one in columns.get("brand", ()) if one}
        columns = {**traits(population.text, population.traffic, brands), **columns}
    few = {name: values for name, values in columns.items() if len(set(values)) <= _VALUES}
    found = worst_slices(code(few), queries.gain, population.weight)
    if found:
        columns_shown = ["slice", "queries", "difference there", "elsewhere", "adjusted p"]
        title = "Where the candidate is worst (found by search, advisory)"
        yield Table(title, columns_shown, list(map(_place, found)), TableId.WORST_SLICES)


def _place(one: LosingSlice) -> list[Cell]:
    words = " and ".join(f"{column} = {value}" for column, value in one.conditions)
    return [words, one.n, round(one.mean, 4), round(one.rest, 4), round(one.p, 6)]


def _query(
    queries: MeasuredQueries, at: int, name: str, lists: QueryLists, k: int, alike: _Likeness
) -> QueryDifference:
    population, values = queries.population, queries.per_query
    metric = queries.measures.judged.name
    place = {doc: rank for rank, doc in enumerate(lists.old, 1)}
    shown = {*lists.old[:k], *lists.new[:k]}
    return QueryDifference(
        id=name,
        text=population.text[at] if population.text else name,
        weight=float(population.traffic[at]),
        slices={column: str(of[at]) for column, of in population.slices.items()},
        old=_number(values.old[metric][at]),
        new=_number(values.new[metric][at]),
        delta=_number(queries.gain[at]),
        overlap=alike.overlap,
        rbo=alike.rbo,
        top1_changed=alike.top1_changed,
        old_list=tuple(OldPlace(doc, _number(lists.grades.get(doc))) for doc in lists.old[:k]),
        new_list=tuple(
            NewPlace(doc, _number(lists.grades.get(doc)), place.get(doc)) for doc in lists.new[:k]
        ),
        spread={doc: tuple(of) for doc, of in lists.annotators.items() if doc in shown},
    )


class _Likeness(NamedTuple):
    """How alike the top k of a query are."""

    overlap: float | None
    rbo: float | None
    top1_changed: bool


def _likeness(shown: Sequence[QueryLists], k: int, persistence: float) -> Iterator[_Likeness]:
    """How alike the top k of each query are."""
    number: dict[str, int] = {}
    packed = []
    for arm in ("old", "new"):
        tops = [getattr(one, arm)[:k] for one in shown]
        codes = [number.setdefault(doc, len(number)) for top in tops for doc in top]
        starts = np.cumsum([0, *map(len, tops)], dtype=np.int64)
        packed.append(Lists(starts, as_codes(np.array(codes, np.int64))))
    both = pair(*packed)
    overlap, rbo = similarity.overlap_at(both, k), similarity.rbo(both, p=persistence)
    changed: Bools = similarity.top1_changed(both)
    for of_query in zip(overlap.tolist(), rbo.tolist(), changed.tolist(), strict=True):
        alike, biased, top1 = of_query
        yield _Likeness(_number(alike), _number(biased), top1)


def _of_all(shown: RankingDifference, gain: Floats) -> RankingDifference:
    """With what the page says of the queries whose lists are not shown."""
    known = np.sort(gain[~np.isnan(gain)])
    sample = known[np.linspace(0, max(known.size - 1, 0), min(_SAMPLE, known.size)).astype(int)]
    counts = Counts(
        queries=int(gain.size),
        wins=int((known > 0).sum()),
        ties=int((known == 0).sum()),
        losses=int((known < 0).sum()),
        severe=int((known <= shown.severe).sum()),
        undefined=int(gain.size - known.size),
    )
    deltas = tuple(round(float(one), 6) for one in sample)
    return replace(shown, counts=counts, deltas=deltas)


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(float(value), 6)
