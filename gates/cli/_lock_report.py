"""How the report on a lock is told: a line a problem, a table of kinds, and JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, get_args

from gates.cli.common import Speech
from gates.domain.lock_report import LockReport, ProblemKind

__all__ = ["as_json", "exit_code", "say_problems", "say_table"]

_WHAT: Mapping[ProblemKind, str] = {
    "unpinned": "requirements pinned to one version",
    "unhashed": "requirements with hashes",
    "unsatisfied": "lines of the input satisfied",
    "unneeded": "pins that something asks for",
    "environment": "distributions installed as locked",
    "files": "installed files as they came",
    "imports": "imports that are provided",
    "after-the-fact": "locks made with their model",
    "recorded": "versions in the artifact as locked",
    "base-image": "base images pinned by digest",
    "repository": "locks as the repository's",
    "resolution": "pins as a resolver gives them",
    "yanked": "pins not taken back",
    "advisories": "pins without a known advisory",
}


def exit_code(report: LockReport, asked_for: Collection[ProblemKind]) -> int:
    """0 when clean, 1 when something is wrong, 3 when something asked for was not looked at.

    Args:
        asked_for: The kinds that the caller asked for.
    """
    if report.problems:
        return 1
    return 3 if report.absent.keys() & set(asked_for) else 0


def say_problems(speech: Speech, report: LockReport, path: Path) -> None:
    """A line a problem, with where it is: what editors and CI make links of."""
    for one in report.problems:
        where = f"{path}:{one.line}" if one.line else str(path)
        speech.say(f"{where}: {one.kind}: {one.message}")


def say_table(speech: Speech, report: LockReport, asked_for: Collection[ProblemKind]) -> None:
    """A line a kind: how many were looked at and how many are wrong, or why none were.

    Args:
        speech: Where to.
        asked_for: The kinds that the caller asked for; of the others, only what was looked at.
    """
    for kind in get_args(ProblemKind):
        if kind in report.looked_at:
            wrong, n = report.count(kind), report.looked_at[kind]
            told, what = f"{wrong:,} of {n:,} wrong", _WHAT[kind]
            if not n:
                told, what = "nothing to find", report.nothing[kind]
            line = f"{kind:<12} {told:<18} {what}"
            speech.say(line, "bold red" if wrong else "")
        elif kind in asked_for:
            speech.say(f"{kind:<12} {'not looked at':<18} {report.absent.get(kind, '')}", "yellow")


def as_json(report: LockReport) -> dict[str, Any]:
    """The report's part of a command's JSON."""
    return {
        "looked_at": dict(report.looked_at),
        "nothing": dict(report.nothing),
        "absent": dict(report.absent),
        "problems": [
            {"kind": p.kind, "requirement": p.requirement, "line": p.line, "message": p.message}
            for p in report.problems
        ],
    }
