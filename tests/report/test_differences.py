"""Old and new lists: what moved, what entered, what left."""

from __future__ import annotations

import dataclasses
from typing import Any

from gates.domain import Exhibit
from gates.evidence import CheckRecord
from gates.report.differences import RankingDifference, ranking_differences

from . import evidence_factory as factory


def difference(*queries: dict[str, Any]) -> RankingDifference:
    base = {"text": "lamp", "weight": 1.0, "slices": {}, "old": 0.5, "new": 0.5, "delta": 0.0}
    base |= {"overlap": 1.0, "rbo": 1.0, "top1_changed": False, "old_list": [], "new_list": []}
    rows = [{"id": f"q{n}", **base, **query} for n, query in enumerate(queries)]
    data = {"metric": "ndcg@3", "k": 3, "severe": -0.3, "queries": rows, "titles": {"a": "Lamp A"}}
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
    assert [(p.title, p.before) for p in query.entered] == [("d", 7)]
    assert [p.title for p in query.left] == ["c"]
    assert query.old_list[0].title == "Lamp A"


def test_a_document_the_champion_never_ranked_is_new() -> None:
    (place,) = difference({"new_list": [["z", None, None]]}).queries[0].new_list
    assert place.arrow == "new"


def test_wins_ties_losses_and_queries_without_a_value_are_counted() -> None:
    found = difference(
        *({"delta": delta} for delta in (0.2, -0.3, None, 0.0, -0.31, -0.29)),
    )
    assert (found.wins, found.ties, found.losses) == (1, 1, 3)
    assert (found.severe_losses, found.undefined) == (2, 1)
    assert [q.delta for q in found.queries] == [-0.31, -0.3, -0.29, 0.0, 0.2, None]
    assert [q.delta for q in found.worst(2)] == [-0.31, -0.3]
    assert [q.delta for q in found.best(5)] == [0.2]
