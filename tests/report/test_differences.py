"""Old and new lists: what moved, what entered, what left."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from gates.domain.judging import Exhibit
from gates.evidence.evidence import CheckRecord
from gates.report.differences import RankingDifference
from gates.report.exhibits import ranking_differences

from . import evidence_factory as factory


def difference(
    *queries: dict[str, Any], more: Mapping[str, Any] | None = None
) -> RankingDifference:
    base = {"text": "lamp", "weight": 1.0, "slices": {}, "old": 0.5, "new": 0.5, "delta": 0.0}
    base |= {"overlap": 1.0, "rbo": 1.0, "top1_changed": False, "old_list": [], "new_list": []}
    rows = [{"id": f"q{n}", **base, **query} for n, query in enumerate(queries)]
    data: dict[str, Any] = {
        "metric": "ndcg@3",
        "k": 3,
        "severe": -0.3,
        "queries": rows,
        "titles": {"a": "Lamp A"},
    }
    data |= more or {}
    record = CheckRecord("ranking-diff", exhibits=(Exhibit("ranking-diff", "Lists", data),))
    run = dataclasses.replace(factory.first_version(), records=(record,))
    (found,) = ranking_differences(run)
    return found


def test_moves_are_told_from_both_lists() -> None:
    query = difference(
        {
            "old_list": [["a", 3], ["b", 1], ["c", None]],
            "new_list": [["b", 1, 2], ["a", 3, 1], ["d", 0, 7]],
        }
    ).queries[0]
    assert [p.arrow for p in query.old_list] == ["▼1", "▲1", "gone"]
    assert [p.arrow for p in query.new_list] == ["▲1", "▼1", "▲4"]
    assert query.old_list[0].title == "Lamp A"


def test_a_document_the_champion_never_ranked_is_new() -> None:
    (place,) = difference({"new_list": [["z", None, None]]}).queries[0].new_list
    assert place.arrow == "new"


def test_wins_ties_losses_and_queries_without_a_value_are_counted() -> None:
    found = difference(
        *({"delta": delta} for delta in (0.2, -0.3, None, 0.0, -0.31, -0.29)),
    )
    assert (found.counts.wins, found.counts.ties, found.counts.losses) == (1, 1, 3)
    assert (found.counts.severe, found.counts.undefined) == (2, 1)
    assert [q.delta for q in found.queries] == [-0.31, -0.3, -0.29, 0.0, 0.2, None]
    assert [q.delta for q in found.worst(2)] == [-0.31, -0.3]
    assert [q.delta for q in found.best(5)] == [0.2]


def test_a_large_comparison_is_counted_and_drawn_from_what_it_says_of_itself() -> None:
    counts = {"queries": 100_000, "wins": 40_000, "ties": 30_000, "losses": 29_990}
    counts |= {"severe": 700, "undefined": 10}
    found = difference(
        *({"delta": delta} for delta in (-0.4, -0.2, 0.3)),
        more={"counts": counts, "deltas": [-0.4, 0.0, 0.3]},
    )
    assert (found.counts.losses, found.counts.severe) == (29_990, 700)
    assert found.deltas == (-0.4, 0.0, 0.3)
    assert (
        found.listed
        == "3 of 100,000 queries are listed: those that lost most, and those that gained most"
    )


def test_what_annotators_said_and_why_documents_moved_is_read_where_it_is_told() -> None:
    features = [["title_match", 0.5, 0.1, -0.4], ["ctr", None, 0.2, None]]
    why = {"doc": "a", "from": 1, "to": None, "dcg": -0.5, "features": features}
    query = difference(
        {
            "old_list": [["a", 3], ["b", 1]],
            "spread": {"a": [3, 1, 2], "b": [1]},
            "why": [why],
        }
    ).queries[0]
    assert [(p.spread, p.is_disputed) for p in query.old_list] == [
        ((1, 2, 3), True),
        ((1,), False),
    ]
    (told,) = query.why
    assert (told.title, told.before, told.after, told.dcg) == ("Lamp A", 1, None, -0.5)
    assert [f.difference for f in told.features] == [-0.4, None]
    assert difference({}).queries[0].why == ()
