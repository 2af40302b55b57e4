"""`gates init`: from a model in the registry to a card, a golden set and a first verdict."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)
from gates.domain.judging import Outcome
from gates.domain.tasks import TASKS
from gates.errors import GatesError

if TYPE_CHECKING:
    from gates.project import Project
    from gates.scaffold.plan import Scaffold

__all__ = ["init"]

_TOLERANCE = 0.05

# The choices of an option are an enum's; which tasks there are is said in one place.
if TYPE_CHECKING:
    TaskName = str
else:
    TaskName = StrEnum("TaskName", {name.upper(): name for name in TASKS})


def init(
    model: Annotated[
        str,
        typer.Argument(
            metavar="URI|NAME",
            help="models:/NAME/VERSION, or NAME for its champion, else its newest version.",
        ),
    ],
    task: Annotated[
        TaskName | None, typer.Option(help="What it is for (default: found out).")
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV of texts: query, and where known label and weight."),
    ] = None,
    candidates: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV or Parquet of a ranker's lists: query_id, doc_id, features, grade.",
        ),
    ] = None,
    requirements: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What the model needs, instead of its logged requirements."
        ),
    ] = None,
    lock_only: Annotated[
        bool,
        typer.Option("--lock-only", help="Only make a lock for a version that has none."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written and write nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there already.")
    ] = False,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make card, golden set, workflow and first test for a model in the registry.

    Versions without a lock get one, compiled from their logged requirements; the lock check says
    that it was made after the fact. Exit code 3 when something the gate will ask for is missing.

    Example: gates init models:/query-category/3 --queries queries.csv
    """
    from gates.scaffold.plan import Scaffold, Wishes, chosen, plan_locks, plan_scaffold, write

    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    wishes = Wishes(TASKS[task] if task else None, queries, candidates, requirements)
    with speech.working() as progress:
        line = progress.add_task("looking at the registry", total=None)

        def told(text: str) -> None:
            progress.update(line, description=text)

        versions = chosen(model, home.registry)
        if lock_only:
            locks, kept, notes = plan_locks(
                versions[:1],
                project=home.folder,
                registry=home.registry,
                wishes=wishes,
                force=force,
                progress=told,
            )
            scaffold = Scaffold(versions[0], None, "", locks, kept, notes=notes)
        else:
            scaffold = plan_scaffold(
                versions,
                project=home.folder,
                registry=home.registry,
                tracking_uri=home.settings.tracking_uri,
                wishes=wishes,
                force=force,
                progress=told,
            )
    missing = list(scaffold.missing)
    if not dry_run:
        write(scaffold, home.folder, force=force)
        if scaffold.records:
            missing += _record(home, speech, scaffold)
    run = scaffold.version.uri if lock_only or "/" in model else versions[-1].uri
    _tell(scaffold, speech, missing, dry_run=dry_run, run=run)
    speech.result(
        {
            "version": scaffold.version.uri,
            "task": scaffold.task.name if scaffold.task else None,
            "because": scaffold.because,
            "files": list(scaffold.files),
            "kept": list(scaffold.kept),
            "written": not dry_run,
            "notes": list(scaffold.notes),
            "missing": missing,
            "next": f"gates run {run}",
        }
    )
    raise typer.Exit(Outcome.UNDECIDED.exit_code if missing else 0)


def _record(project: Project, speech: Speech, scaffold: Scaffold) -> list[str]:
    """Record what the version answers as expectations; gives why that could not be done."""
    from gates.cli.record import recording_of
    from gates.system.files import write_atomically

    name, uri = scaffold.version.name, scaffold.version.uri
    try:
        _, found = recording_of(project, speech, name, uri, tolerance=_TOLERANCE, only_new=False)
    except GatesError as problem:
        what = f"golden/{name}/expectations.csv: {uri} could not be asked: {problem.what}"
        return [f"{what}; put that right, then: gates golden record {name} --from {uri}"]
    write_atomically(found.path, found.after.encode())
    speech.say(f"recorded {found.added} labels from {uri}: review them, nobody has judged them")
    return []


def _tell(
    scaffold: Scaffold, speech: Speech, missing: list[str], *, dry_run: bool, run: str
) -> None:
    if scaffold.task:
        speech.say(f"{scaffold.version.uri}: {scaffold.task}; {scaffold.because}", "bold")
    for name in scaffold.files:
        speech.say(f"  {'would write' if dry_run else 'wrote'}  {name}")
    for name in scaffold.kept:
        speech.say(f"  kept   {name}")
    for note in scaffold.notes:
        speech.say(f"  note   {note}")
    for one in missing:
        speech.say(f"  missing  {one}", "yellow")
    if not dry_run:
        speech.say(f"  next   gates run {run}")
