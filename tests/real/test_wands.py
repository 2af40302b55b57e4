"""Two classifiers on real queries and their classes, through the real commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine
from tests.real import wands
from tests.real.conftest import Desk

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
