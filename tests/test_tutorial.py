"""The tutorial, from an empty folder to a verdict: its script and its commands, in their order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sealed import record_in

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
BIN = Path(sys.executable).parent
TIMEOUT = 600

pytestmark = pytest.mark.timeout(TIMEOUT)


def test_every_step_of_the_tutorial_does_as_it_says(tmp_path: Path, gates_cache: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "train.py").write_text(script, encoding="utf-8")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
        "GATES_CACHE": str(gates_cache),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    said = {}
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        command, *shown = block.strip().splitlines()
        done = subprocess.run(
            ["bash", "-c", command.removeprefix("$ ")],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        for line in shown:
            words = " ".join(line.split())
            assert words in ("", "…") or words in " ".join(done.stdout.split()), done.stdout
        said[command] = done.stdout
    assert len(said) == 4
    (path,) = (tmp_path / ".gates" / "runs").glob("query-intent-2-*/evidence.json")
    evidence = record_in(path)
    assert evidence["verdict"]["outcome"] == "PASS"
