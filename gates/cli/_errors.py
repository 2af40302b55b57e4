"""How an error reaches whoever called a command: words on stderr, JSON on stdout."""

from __future__ import annotations

import json
import sys

from rich.console import Console

from gates.errors import GatesError

__all__ = ["report_error", "write_error"]


def report_error(problem: GatesError, *, as_json: bool) -> None:
    """Say what was wrong and what to do: words on stderr, and JSON on stdout where it is wanted.

    Args:
        as_json: Whether the caller wants JSON.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("error:", style="bold red", end=" ")
    console.print(str(problem), markup=False)
    if as_json:
        write_error(
            type(problem).__name__,
            problem.what,
            problem.advice,
            str(getattr(problem, "path", "")) or None,
            getattr(problem, "line", None),
        )


def write_error(
    kind: str, message: str, advice: str = "", path: str | None = None, line: int | None = None
) -> None:
    """Write an error as JSON on stdout."""
    error = {"kind": kind, "message": message, "advice": advice, "path": path, "line": line}
    sys.stdout.write(json.dumps({"error": error}, indent=2, ensure_ascii=False) + "\n")
