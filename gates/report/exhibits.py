"""Reading `ranking-diff` exhibits; `gates.comparison.exhibits` says what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gates.domain.judging import Exhibit
from gates.errors import EvidenceError
from gates.evidence.evidence import Evidence
from gates.report.differences import (
    Counts,
    Feature,
    Move,
    QueryDifference,
    RankingDifference,
    ShownDocument,
    Why,
)

__all__ = ["ranking_difference", "ranking_differences"]


def ranking_differences(evidence: Evidence) -> Iterator[RankingDifference]:
    """Every `ranking-diff` exhibit of a run.

    Raises:
        EvidenceError: An exhibit of that kind does not hold what the kind promises.
    """
    for record in evidence.records:
        for exhibit in record.exhibits:
            if exhibit.kind == "ranking-diff":
                yield ranking_difference(record.check, exhibit)


def ranking_difference(check: str, exhibit: Exhibit) -> RankingDifference:
    """One `ranking-diff` exhibit, read.

    Args:
        check: The check that made it.
        exhibit: The exhibit.

    Raises:
        EvidenceError: It does not hold what its kind promises.
    """
    data = exhibit.data
    try:
        titles = data["titles"]
        queries = [_query(one, titles) for one in data["queries"]]
        # The order is promised, but a picture must not lie when it is broken.
        queries.sort(key=lambda q: (q.delta is None, q.delta or 0.0))
        grades = [p.grade for q in queries for p in q.old_list + q.new_list if p.grade is not None]
        every = [q.delta for q in queries if q.delta is not None]
        severe, why = float(data["severe"]), data.get("why") or {}
        return RankingDifference(
            check,
            exhibit.title,
            str(data["metric"]),
            int(data["k"]),
            severe,
            tuple(queries),
            max(grades, default=0.0),
            _counts(data["counts"]) if "counts" in data else _counted(every, severe, len(queries)),
            tuple(sorted(data.get("deltas") or every)),
            str(why.get("note") or ""),
            str(why.get("reason") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as damage:
        raise EvidenceError(
            f"the exhibit '{exhibit.title}' of check '{check}' is not a ranking difference: "
            f"{type(damage).__name__} {damage}",
            path="evidence.json",
            advice="run the gate again with this version of mlgates",
        ) from None


def _counts(data: Mapping[str, Any]) -> Counts:
    names = ("queries", "wins", "ties", "losses", "severe", "undefined")
    return Counts(**{name: int(data[name]) for name in names})


def _counted(deltas: Sequence[float], severe: float, queries: int) -> Counts:
    return Counts(
        queries,
        wins=sum(delta > 0 for delta in deltas),
        ties=sum(delta == 0 for delta in deltas),
        losses=sum(delta < 0 for delta in deltas),
        severe=sum(delta <= severe for delta in deltas),
        undefined=queries - len(deltas),
    )


def _query(data: Mapping[str, Any], titles: Mapping[str, str]) -> QueryDifference:
    new_ranks = {doc: rank for rank, (doc, _, _) in enumerate(data["new_list"], 1)}
    raw = data.get("spread") or {}
    spread = {doc: tuple(sorted(map(float, grades))) for doc, grades in raw.items()}
    old = tuple(
        _place(rank, titles.get(doc) or doc, grade, rank, new_ranks.get(doc), spread.get(doc, ()))
        for rank, (doc, grade) in enumerate(data["old_list"], 1)
    )
    new = tuple(
        _place(rank, titles.get(doc) or doc, grade, before, rank, spread.get(doc, ()))
        for rank, (doc, grade, before) in enumerate(data["new_list"], 1)
    )
    return QueryDifference(
        **{name: data[name] for name in ("id", "text", "weight", "slices", "old", "new", "delta")},
        **{name: data[name] for name in ("overlap", "rbo", "top1_changed")},
        old_list=old,
        new_list=new,
        why=tuple(_whys(data.get("why") or (), titles)),
    )


def _place(
    rank: int,
    title: str,
    grade: float | None,
    before: int | None,
    after: int | None,
    spread: tuple[float, ...],
) -> ShownDocument:
    if before is None or after is None:
        move: Move = "new" if before is None else "gone"
        return ShownDocument(rank, title, grade, move, 0, before, spread)
    move = "up" if after < before else "down" if after > before else "same"
    return ShownDocument(rank, title, grade, move, abs(after - before), before, spread)


def _whys(data: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> Iterator[Why]:
    for one in data:
        features = tuple(
            Feature(str(name), old, new, difference)
            for name, old, new, difference in one.get("features") or ()
        )
        title = titles.get(one["doc"]) or one["doc"]
        yield Why(title, one.get("from"), one.get("to"), one.get("dcg"), features)
