"""Pull requests against the team's MLflow: its champion is the one to beat."""

from __future__ import annotations

import json
from pathlib import Path

from gates.evidence.bundle import read_evidence
from tests.action.repositories import base_project, pull_request
from tests.conftest import CommandLine
from tests.toys import MODEL, set_params


def test_the_champion_of_the_registry_is_the_one_to_beat_and_stays_as_it_is(
    gates: CommandLine, tmp_path: Path, gates_cache: Path
) -> None:
    from gates.registry.mlflow import MlflowRegistry

    project = base_project(tmp_path / "shop")
    store = f"sqlite:///{tmp_path / 'team' / 'mlflow.db'}"
    options = ["--project", str(project), "--tracking-uri", store, "--cache", str(gates_cache)]
    assert gates("package", MODEL, options).code == 0
    registry = MlflowRegistry(store, gates_cache)
    registry.set_alias(MODEL, "champion", "1", None)
    pull_request(project, lambda p: set_params(p, weights={"good": 1.0, "noise": 0.0}))
    said = json.loads(gates("pr", "gate", "--base", "main", options, "--json").out)
    assert said["verdict"] == "PASS"
    evidence = read_evidence(Path(said["evidence"]))
    assert evidence.champion is not None
    assert (evidence.champion.version, evidence.candidate.version) == ("1", "2")
    assert f"against models:/{MODEL}/1" in Path(said["comment"]).read_text()
    golden = project / "golden" / MODEL / "queries.csv"
    set_params(project, weights={"good": 0.6, "noise": 0.6})
    golden.write_text(golden.read_text().replace("query 7,", "query seven,"))
    said = json.loads(gates("pr", "gate", "--base", "main", options, "--json").out)
    assert said["verdict"] == "PASS"
    evidence = read_evidence(Path(said["evidence"]))
    assert evidence.is_against_itself
    assert evidence.candidate.version == "1"
    version = registry.resolve(f"models:/{MODEL}/1")
    assert "gates.verdict" not in version.tags, "an A/A run leaves the champion's record alone"
