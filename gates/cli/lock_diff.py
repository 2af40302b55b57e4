"""`gates lock diff`: what changed between two locks, and why it is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    MarkerPythonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)
from gates.errors import LockError

if TYPE_CHECKING:
    from gates.locks.diff import LockContext
    from gates.locks.lock import Lock
    from gates.project import Project

__all__ = ["lock_diff"]


def lock_diff(
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD", help="A lock, a folder with a requirements.txt, or models:/NAME/VERSION."
        ),
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same, of what comes after.")],
    python: MarkerPythonOption = None,
    environments: Annotated[
        bool,
        typer.Option(
            "--environments",
            help="Find or build the environments of both, to know licences and what really "
            "needs what.",
        ),
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when the locks differ.")
    ] = False,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changed between two locks: what moved how far, and who asks for it.

    Exit code 0 whether they differ or not, with --exit-code 1 when they differ; always 1 when a
    version is the same and none of its files is, which no honest index does.

    Example: gates lock diff models:/product-ranker/6 models/product-ranker
    """
    from gates.cli._lock_changes import changes_as_json, show_changes
    from gates.domain.lock_changes import summary
    from gates.locks.diff import diff_locks
    from gates.locks.markers import target_environment

    speech = Speech(as_json)
    home = project_from(project, tracking_uri, cache)
    markers = target_environment(python) if python else None
    before, after = (_Side.read(one, home) for one in (old, new))
    of_old, of_new = (
        one.known(home, python, speech, built=environments) for one in (before, after)
    )
    changes = diff_locks(before.lock, after.lock, markers, of_old=of_old, of_new=of_new)
    for side in (before, after):
        if left_out := [one for one in side.lock.problems if one.kind == "unpinned"]:
            speech.say(
                f"{side.lock.path}: {len(left_out)} of its lines are no pins and were not compared "
                "(gates lock check names them)",
                "yellow",
            )
    show_changes(changes, speech)
    speech.result(
        {
            "old": {"path": str(before.lock.path), "digest": before.lock.digest},
            "new": {"path": str(after.lock.path), "digest": after.lock.digest},
            "changes": changes_as_json(changes),
            "files_swapped": sum(one.kind == "files" for one in changes),
            "summary": summary(changes),
        }
    )
    swapped = any(one.kind == "files" for one in changes)
    raise typer.Exit(1 if swapped or (exit_code and changes) else 0)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two locks, and the requirements.in beside it."""

    lock: Lock
    inputs: Path | None

    @classmethod
    def read(cls, what: str, project: Project) -> _Side:
        from gates.locks.lock import read_lock

        path = Path(what)
        if what.startswith("models:/"):
            registry = project.registry
            path = registry.path(registry.resolve(what)) / "gates"
        if path.is_dir():
            path /= "requirements.txt"
        lock = read_lock(path)
        if lock.problems and not lock.requirements:
            raise LockError(
                "none of its lines is a pin",
                path=path,
                line=lock.problems[0].line or None,
                advice="Name a lock: a requirements.txt with every requirement pinned by `==`.",
            )
        beside = path.with_suffix(".in")
        return cls(lock, beside if beside.is_file() else None)

    def known(
        self, project: Project, python: str | None, speech: Speech, *, built: bool
    ) -> LockContext:
        from gates.locks.diff import LockContext
        from gates.locks.inputs import read_inputs

        asked = read_inputs(self.inputs) if self.inputs else None
        if not built:
            return LockContext(asked)
        from gates.environments.cache import EnvironmentCache
        from gates.environments.inspect import distributions
        from gates.locks.lock import installable

        with speech.working() as progress:
            task = progress.add_task(f"environment of {self.lock.path}", total=None)
            environment = EnvironmentCache(project.settings.cache).ensure(
                installable(self.lock),
                python=python,
                progress=lambda line: progress.update(task, description=line[:100]),
            )
        return LockContext(asked, distributions(environment.path))
