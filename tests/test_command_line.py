"""The command line as a whole: help with examples, one exit code a meaning."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from gates import __version__
from gates.cli.main import app
from tests.conftest import CommandLine

GATES = str(Path(sys.executable).parent / "gates")


def commands() -> list[list[str]]:
    """Every command, with those of groups spelled out."""
    group = typer.main.get_command(app)
    found: list[list[str]] = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]  # a group
        inner = getattr(command, "commands", None)
        found += [[name, one] for one in inner] if inner else [[name]]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example_and_speaks_json(
    gates: CommandLine, command: list[str]
) -> None:
    answer = gates(command, "--help")
    assert answer.code == 0
    assert f"Example: gates {' '.join(command)}" in answer.out
    assert "--json" in answer.out


def test_the_version_is_told(gates: CommandLine) -> None:
    assert gates("--version").out == f"mlgates {__version__}\n"


def test_what_nobody_foresaw_is_no_verdict(
    gates: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_: Path) -> None:
        raise ZeroDivisionError("never thought of")

    monkeypatch.setattr("gates.golden.read_golden", broken)
    answer = gates("golden", "check", str(tmp_path))
    assert answer.code == 2, "1 would be FAIL"
    assert "no verdict was given" in answer.err
    assert "never thought of" in answer.err


def test_a_reader_who_leaves_early_is_not_a_pass() -> None:
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"{GATES} golden check product-ranker --json | true; echo ${{PIPESTATUS[0]}}",
        ],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) in {0, 128 + signal.SIGPIPE}
    assert "Traceback" not in done.stderr


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    script = (
        "import sys, gates.cli.main\n"
        "print([one for one in ('mlflow', 'pyarrow', 'numpy', 'pytest') if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
