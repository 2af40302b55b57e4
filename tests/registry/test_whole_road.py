"""The whole road against a running MLflow server: package, gate, promote, roll back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gates.run.source import CI_SIGNS
from tests.conftest import CommandLine
from tests.toys import MODEL, make_project, set_params


def test_a_server_serves_as_well_as_an_embedded_store(
    gates: CommandLine,
    server: str,
    tmp_path: Path,
    gates_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project(tmp_path / "shop")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    for name in CI_SIGNS:
        monkeypatch.delenv(name, raising=False)
    options = ["--project", str(project), "--cache", str(gates_cache)]

    set_params(project, weights={"good": 0.3, "noise": 1.0})
    assert gates("package", MODEL, options).code == 0
    assert gates("run", f"{MODEL}/1", options).code == 3, "nothing to compare with yet"
    first = gates("promote", f"{MODEL}/1", "--first", "--why", "first", options)
    assert first.code == 0, first.err

    set_params(project, weights={"good": 1.0, "noise": 0.0})
    assert gates("package", MODEL, options).code == 0
    run = gates("run", f"{MODEL}/2", options, "--json")
    assert run.code == 0, run.err
    assert json.loads(run.out)["mlflow_run"]
    promoted = gates("promote", f"{MODEL}/2", "--why", "better", options, "--json")
    assert promoted.code == 0, (promoted.out, promoted.err)
    assert promoted.out, promoted.err
    assert json.loads(promoted.out)["previous_version"] == "1"

    assert "PASS" in gates("show", f"{MODEL}@champion", options).out
    assert gates("rollback", MODEL, "--why", "trying it", options).code == 0
    history = json.loads(gates("history", MODEL, options, "--json").out)
    assert [one["kind"] for one in history] == [
        "rollback",
        "promote",
        "gate",
        "package",
        "promote",
        "gate",
        "package",
    ]
    last, first_gate = (one for one in history if one["kind"] == "gate")
    assert (last["origin"], last["champion"], last["version"]) == ("hand", "1", "2")
    assert (first_gate["champion"], first_gate["verdict"]) == (None, "UNDECIDED")
    shown = gates("show", first_gate["run_id"], options, "--as", "markdown")
    assert shown.code == 0, shown.err
    assert "version 1 may not become champion yet" in shown.out
    assert f"{last['version']} vs. {last['champion']}" in gates("history", MODEL, options).out
