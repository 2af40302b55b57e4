"""A model's own script runs inside the model's environment, and says how it failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gates.environments.cache import Environment
from gates.environments.scripts import run_script
from gates.errors import BuildError


def script(folder: Path, text: str) -> Path:
    path = folder / "build.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_it_runs_in_that_environment_with_the_named_variables_alone(
    bare: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "a secret")
    (tmp_path / "beside.py").write_text("X = 1", encoding="utf-8")
    text = (
        "import beside, json, os, sys\n"
        "print(json.dumps([sys.prefix, sys.argv[1:], os.getcwd(), dict(os.environ)]))"
    )
    lines: list[str] = []
    output = run_script(
        bare, script(tmp_path, text), ["out", "x"], tmp_path, {"SEED": "7"}, 60, lines.append
    )
    prefix, arguments, folder, variables = json.loads(output)
    assert (Path(prefix), arguments, Path(folder)) == (bare.path, ["out", "x"], tmp_path)
    assert variables["SEED"] == "7"
    assert "SECRET_TOKEN" not in variables
    assert len(lines) == 1
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_failing_script_gives_its_last_lines(bare: Environment, tmp_path: Path) -> None:
    path = script(tmp_path, "print('step 1')\nraise SystemExit('no training data')")
    with pytest.raises(BuildError, match=r"build.py failed \(exit code 1\)") as caught:
        run_script(bare, path, [], tmp_path, {}, 60)
    assert "no training data" in caught.value.what


def test_a_script_that_takes_too_long_is_ended(bare: Environment, tmp_path: Path) -> None:
    path = script(tmp_path, "import time\nprint('training', flush=True)\ntime.sleep(1000)")
    with pytest.raises(BuildError, match="ran out of time") as caught:
        run_script(bare, path, [], tmp_path, {}, 1)
    assert "training" in caught.value.what


def test_what_a_script_leaves_running_does_not_hold_it_up(
    bare: Environment, tmp_path: Path
) -> None:
    text = "import os, time\nif os.fork() == 0: time.sleep(1000)\nprint('done')"
    assert "done" in run_script(bare, script(tmp_path, text), [], tmp_path, {}, 60)
