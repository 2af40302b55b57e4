"""Why a document moved: its features' contributions beside those of its query, old and new."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from gates.domain.exhibits import RankingDifference, Table
from gates.domain.judging import Role
from gates.domain.subject import Columns, Contributions, GoldenSet, NoContributions
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run


def linear(role: Role, weights: Mapping[str, float], *, bias: float = 0.0) -> FakeArm:
    """A ranker that adds up weighted features, and can tell."""

    def explain(columns: Columns) -> Contributions:
        values = np.stack([weight * np.asarray(columns[n]) for n, weight in weights.items()], 1)
        return Contributions(tuple(weights), values, np.full(len(values), bias))

    def score(columns: Columns) -> Any:
        told = explain(columns)
        return told.values.sum(axis=1) + told.bias

    return FakeArm(role, score, explain=explain, inputs=tuple(weights))


def shown(subject: FakeSubject, **options: Any) -> tuple[RankingDifference, list[Table]]:
    """Old and new lists, and the tables of input features after them."""
    found = run("ranking-diff", subject, "ndcg@10.delta", **options)
    (lists,) = found.lists
    json.dumps(dataclasses.asdict(lists), allow_nan=False)
    return lists, [one for one in found.tables if "features" in one.title]


# In the first query the candidate lets `worn` win over `title`; the second gains.
GOLDEN = golden_set(
    lists=[{"a": 3.0, "b": 0.0, "c": None}, {"d": 0.0, "e": 1.0}],
    features={
        "title": [1.0, 0.5, 0.25, 1.0, 0.0],
        "worn": [0.0, 1.0, 0.5, 0.0, 3.0],
        "same": [0.5, 0.5, 0.5, 2.0, 2.0],
    },
)
OLD, NEW = {"title": 2.0, "same": 1.0}, {"title": 1.0, "worn": 2.0, "same": 9.0}


def pair(golden: GoldenSet = GOLDEN) -> FakeSubject:
    return FakeSubject(golden, linear("candidate", NEW), linear("champion", OLD, bias=40.0))


def test_a_lost_query_says_which_features_moved_its_documents() -> None:
    data, _ = shown(pair())
    assert data.why_reason == ""
    worst, best = data.queries
    assert not best.moves, "it lost nothing"
    assert [(one.document, one.before, one.after) for one in worst.moves] == [
        ("a", 1, 3),
        ("b", 2, 1),
        ("c", 3, 2),
    ]
    assert worst.moves[0].dcg == pytest.approx(3 / math.log2(4) - 3, abs=1e-6)
    # Beside the query's means: title 0.58333, worn 0.5; what is the same for all moves none.
    worn, title = worst.moves[0].features
    assert worn == ("worn", None, -1.0, -1.0)
    assert title.name == "title"
    assert title[1:] == pytest.approx((0.833333, 0.416667, -0.416667))


def test_a_contribution_of_both_versions_has_both_numbers() -> None:
    golden = golden_set(lists=[{"a": 1.0, "b": 0.0}], features={"x": [1.0, 0.0], "y": [0.0, 1.0]})
    subject = FakeSubject(
        golden,
        linear("candidate", {"x": 1.0, "y": 1.5}),
        linear("champion", {"x": 1.0, "y": 0.5}),
    )
    (query,) = shown(subject)[0].queries
    assert query.moves[0].document == "a"
    assert query.moves[0].features == (("y", -0.25, -0.75, -0.5),), "x did not change"


def test_how_to_read_it_is_said_with_the_numbers() -> None:
    note = shown(pair())[0].why_note
    assert "relative to its mean over the candidates of the same query" in note
    assert "in each version's own score units" in note
    assert "stray from their mean by 0.624 in the old version and 0.656 in the new" in note


def test_each_version_is_asked_once_and_only_for_candidates_of_lost_queries() -> None:
    subject = pair()
    shown(subject)
    for arm in (subject.candidate, subject.champion):
        assert arm
        (frame,) = arm.explained
        assert {name: list(values) for name, values in frame.items()} == {
            name: list(values[:3]) for name, values in GOLDEN.features.items()
        }
        assert arm.calls == 1


def lost(queries: int, documents: int) -> FakeSubject:
    """Every query turned upside down, each a little worse than the one before it."""
    lists = [
        {f"d{d:04}": 1.0 + q / queries if d == 0 else 0.0 for d in range(documents)}
        for q in range(queries)
    ]
    x = [float(documents - d) for d in range(documents)] * queries
    golden = golden_set(lists=lists, features={"x": x, **{f"f{n}": x for n in range(7)}})
    turned = {"x": -1.0, **{f"f{n}": -0.1 * n for n in range(7)}}
    return FakeSubject(golden, linear("candidate", turned), linear("champion", {"x": 1.0}))


def test_it_keeps_to_the_worst_twenty_queries_and_to_five_documents_and_features() -> None:
    queries = shown(lost(30, 8))[0].queries
    explained = [one for one in queries if one.moves]
    assert explained == [*queries[:20]]
    for one in explained:
        assert len(one.moves) == 5
        assert one.moves[0].document == "d0000", "the one that cost most is first"
        assert all(len(document.features) == 5 for document in one.moves)


def test_long_lists_are_explained_for_fewer_queries() -> None:
    subject = lost(3, 480)
    queries = shown(subject)[0].queries
    assert [bool(one.moves) for one in queries] == [True, True, False]
    assert len(subject.candidate.explained[0]["x"]) == 960


def test_a_list_too_long_to_explain_is_a_reason() -> None:
    subject = lost(1, 1001)
    assert "more candidates than can be explained" in shown(subject)[0].why_reason
    assert not subject.candidate.explained


def test_documents_that_moved_only_below_the_depth_are_not_shown() -> None:
    golden = golden_set(
        lists=[{"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}],
        features={"x": [4.0, 3.0, 2.0, 1.0], "y": [0.0, 1.5, 0.0, 1.5]},
    )
    subject = FakeSubject(
        golden, linear("candidate", {"x": 1.0, "y": 1.0}), linear("champion", {"x": 1.0})
    )
    (lists,) = run("ranking-diff", subject, "ndcg@1.delta").lists
    (query,) = lists.queries
    assert [one.document for one in query.moves] == ["a", "b"]


@pytest.mark.parametrize("mute", ["candidate", "champion"])
def test_a_version_that_cannot_explain_is_named_with_its_reason(mute: str) -> None:
    subject = pair()
    arm = subject.candidate if mute == "candidate" else subject.champion
    assert arm
    arm.explain = lambda columns: NoContributions("it died while explaining")
    data, _ = shown(subject)
    reason = f"Not available from {mute} models:/m/1: it died while explaining."
    assert (data.why_note, data.why_reason) == ("", reason)
    assert not any(one.moves for one in data.queries)


def test_what_cannot_be_explained_changes_no_number() -> None:
    mute = pair()
    mute.candidate.explain = lambda columns: NoContributions("it died while explaining")
    told = run("ranking-diff", pair(), "ndcg@10.delta", "mrr.delta")
    untold = run("ranking-diff", mute, "ndcg@10.delta", "mrr.delta")
    assert told.measurements == untold.measurements


def test_contributions_that_do_not_make_the_order_are_not_shown() -> None:
    subject = pair()
    subject.candidate.score = lambda columns: range(5)
    reason = shown(subject)[0].why_reason
    assert reason.endswith("does not add up to the order of its documents.")


def test_the_score_may_be_any_rising_function_of_what_adds_up() -> None:
    subject = pair()
    trees = subject.candidate.score
    subject.candidate.score = lambda columns: np.tanh(np.float32(trees(columns)) / 10)
    assert shown(subject)[0].why_reason == ""


def test_where_no_query_lost_nobody_is_asked() -> None:
    subject = FakeSubject(GOLDEN, linear("candidate", OLD), linear("champion", OLD))
    data, others = shown(subject)
    assert (data.why_note, data.why_reason) == ("", "No query lost.")
    assert not others
    assert not subject.candidate.explained


def test_input_features_that_differ_are_a_table_with_how_much_they_matter() -> None:
    _, (table,) = shown(pair())
    assert table.title == "Input features of the two versions"
    assert table.columns[:3] == ["feature", "champion", "candidate"]
    assert table.rows == [
        ["worn", False, True, None, pytest.approx(2 / 3, abs=1e-6)],
        ["title", True, True, pytest.approx(0.555556), pytest.approx(0.277778)],
        ["same", True, True, 0.0, 0.0],
    ]


def test_input_features_differ_for_any_kind_of_model() -> None:
    subject = pair()
    subject.candidate.explain = lambda columns: NoContributions("it is a network")
    _, (table,) = shown(subject)
    assert table.columns == ["feature", "champion", "candidate"]
    assert table.rows[0] == ["worn", False, True]


@pytest.mark.parametrize("inputs", [None, ("same", "title")])
def test_input_features_that_are_unknown_or_the_same_are_no_table(
    inputs: tuple[str, ...] | None,
) -> None:
    subject = pair()
    subject.candidate.inputs = inputs
    assert shown(subject)[1] == []
