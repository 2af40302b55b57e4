"""A card says what is wrong with it by file, line, key and the nearest valid name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gates.card.card import Card, read_card
from gates.checks import catalogue
from gates.domain.judging import Cause, Outcome, judge
from gates.errors import CardError
from gates.golden import read_golden
from tests.toys import CARD, make_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "shop")


def read(project: Path, text: str) -> Card:
    path = project / "model_cards" / "toy-ranker.md"
    path.write_text(text)
    return read_card(path, catalogue(), project=project)


def test_a_valid_card_asks_its_checks_for_their_metrics(project: Path) -> None:
    card = read(project, CARD)
    assert list(card.plans) == ["lockfile", "behaviour", "ranking-diff"]
    assert card.plans["ranking-diff"].slices == ("category",)
    assert "unpinned" in card.plans["lockfile"].metrics


def test_slice_columns_become_one_bound_a_value(project: Path) -> None:
    bounds = read(project, CARD).bounds(read_golden(project / "golden" / "toy-ranker"))
    ids = [bound.id for bound in bounds]
    assert "ranking-diff::ndcg@10.delta[category=lamps]" in ids
    assert "ranking-diff::ndcg@10.delta[category=chairs]" in ids


@pytest.mark.parametrize("asked", ["category", "traffic"])
def test_a_slice_that_no_query_has_is_demanded_all_the_same(project: Path, asked: str) -> None:
    golden = read_golden(project / "golden" / "toy-ranker")
    nobody = dict.fromkeys((*golden.slices, asked), ("",) * len(golden.query_id))
    card = read(project, CARD.replace("category:", f"{asked}:"))
    bounds = card.bounds(dataclasses.replace(golden, slices=nobody))
    (bound,) = (one for one in bounds if one.slice)
    assert bound.id == f"ranking-diff::ndcg@10.delta[{asked}=]"
    judged = judge(bound, None)
    assert (judged.outcome, judged.cause) == (Outcome.UNDECIDED, Cause.NOTHING_COMPARED)
    assert judged.reason == f"no golden query has a value of '{asked}'"


def test_how_old_evidence_may_be_is_no_part_of_what_is_judged_by(project: Path) -> None:
    aged = read(project, CARD.replace("task:", "evidence_days: 30\ntask:"))
    assert (aged.policy.evidence_days, aged.digest) == (30, read(project, CARD).digest)


def test_where_the_score_stands_changes_the_digest_once_it_is_written(project: Path) -> None:
    plain = read(project, CARD.replace("{start_seconds", "{answer: {}, start_seconds"))
    said = read(project, CARD.replace("{start_seconds", "{answer: {score: 1}, start_seconds"))
    assert plain.digest == read(project, CARD).digest
    assert said.policy.environment.answer.score == 1
    assert said.digest != plain.digest


def test_prose_may_change_without_changing_the_digest(project: Path) -> None:
    assert read(project, CARD).digest == read(project, CARD + "\nMore words.\n").digest


def test_policy_may_not(project: Path) -> None:
    assert read(project, CARD).digest != read(project, CARD.replace("-0.02", "-0.03")).digest


@pytest.mark.parametrize(
    ("written", "limit"), [("-2%", -0.02), ("-0.5 %", -0.005), ("-0.02", -0.02)]
)
def test_a_percentage_is_the_share_it_says(project: Path, written: str, limit: float) -> None:
    relative = CARD.replace("ndcg@10.delta:", "ndcg@10.change:")
    card = read(project, relative.replace("min: -0.02", f"min: {written}", 1))
    bounds = card.bounds(read_golden(project / "golden" / "toy-ranker"))
    (bound,) = (one for one in bounds if one.metric == "ndcg@10.change" and not one.slice)
    assert bound.minimum == pytest.approx(limit)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("owners:", "owner:", 4, ["unknown key 'owner'", "did you mean 'owners'"]),
        ("ranking-diff:\n", "rankingdiff:\n", 11, ["unknown check", "did you mean 'ranking-diff'"]),
        ("ndcg@10.delta:", "ndgc@10.delta:", 14, ["no metric 'ndgc@10.delta'", "ndcg@{k}.delta"]),
        ("min: -0.02", "min: low", 15, ["min", "number", "'low'"]),
        ("min: -0.02", "min: .nan", 15, ["min", "finite"]),
        ("min: -0.02", "min: -2%", 13, ["ndcg@10.delta", "bound 'ndcg@10.change'"]),
        ("max: 0.4", "max: [1]", 18, ["max", "number"]),
        ("{max: 0.4}", "{}", 18, ["needs 'min', 'max' or both"]),
        (
            "severe: 0.3",
            "sever: 0.3",
            12,
            ["option 'sever'", "did you mean 'severe'"],
        ),
        (
            "task: ranking",
            "task: rankings",
            3,
            ["'task': expected a task", "did you mean 'ranking'"],
        ),
        ("task: ranking", "task: [ranking]", 3, ["'task': expected a task"]),
        ("model: toy-ranker", "golden: golden/none\nmodel: toy-ranker", 2, ["no golden set"]),
        ("  lockfile: {}", "  score-range: {}", 7, ["not for ranking models", "ranking-diff"]),
        ("  lockfile: {}", "  lockfile: {bounds: {}}\n  lockfile: {}", 8, ["written twice"]),
        (
            "  lockfile: {}",
            "  equivalence:\n    bounds:\n      changed-labels: {max: 0}",
            9,
            ["does not measure 'changed-labels' for ranking models", "changed-orders"],
        ),
        ("memory_mb: 1024", "memory_mb: -5", 5, ["memory_mb", "64"]),
        ("memory_mb: 1024", "python: '3.१२'", 5, ["python"]),
        ("memory_mb: 1024", "python: /bin/sh", 5, ["python"]),
        ("memory_mb: 1024", 'python: "3.12\\n"', 5, ["python"]),
        ("memory_mb: 1024", "kind: docker, image: ../../containers/json", 5, ["image"]),
        ("memory_mb: 1024", "kind: docker, image: --privileged", 5, ["image"]),
        ("memory_mb: 1024", "kind: docker, image: 'a b'", 5, ["image"]),
        ("memory_mb: 1024", "kind: docker, image: 'https://a/b'", 5, ["image"]),
        ("---\nmodel", "model", 1, ["front matter"]),
        ("owners: [search@example.com]", "owners: [", None, ["not valid YAML"]),
        ("must-be-first: {min: 1.0}", "must-be-first: {min: 2, max: 1}", 10, ["above 'max'"]),
    ],
)
def test_each_mistake_has_its_own_message(
    project: Path, old: str, new: str, line: int | None, words: list[str]
) -> None:
    assert old in CARD
    with pytest.raises(CardError) as caught:
        read(project, CARD.replace(old, new, 1))
    message = str(caught.value)
    assert "toy-ranker.md" in message
    for word in words:
        assert word in message
    if line is not None:
        assert caught.value.line == line, message


def test_a_card_that_requires_nothing_is_an_error(project: Path) -> None:
    text = CARD.split("checks:")[0] + "checks:\n  lockfile: {advisory: true}\n---\n"
    with pytest.raises(CardError, match="requires nothing"):
        read(project, text)


def test_a_slice_that_the_golden_set_lacks_is_named(project: Path) -> None:
    golden = read_golden(project / "golden" / "toy-ranker")
    for wrong, near in (("categorie: {", "'category'"), ("category=lamp: {", "'lamps'")):
        card = read(project, CARD.replace("category: {", wrong))
        with pytest.raises(CardError, match=near):
            card.bounds(golden)


def test_a_missing_card_names_its_neighbours(project: Path) -> None:
    with pytest.raises(CardError, match=r"did you mean 'toy-ranker\.md'"):
        read_card(project / "model_cards" / "toy-rankr.md", catalogue(), project=project)


def test_yaml_that_builds_objects_is_refused(project: Path) -> None:
    text = CARD.replace("model: toy-ranker", "model: !!python/object/apply:os.getcwd []")
    with pytest.raises(CardError, match="not valid YAML"):
        read(project, text)


KEY = "MCowBQYDK2VwAyEA" + "A" * 43 + "="


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (f"{{needed: 2, keys: {{ann: {KEY}}}}}", "2 are needed, and 1 can approve"),
        (f"{{keys: {{ann: {KEY}, ben: {KEY}}}}}", "the same key"),
        ("{keys: {ann: keys/ann.pub}}", "pattern"),
        ("{keys: {}}", "at least 1"),
        (f"{{keys: {{ann: {KEY}}}, need: 1}}", "did you mean 'needed'"),
        (f"{{keys: {{ann: {KEY}}}}}\npromote: on-pass", "leaves no time"),
    ],
)
def test_approvals_that_cannot_be_given_are_an_error(
    project: Path, written: str, words: str
) -> None:
    with pytest.raises(CardError) as caught:
        read(project, CARD.replace("task:", f"approvals: {written}\ntask:"))
    assert words in str(caught.value)


def test_who_has_to_approve_is_part_of_what_is_judged_by(project: Path) -> None:
    asking = CARD.replace("task:", f"approvals: {{keys: {{ann: {KEY}}}}}\ntask:")
    assert read(project, asking).digest != read(project, CARD).digest
