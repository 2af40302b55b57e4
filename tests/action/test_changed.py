"""`gates changed`: which models a change touches, and what of each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.action.repositories import base_project, commit, git, pull_request
from tests.conftest import CommandLine
from tests.toys import CARD, MODEL, OLDER_SIX, set_params


def answer(gates: CommandLine, project: Path, base: str = "main") -> dict[str, Any]:
    said = gates("changed", "--base", base, "--project", str(project), "--json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def _lock(project: Path) -> None:
    (project / "models" / MODEL / "requirements.txt").write_text(OLDER_SIX)


def _golden(project: Path) -> None:
    path = project / "golden" / MODEL / "queries.csv"
    path.write_text(path.read_text().replace("query 7,", "query seven,"))


def _card(project: Path) -> None:
    (project / "model_cards" / f"{MODEL}.md").write_text(CARD.replace("-0.02", "-0.03"))


def _lock_and_card(project: Path) -> None:
    _lock(project)
    _card(project)


CHANGES: dict[str, tuple[Callable[[Path], object], str, list[str]]] = {
    "source": (lambda p: set_params(p, weights={"good": 1.0}), "model", ["source"]),
    "lock": (_lock, "lock", ["lock"]),
    "golden": (_golden, "criteria", ["golden"]),
    "card": (_card, "criteria", ["card"]),
    "lock-and-card": (_lock_and_card, "lock", ["lock", "card"]),
    "removed": (lambda p: shutil.rmtree(p / "models" / MODEL), "removed", ["source", "lock"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named_by_what_of_the_model_it_touches(
    gates: CommandLine, tmp_path: Path, change: str
) -> None:
    project = base_project(tmp_path / "shop")
    apply, kind, parts = CHANGES[change]
    head = pull_request(project, apply)
    found = answer(gates, project)
    (model,) = found["models"]
    assert (model["model"], model["kind"], model["parts"]) == (MODEL, kind, parts)
    assert found["head"] == head
    assert found["base"] == git(project, "rev-parse", "main")
    assert found["matrix"] == {"model": [] if kind == "removed" else [MODEL]}


def test_prose_and_other_files_touch_no_model(gates: CommandLine, tmp_path: Path) -> None:
    project = base_project(tmp_path / "shop")

    def prose(folder: Path) -> None:
        (folder / "model_cards" / f"{MODEL}.md").write_text(CARD + "More prose.\n")
        (folder / "README.md").write_text("hello\n")
        (folder / "models" / "README.md").write_text("hello\n")

    pull_request(project, prose)
    assert answer(gates, project)["models"] == []


def test_what_came_to_the_base_meanwhile_is_no_change(gates: CommandLine, tmp_path: Path) -> None:
    project = base_project(tmp_path / "shop")
    pull_request(project, _lock)
    git(project, "switch", "--quiet", "main")
    _golden(project)
    commit(project, "meanwhile")
    git(project, "switch", "--quiet", "change")
    (model,) = answer(gates, project)["models"]
    assert model["parts"] == ["lock"]


def test_a_golden_set_of_two_cards_touches_both(gates: CommandLine, tmp_path: Path) -> None:
    project = base_project(tmp_path / "shop")
    other = CARD.replace("model: toy-ranker", f"model: other\ngolden: golden/{MODEL}")
    (project / "model_cards" / "other.md").write_text(other)
    shutil.copytree(project / "models" / MODEL, project / "models" / "other")
    commit(project, "a second model")
    pull_request(project, _golden)
    assert [one["model"] for one in answer(gates, project)["models"]] == ["other", MODEL]


def test_a_project_in_a_folder_of_its_repository_is_found(
    gates: CommandLine, tmp_path: Path
) -> None:
    base_project(tmp_path / "shop")
    shutil.rmtree(tmp_path / "shop" / ".git")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path, "base")
    git(tmp_path, "switch", "--quiet", "--create", "change")
    strange = tmp_path / "shop" / "models" / MODEL / "añ*o: b.txt"
    strange.write_text("x")
    (tmp_path / "other.txt").write_text("x")
    (model,) = answer(gates, tmp_path / "shop")["models"]
    assert model["files"] == [f"models/{MODEL}/añ*o: b.txt"]


def test_the_key_of_a_cache_is_that_of_the_locks(gates: CommandLine, tmp_path: Path) -> None:
    project = base_project(tmp_path / "shop")
    pull_request(project, lambda p: set_params(p, weights={"good": 1.0}))
    first = answer(gates, project)["cache_key"]
    set_params(project, weights={"good": 1.1})
    assert answer(gates, project)["cache_key"] == first
    _lock(project)
    assert answer(gates, project)["cache_key"] != first


@pytest.mark.parametrize("base", ["nowhere", "--all", "HEAD:models"])
def test_a_base_that_is_none_is_said(gates: CommandLine, tmp_path: Path, base: str) -> None:
    project = base_project(tmp_path / "shop")
    said = gates("changed", f"--base={base}", "--project", str(project))
    assert said.code == 2
    assert f"git knows no commit '{base}'" in said.err


def test_a_folder_without_git_is_said(gates: CommandLine, tmp_path: Path) -> None:
    said = gates("changed", "--base", "main", "--project", str(tmp_path))
    assert said.code == 2
    assert "is not under git" in said.err


def test_a_step_gets_its_outputs(
    gates: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = base_project(tmp_path / "shop")
    pull_request(project, _lock)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    answer(gates, project)
    written = (tmp_path / "output").read_text()
    assert f'\n["{MODEL}"]\n' in written
    assert "\ntrue\n" in written
