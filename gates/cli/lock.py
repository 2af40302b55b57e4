"""`gates lock`: locks, verified offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gates.cli.common import JsonOption, Speech
from gates.cli.lock_bisect import bisect_locks
from gates.errors import LockError

__all__ = ["lock"]

lock = typer.Typer(no_args_is_help=True, help="Verify locks.", rich_markup_mode=None)


lock.command("bisect")(bisect_locks)


@lock.callback()
def _group() -> None:
    """Verify locks."""


@lock.command("check")
def check(
    target: Annotated[
        Path, typer.Argument(metavar="DIR|LOCK", help="A requirements.txt, or the folder it is in.")
    ],
    inputs: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="What the lock must satisfy: a requirements.in or pyproject.toml "
            "(default: the .in beside it).",
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Judge markers for this Python (default: this one)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that every requirement is pinned and hashed and that the lock satisfies its input.

    Exit code 1 when it does not.

    Example: gates lock check models/product-ranker
    """
    from gates.locks.lock import read_lock
    from gates.locks.markers import target_environment
    from gates.locks.verify import verify

    path = target / "requirements.txt" if target.is_dir() else target
    found = read_lock(path)
    beside = path.with_suffix(".in")
    asked = inputs or (beside if beside.is_file() else None)
    if found.requirements == () and not found.problems:
        raise LockError("holds no requirement", path=path, advice="compile it again")
    report = verify(
        found,
        inputs=asked,
        installed=None,
        repository=None,
        environment=target_environment(python) if python else None,
    )
    speech = Speech(as_json)
    for one in report.problems:
        where = f"{path}:{one.line}" if one.line else str(path)
        speech.say(f"{where}: {one.kind}: {one.message}")
    requirements, constraints = (report.looked_at.get(k) for k in ("unpinned", "unsatisfied"))
    against = f", {constraints} constraints of {asked.name} hold" if asked else ""
    if report.problems:
        speech.say(f"{len(report.problems)} problems in {path}", "bold red")
    else:
        speech.say(
            f"{path}: {requirements} requirements, all pinned and hashed{against}",
        )
    speech.result(
        {
            "path": str(path),
            "digest": found.digest,
            "requirements": requirements,
            "inputs": constraints,
            "problems": [
                {"kind": p.kind, "requirement": p.requirement, "line": p.line, "message": p.message}
                for p in report.problems
            ],
        }
    )
    raise typer.Exit(1 if report.problems else 0)
