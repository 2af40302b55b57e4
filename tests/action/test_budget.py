"""A limit on time: what is under way is interrupted, and the review says so."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from gates.pull_request.budget import BudgetSpent, TimeBudget
from tests.action.repositories import base_project, pull_request
from tests.conftest import CommandLine
from tests.toys import MODEL, set_params


def test_what_is_under_way_is_interrupted_when_the_time_is_up() -> None:
    before = signal.getsignal(signal.SIGALRM)
    cleaned: list[bool] = []

    def work() -> None:
        with TimeBudget(0.001).kept():
            try:
                signal.pause()
            finally:
                cleaned.append(True)

    with pytest.raises(BudgetSpent, match="minutes is used up"):
        work()
    assert cleaned
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_no_limit_is_none() -> None:
    with TimeBudget().kept():
        assert TimeBudget().left() is None


def test_a_model_for_which_no_time_is_left_is_undecided(
    gates: CommandLine, tmp_path: Path, gates_cache: Path
) -> None:
    project = base_project(tmp_path / "shop")
    pull_request(project, lambda p: set_params(p, weights={"good": 1.0}))
    options = ["--project", str(project), "--cache", str(gates_cache), "--json"]
    answer = gates("pr", "gate", "--base", "main", "--time-budget", "0", options)
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert said["models"] == {MODEL: "UNDECIDED"}
    assert "the time budget of 0 minutes is used up" in Path(said["comment"]).read_text()
    for fail_on, code in {"fail": 0, "undecided": 3, "never": 0}.items():
        assert gates("pr", "enforce", said["reviews"], "--fail-on", fail_on).code == code


def test_nothing_changed_is_nothing_to_gate(gates: CommandLine, tmp_path: Path) -> None:
    project = base_project(tmp_path / "shop")
    answer = gates("pr", "gate", "--base", "main", "--project", str(project))
    assert answer.code == 0, answer.err
    assert "there is nothing to gate" in answer.out
    refused = gates("pr", "gate", "--base", "main", "--model", "toy", "--project", str(project))
    assert refused.code == 2
