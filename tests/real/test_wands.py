"""Two classifiers on real queries and their classes, through the real commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine
from tests.real import wands
from tests.real.conftest import Desk
from tests.sealed import record_in

pytestmark = pytest.mark.requires_real_data


def test_the_better_classifier_passes_and_is_promoted(
    gates: CommandLine, wands_desk: Desk, tmp_path: Path
) -> None:
    desk = wands_desk.copy(tmp_path)
    ran = gates("run", desk.uri("letters"), desk.options(), "--json")
    said = json.loads(ran.out)
    assert ran.code == 0, said["reasons"]
    values = {one["id"]: one["value"] for one in said["bounds"]}
    assert values["score-range::label-accuracy"] > 0.7
    assert values["score-range::label-accuracy.delta"] > 0.1
    moved = gates("promote", desk.uri("letters"), "--why", "knows parts of words", desk.options())
    assert moved.code == 0, moved.err
    assert "version 1 → version 2" in moved.out


def test_the_weaker_classifier_fails(gates: CommandLine, wands_desk: Desk, tmp_path: Path) -> None:
    versions = (wands_desk.uri("words"), "--champion", wands_desk.uri("letters"))
    answer = gates("run", *versions, wands_desk.options(), "--output", str(tmp_path), "--json")
    said: dict[str, Any] = json.loads(answer.out)
    assert answer.code == 1, said["reasons"]
    (delta,) = (one for one in said["bounds"] if one["id"] == "score-range::label-accuracy.delta")
    assert delta["outcome"] == "FAIL"


def test_the_first_models_scores_were_recorded_as_ranges(wands_desk: Desk) -> None:
    from gates.golden import read_golden

    golden = read_golden(wands_desk.project / "golden" / wands.MODEL)
    recorded = [one for one in golden.expectations if one.low > 0]
    assert 0.4 < len(recorded) / len(golden.expectations) < 0.9


def test_the_better_classifier_is_surer_of_itself_and_better_calibrated(
    gates: CommandLine, wands_desk: Desk, tmp_path: Path
) -> None:
    options = [*wands_desk.options(), "--output", str(tmp_path)]
    said = json.loads(gates("run", wands_desk.uri("letters"), options, "--json").out)
    outcome = {one["id"]: one["outcome"] for one in said["bounds"]}
    values = {one["id"]: one["value"] for one in said["bounds"]}
    assert values["score-range::confidence.delta"] > 0.2
    assert values["score-range::brier.delta"] < 0
    assert values["score-range::calibration-error.delta"] < 0
    assert outcome["score-range::calibration-error.delta"] == "PASS"


def test_what_a_slip_or_a_wide_letter_does_is_shown_at_its_smallest(
    gates: CommandLine, wands_desk: Desk, tmp_path: Path
) -> None:
    options = [*wands_desk.options(), "--output", str(tmp_path)]
    said = json.loads(gates("run", wands_desk.uri("letters"), options, "--json").out)
    values = {one["id"]: one["value"] for one in said["bounds"]}
    assert values["behaviour::invariance.case"] == 0.0
    assert values["behaviour::invariance.unicode"] > 0.2, "it does not fold full-width letters"
    assert 0.05 < values["behaviour::score-shift.typo"] < 0.2
    assert {"behaviour::invariance.plural[words=long]"} <= values.keys()
    records = record_in(Path(said["evidence"]))["records"]
    (check,) = (one for one in records if one["check"] == "behaviour")
    (table,) = (one for one in check["exhibits"] if one["title"].startswith("Smallest queries"))
    smallest = table["rows"]
    assert smallest
    assert all(row[1].startswith("query ‘") and row[4] != row[5] for row in smallest)
    assert all(len(row[2].split()) <= len(row[6].split()) for row in smallest)


def test_the_champions_answers_can_be_recorded_where_nobody_judged(
    gates: CommandLine, wands_desk: Desk, tmp_path: Path
) -> None:
    from gates.golden import read_golden

    desk = wands_desk.copy(tmp_path)
    path = desk.project / "golden" / wands.MODEL / "expectations.csv"
    judged = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(judged[:51]), encoding="utf-8")
    said = json.loads(gates("golden", "record", wands.MODEL, desk.options(), "--json").out)
    assert (said["added"], said["judged"]) == (len(judged) - 51, 50)
    assert said["disagreements"]
    golden = read_golden(path.parent)
    assert [one.query for one in golden.expectations] == list(range(len(golden.query_id)))
    again = gates("golden", "record", wands.MODEL, desk.options(), "--json")
    assert json.loads(again.out)["diff"] == ""
