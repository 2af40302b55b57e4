"""Two rankers on real products and real judgments, through the real commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine
from tests.real import chorus
from tests.real.conftest import Desk
from tests.sealed import record_in

pytestmark = pytest.mark.requires_real_data


def gated(
    gates: CommandLine, desk: Desk, candidate: str, champion: str, output: Path
) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of `gates run` for two versions by name."""
    versions = (desk.uri(candidate), "--champion", desk.uri(champion))
    answer = gates("run", *versions, desk.options(), "--output", str(output), "--json")
    assert answer.out, answer.err
    said: dict[str, Any] = json.loads(answer.out)
    return answer.code, said


def exhibits(said: dict[str, Any]) -> list[dict[str, Any]]:
    """What the ranking difference of a run shows."""
    records = record_in(Path(said["evidence"]))["records"]
    (shown,) = (one["exhibits"] for one in records if one["check"] == "ranking-diff")
    return list(shown)


def test_the_golden_set_holds_no_query_that_was_trained_on(chorus_desk: Desk) -> None:
    golden = chorus_desk.project / "golden" / chorus.MODEL
    training = chorus_desk.project / "models" / chorus.MODEL / "data" / "training.csv"
    judged_on = {row["query_id"] for row in chorus.read_rows(golden / "queries.csv")}
    trained_on = {row["query_id"] for row in chorus.read_rows(training)}
    assert len(judged_on) >= 50
    assert len(trained_on) >= 50
    assert not judged_on & trained_on


def test_three_raters_stand_beside_the_grade_of_record(chorus_desk: Desk) -> None:
    from gates.golden import read_golden

    golden = read_golden(chorus_desk.project / "golden" / chorus.MODEL)
    assert set(golden.annotators) == {"rater_1", "rater_2", "rater_3"}
    assert any("differs from the annotators' median" in one for one in golden.warnings)
    assert any("no relevant document" in one for one in golden.warnings)


def test_the_better_ranker_does_not_fail_and_is_not_promoted_while_undecided(
    gates: CommandLine, chorus_desk: Desk, tmp_path: Path
) -> None:
    desk = chorus_desk.copy(tmp_path)
    code, said = gated(gates, desk, "more", "few", tmp_path)
    outcomes = {one["id"]: one["outcome"] for one in said["bounds"]}
    assert "FAIL" not in {one["outcome"] for one in said["bounds"] if not one["advisory"]}
    assert outcomes["ranking-diff::ndcg@10.delta"] == "PASS"
    # One brand query with a relevant product is no ground to judge a slice on.
    assert outcomes["ranking-diff::ndcg@10.delta[brand=yes]"] == "UNDECIDED"
    assert code == 3
    refused = gates("promote", desk.uri("more"), "--why", "finds more", desk.options())
    assert refused.code == 1
    assert "the verdict is UNDECIDED" in refused.err
    assert "the alias has not moved" in refused.err


def test_the_weaker_ranker_never_passes_and_evidence_says_which_it_is_and_why(
    gates: CommandLine, chorus_desk: Desk, tmp_path: Path
) -> None:
    code, said = gated(gates, chorus_desk, "few", "more", tmp_path)
    assert code in {1, 3}
    assert said["verdict"] in {"FAIL", "UNDECIDED"}
    page = Path(said["reports"]["html"]).read_text(encoding="utf-8")
    assert f"chorus-ranker version 1 {'must' if code == 1 else 'may'} not replace version 2" in page
    assert any("ndcg@10.delta" in reason for reason in said["reasons"])
    lists, inputs = exhibits(said)
    assert lists["why_reason"] == ""
    moves = [move for one in lists["queries"] for move in one["moves"]]
    features = [feature for move in moves for feature in move["features"]]
    assert {name for name, *_ in features} <= set(chorus.MORE)
    gone = [(old, new) for name, old, new, _ in features if name not in chorus.FEW]
    assert gone
    assert all(old is not None and new is None for old, new in gone)
    assert [row[1:3] for row in inputs["rows"]].count([True, False]) == 11


def test_shuffled_scores_fail(gates: CommandLine, chorus_desk: Desk, tmp_path: Path) -> None:
    code, said = gated(gates, chorus_desk, "shuffled", "more", tmp_path)
    assert code == 1
    failed = {one["id"] for one in said["bounds"] if one["outcome"] == "FAIL"}
    assert failed >= {"ranking-diff::ndcg@10.delta", "ranking-diff::severe-losses"}
    # The booster behind the shuffling is found, and is not what ordered these documents.
    reason = exhibits(said)[0]["why_reason"]
    assert "does not add up to the order of its documents" in reason


def test_a_version_against_itself_is_refused(gates: CommandLine, chorus_desk: Desk) -> None:
    uri = chorus_desk.uri("more")
    answer = gates("run", uri, "--champion", uri, chorus_desk.options())
    assert answer.code == 2
    assert answer.err.startswith("error: candidate models:/chorus-ranker/2 and champion")
    assert "a model compared with itself shows nothing" in answer.err
    assert "pytest" not in answer.err


def test_a_pass_is_promoted_shown_in_the_history_and_rolled_back(
    gates: CommandLine, chorus_desk: Desk, tmp_path: Path
) -> None:
    desk = chorus_desk.copy(tmp_path)
    chorus.write_card(desk.project, chorus.WIDE)
    options = desk.options()
    ran = gates("run", desk.uri("more"), options)
    assert ran.code == 0, ran.out + ran.err
    moved = gates("promote", desk.uri("more"), "--why", "finds more", options, "--json")
    assert moved.code == 0, moved.err
    assert json.loads(moved.out)["previous_version"] == "1"
    back = gates("rollback", chorus.MODEL, "--why", "a trial", options, "--json")
    assert json.loads(back.out)["version"] == "1"
    events = json.loads(gates("history", chorus.MODEL, options, "--json").out)
    assert [one["kind"] for one in events[:3]] == ["rollback", "promote", "gate"]
    assert events[1]["verdict"] == "PASS"
    assert events[1]["why"] == "finds more"
