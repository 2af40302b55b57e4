"""Where a command's words go, and that nobody's reading changes its exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

TALK = """\
import sys
from gates.cli.common import Speech

speech = Speech(as_json=sys.argv[1] == "json")
for _ in range(3):
    speech.out.print("x" * 200_000)
    speech.result({"long": "y" * 200_000})
sys.exit(3)
"""


@pytest.mark.parametrize("form", ["words", "json"])
def test_a_reader_who_leaves_early_does_not_change_the_exit_code(form: str) -> None:
    talk = subprocess.Popen(
        [sys.executable, "-c", TALK, form], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert talk.stdout
    talk.stdout.read(1)
    talk.stdout.close()
    assert talk.wait(60) == 3
