"""`gates lock check`: a lock held against all it must agree with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gates.cli import _lock_look as look
from gates.cli import _lock_report as tell
from gates.cli.common import (
    CacheOption,
    JsonOption,
    MarkerPythonOption,
    Speech,
    settings_from,
)
from gates.domain.lock_report import ProblemKind
from gates.errors import LockError, UsageError

__all__ = ["lock_check"]

_MAX_AGE_DAYS = 30


def lock_check(
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
    python: MarkerPythonOption = None,
    environment: Annotated[
        bool,
        typer.Option(
            "--environment",
            help="Find or build its environment, and look for what is installed otherwise, pins "
            "that nothing asks for, and imports that nothing provides.",
        ),
    ] = False,
    code: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR|FILE",
            help="The model's code, for --environment; may be repeated (default: all Python files "
            "in the lock's folder and below).",
        ),
    ] = None,
    artifact: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A model folder whose files must say the same versions."),
    ] = None,
    resolve: Annotated[
        bool,
        typer.Option(
            "--resolve",
            help="Ask uv and pip-tools, starting from the lock, whether they would give it again.",
        ),
    ] = False,
    advisories: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|DIR|URL",
            help="Known advisories in the OSV format: JSON, a zip or a folder of them, or a URL.",
        ),
    ] = None,
    max_age: Annotated[
        int,
        typer.Option(
            "--advisories-max-age",
            metavar="DAYS",
            min=0,
            help="How old the newest of the advisories may be.",
        ),
    ] = _MAX_AGE_DAYS,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a lock fixes every byte and agrees with all it should agree with.

    Without options it looks at pins, hashes, the input and the Dockerfile beside it, offline.

    Exit codes: 0 clean, 1 something is wrong, 2 bad input, 3 nothing is wrong but something that
    was asked for could not be looked at.

    Example: gates lock check models/product-ranker --environment --advisories osv/PyPI.zip
    """
    from gates.locks.lock import read_lock
    from gates.locks.markers import target_environment
    from gates.locks.resolve import resolve_again
    from gates.locks.verify import verify

    path = target / "requirements.txt" if target.is_dir() else target
    found = read_lock(path)
    beside = path.with_suffix(".in")
    asked = inputs or (beside if beside.is_file() else None)
    if found.requirements == () and not found.problems:
        raise LockError("holds no requirement", path=path, advice="compile it again")
    _refuse_missing("--artifact", [artifact] if artifact else [])
    _refuse_missing("--code", code or [])
    if code and not environment:
        raise UsageError("--code needs --environment: only that tells what imports find")
    asked_for: list[ProblemKind] = ["unpinned", "unhashed", "base-image"]
    asked_for += ["unsatisfied"] if asked else []
    asked_for += ["recorded"] if artifact else []
    asked_for += ["advisories"] if advisories else []
    asked_for += ["resolution", "yanked"] if resolve else []
    if environment:
        asked_for += [kind for kind in look.OF_ENVIRONMENT if asked or kind != "unneeded"]
    speech, held, known = Speech(as_json), look.Installed(), None
    with speech.working() as progress:
        task = progress.add_task(f"reading {path}", total=None)

        def say(text: str) -> None:
            progress.update(task, description=text)

        if environment:
            held = look.installed(
                found,
                python,
                settings_from(None, None, cache).cache,
                say,
            )
        if advisories:
            say("reading advisories")
            known = look.known(advisories, max_age)
        say(f"checking {path}")
        target_python = held.python or python
        report = verify(
            found,
            inputs=asked,
            installed=held.distributions,
            repository=None,
            environment=target_environment(target_python) if target_python else None,
            code=code or [path.parent],
            artifact=artifact,
            folder=path.parent,
            advisories=known,
            others=held.findings,
        )
        if resolve:
            again = resolve_again(found, asked, python=target_python, progress=say)
            report = report.joined(again)
    tell.say_problems(speech, report, path)
    tell.say_table(speech, report, asked_for)
    requirements, constraints = (report.looked_at.get(k) for k in ("unpinned", "unsatisfied"))
    missing = [kind for kind in asked_for if kind in report.absent]
    if report.problems:
        speech.say(f"{_counted(len(report.problems), 'problem')} in {path}", "bold red")
    else:
        line = f"{path}: {requirements} requirements, all pinned and hashed"
        line += f", {constraints} constraints of {asked.name} hold" if asked else ""
        line += f"; could not be looked at: {', '.join(missing)}" if missing else ""
        speech.say(line, "yellow" if missing else "")
    speech.result(
        {
            "path": str(path),
            "digest": found.digest,
            "requirements": requirements,
            "inputs": constraints,
            **tell.as_json(report),
        }
    )
    raise typer.Exit(tell.exit_code(report, asked_for))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _refuse_missing(option: str, paths: list[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise UsageError(f"{option} {path}: there is no such file or folder")
