"""Old and new lists: what moved, what entered, what left."""

from __future__ import annotations

from typing import Any

from gates.domain.exhibits import (
    Counts,
    DocumentMove,
    FeatureChange,
    NewPlace,
    OldPlace,
    QueryDifference,
    RankingDifference,
)
from gates.report.differences import ShownDifference, shown_differences


def query(**known: Any) -> QueryDifference:
    base: dict[str, Any] = {"id": "q", "text": "lamp", "weight": 1.0, "slices": {}}
    base |= {"old": 0.5, "new": 0.5, "delta": 0.0, "overlap": 1.0, "rbo": 1.0}
    base |= {"top1_changed": False, "old_list": (), "new_list": ()}
    return QueryDifference(**{**base, **known})


def difference(*queries: QueryDifference, **more: Any) -> ShownDifference:
    lists = RankingDifference(
        "Lists", "ndcg@3", k=3, severe=-0.3, queries=queries, titles={"a": "Lamp A"}, **more
    )
    (found,) = shown_differences((lists,))
    return found


def test_moves_are_told_from_both_lists() -> None:
    (shown,) = difference(
        query(
            old_list=(OldPlace("a", 3), OldPlace("b", 1), OldPlace("c", None)),
            new_list=(NewPlace("b", 1, 2), NewPlace("a", 3, 1), NewPlace("d", 0, 7)),
        )
    ).queries
    assert [p.arrow for p in shown.old_list] == ["▼1", "▲1", "gone"]
    assert [p.arrow for p in shown.new_list] == ["▲1", "▼1", "▲4"]
    assert shown.old_list[0].title == "Lamp A"


def test_a_document_the_champion_never_ranked_is_new() -> None:
    (shown,) = difference(query(new_list=(NewPlace("z", None, None),))).queries
    assert [place.arrow for place in shown.new_list] == ["new"]


def test_wins_ties_losses_and_queries_without_a_value_are_counted() -> None:
    found = difference(*(query(delta=delta) for delta in (0.2, -0.3, None, 0.0, -0.31, -0.29)))
    assert (found.counts.wins, found.counts.ties, found.counts.losses) == (1, 1, 3)
    assert (found.counts.severe, found.counts.undefined) == (2, 1)
    assert [q.query.delta for q in found.queries] == [-0.31, -0.3, -0.29, 0.0, 0.2, None]
    assert [q.query.delta for q in found.worst(2)] == [-0.31, -0.3]
    assert [q.query.delta for q in found.best(5)] == [0.2]


def test_a_large_comparison_is_counted_and_drawn_from_what_it_says_of_itself() -> None:
    found = difference(
        *(query(delta=delta) for delta in (-0.4, -0.2, 0.3)),
        counts=Counts(100_000, 40_000, 30_000, 29_990, severe=700, undefined=10),
        deltas=(-0.4, 0.0, 0.3),
    )
    assert (found.counts.losses, found.counts.severe) == (29_990, 700)
    assert found.deltas == (-0.4, 0.0, 0.3)
    assert (
        found.listed
        == "3 of 100,000 queries are listed: those that lost most, and those that gained most"
    )


def test_what_annotators_said_and_why_documents_moved_is_read_where_it_is_told() -> None:
    features = (FeatureChange("title_match", 0.5, 0.1, -0.4), FeatureChange("ctr", None, 0.2, None))
    (shown,) = difference(
        query(
            old_list=(OldPlace("a", 3), OldPlace("b", 1)),
            spread={"a": (3, 1, 2), "b": (1,)},
            moves=(DocumentMove("a", 1, None, -0.5, features),),
        )
    ).queries
    assert [(p.spread, p.is_disputed) for p in shown.old_list] == [
        ((1, 2, 3), True),
        ((1,), False),
    ]
    ((title, move),) = shown.moves
    assert (title, move.before, move.after, move.dcg) == ("Lamp A", 1, None, -0.5)
    assert [f.difference for f in move.features] == [-0.4, None]
    (plain,) = difference(query()).queries
    assert plain.moves == ()
