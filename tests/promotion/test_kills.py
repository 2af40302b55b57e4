"""Killed before any of its writes to MLflow: nothing is lost, and the rerun finishes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.registry.stores import embedded

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("what", "at_least"), [("package", 6), ("record", 9), ("promote", 7), ("rollback", 5)]
)
def test_what_was_killed_before_a_write_is_finished_by_the_rerun(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, what: str, at_least: int
) -> None:
    uri = embedded(tmp_path, tmp_path_factory)._connection.uri
    command = [sys.executable, "-m", f"{__package__}.dying", uri, str(tmp_path), what]
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environ = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, cwd=ROOT, env=environ
    )
    assert done.returncode == 0, done.stderr
    wrong = json.loads(done.stdout.splitlines()[-1])
    assert len(wrong) >= at_least, "it was killed so often"
    assert {write: words for write, words in wrong.items() if words} == {}, done.stderr
