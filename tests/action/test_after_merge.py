"""The workflows' own scripts, against an embedded store: the matrix, after a merge, at night."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.action.pulls import ROOT
from tests.action.repositories import base_project, commit, git
from tests.action.runner import Job, bare_environment
from tests.toys import MODEL, set_params

WORKFLOWS = ROOT / ".github" / "workflows"

pytestmark = pytest.mark.skipif(not shutil.which("jq"), reason="the workflows call jq")


def job(tmp_path: Path, cache: Path) -> Job:
    """A runner with the toy project, and this mlgates where the workflows look for it."""
    project = base_project(tmp_path / "shop")
    (project / ".venv").symlink_to(Path(sys.executable).parents[1])
    (project / "scripts").mkdir()
    bootstrap = project / "scripts" / "bootstrap"
    bootstrap.write_text("#!/bin/sh\n")
    bootstrap.chmod(0o755)
    (project / ".gitignore").write_text(".gates/\n.venv\n")
    commit(project, "mlgates is there")
    temporary = tmp_path / "runner"
    temporary.mkdir()
    return Job(project, temporary, {}, bare_environment(GATES_CACHE=str(cache)))


def test_the_matrix_of_a_pull_request_is_what_changed(tmp_path: Path, gates_cache: Path) -> None:
    here = job(tmp_path, gates_cache)
    (here.workspace / ".mlgates").mkdir()
    for part in ("scripts", ".venv"):
        (here.workspace / ".mlgates" / part).symlink_to(here.workspace / part)
    here.environment = {**here.environment, "GITHUB_WORKSPACE": str(here.workspace)}
    base = git(here.workspace, "rev-parse", "HEAD")
    contexts = {
        "inputs": {},
        "github": {"event": {"pull_request": {"base": {"sha": base}}}},
    }
    for change, models in ((False, []), (True, [MODEL])):
        if change:
            set_params(here.workspace, weights={"good": 1.0})
        found = here.run_workflow(WORKFLOWS / "gate.yml", "changed", contexts)
        assert json.loads(found["models"]) == models, here.log
        assert found["any"] == str(change).lower()


def test_a_merged_model_is_promoted_with_the_evidence_of_its_own_run(
    tmp_path: Path, gates_cache: Path
) -> None:
    from gates.registry.mlflow import MlflowRegistry

    here = job(tmp_path, gates_cache)
    uri = f"sqlite:///{tmp_path / 'team' / 'mlflow.db'}"
    registry = MlflowRegistry(uri, gates_cache)
    before = git(here.workspace, "rev-parse", "HEAD")
    contexts = {
        "vars": {"MLFLOW_TRACKING_URI": uri},
        "secrets": {},
        "matrix": {"model": MODEL},
        "github": {"sha": before, "event": {"before": before}},
    }
    here.run_workflow(WORKFLOWS / "promote.yml", "promote", contexts)
    assert here.codes["Package, gate, promote"] == 3, "a first version is promoted by hand"
    registry.set_alias(MODEL, "champion", "1", None)
    set_params(here.workspace, weights={"good": 1.0, "noise": 0.0})
    commit(here.workspace, "a better model")
    found = here.run_workflow(WORKFLOWS / "promote.yml", "changed", contexts)
    assert json.loads(found["models"]) == [MODEL]
    here.run_workflow(WORKFLOWS / "promote.yml", "promote", contexts)
    assert here.codes["Package, gate, promote"] == 0, here.log
    assert registry.aliases(MODEL) == {"champion": "2"}
    event = next(one for one in registry.events(MODEL) if one.kind == "promote")
    assert event.why == f"merged as {before}"


def test_a_night_compares_each_model_with_itself(tmp_path: Path, gates_cache: Path) -> None:
    here = job(tmp_path, gates_cache)
    contexts = {"matrix": {"model": MODEL}, "vars": {}}
    found = here.run_workflow(WORKFLOWS / "nightly.yml", "models", contexts)
    assert json.loads(found["models"]) == [MODEL]
    here.run_workflow(WORKFLOWS / "nightly.yml", "against-itself", contexts)
    assert here.codes["A/A"] == 0, here.log
    assert "compared with itself, meets its card" in here.log
    here.run_workflow(WORKFLOWS / "nightly.yml", "advisories", contexts)
    assert "::notice::set the variable GATES_ADVISORIES" in here.log
