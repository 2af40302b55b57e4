"""Pull requests for which there is nothing to compare with, or that end badly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.action.repositories import base_project, commit, git, pull_request
from tests.conftest import CommandLine
from tests.toys import CARD, MODEL, set_params


def gated(
    gates: CommandLine, project: Path, cache: Path, change: Callable[[Path], object]
) -> tuple[dict[str, Any], str]:
    """What came of a change, and its comment."""
    pull_request(project, change)
    options = ["--project", str(project), "--cache", str(cache), "--json"]
    answer = gates("pr", "gate", "--base", "main", options)
    assert answer.code == 0, answer.err
    said: dict[str, Any] = json.loads(answer.out)
    assert not git(project, "worktree", "list").partition("\n")[2], "no checkout is left behind"
    return said, Path(said["comment"]).read_text()


def test_a_new_model_has_no_champion_and_may_not_be_the_first_yet(
    gates: CommandLine, tmp_path: Path, gates_cache: Path
) -> None:
    def add(project: Path) -> None:
        for folder in ("models", "golden"):
            shutil.copytree(project / folder / MODEL, project / folder / "newcomer")
        card = CARD.replace(f"model: {MODEL}", "model: newcomer")
        (project / "model_cards" / "newcomer.md").write_text(card)

    said, comment = gated(gates, base_project(tmp_path / "shop"), gates_cache, add)
    assert said["models"] == {"newcomer": "UNDECIDED"}
    assert "## ? UNDECIDED: newcomer may not be the first yet" in comment
    assert "there is none yet" in comment


def test_a_base_that_cannot_be_packaged_is_said_to_be_the_base(
    gates: CommandLine, tmp_path: Path, gates_cache: Path
) -> None:
    project = base_project(tmp_path / "shop")
    window = project / "models" / MODEL / "package.yaml"
    good = window.read_text()
    window.write_text("training_window: never\n")
    commit(project, "a broken base")
    said, comment = gated(gates, project, gates_cache, lambda _: window.write_text(good))
    assert said["models"] == {MODEL: "ERROR"}
    assert "the model of the base could not be packaged" in comment
    assert "mend the base first" in comment
    assert str(tmp_path) not in comment


def test_a_test_that_ends_its_process_is_undecided(
    gates: CommandLine, tmp_path: Path, gates_cache: Path
) -> None:
    def kill(project: Path) -> None:
        set_params(project, weights={"good": 1.0})
        test = "import os\n\n\ndef test_ends():\n    os._exit(0)\n"
        (project / "golden" / MODEL / "test_kills.py").write_text(test)

    said, comment = gated(gates, base_project(tmp_path / "shop"), gates_cache, kill)
    assert said["models"] == {MODEL: "UNDECIDED"}
    assert "their process died: it exited with code 0" in comment
    assert gates("pr", "enforce", said["reviews"], "--fail-on", "undecided").code == 3
