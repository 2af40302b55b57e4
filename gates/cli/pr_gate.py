"""`gates pr gate`: every model that a pull request changes, gated against the base's."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.changed import BaseOption
from gates.cli.common import CacheOption, JsonOption, ProjectOption, Speech, project_from
from gates.errors import GatesError, UsageError
from gates.system.strict_yaml import nearest

if TYPE_CHECKING:
    from gates.card.card import Card
    from gates.domain.review import ModelChange
    from gates.project import Project
    from gates.pull_request.folder import Reviewed
    from gates.pull_request.repository import Repository

__all__ = ["pr_gate"]

_RANK = ("PASS", "UNDECIDED", "FAIL", "ERROR")


def pr_gate(
    base: BaseOption,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Gate only this model; may be given several times."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The reviews' folder (default: .gates/pull-request)."),
    ] = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            "--tracking-uri",
            metavar="URI",
            help="The team's MLflow, whose champion is the one to beat (default: package the "
            "base's model too, into a store that is thrown away).",
        ),
    ] = None,
    time_budget: Annotated[
        float | None,
        typer.Option(metavar="MINUTES", min=0.0, help="How long all of it may take."),
    ] = None,
    trust_builds: Annotated[
        bool,
        typer.Option(
            "--trust-builds",
            help="Run each build.py as this user, with network and the variables its package.yaml "
            "names: only where every author may see what this job sees.",
        ),
    ] = False,
    project: ProjectOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Gate every model that differs from the base, and leave reviews, reports and a comment.

    Exit code 0 once everything that could be gated was, whatever the verdicts: `gates pr enforce`
    turns them into one. Under GitHub Actions also sets the outputs `verdict`, `evidence`, `report`
    and `comment`, writes the job summary and annotates the changed files.

    Example: gates pr gate --base origin/main
    """
    from gates.cli._gating_tools import GatingTools
    from gates.pull_request.budget import TimeBudget
    from gates.pull_request.changes import find_changes
    from gates.pull_request.folder import forget_others, read_reviews
    from gates.pull_request.gating import gate_change
    from gates.pull_request.repository import open_repository
    from gates.pull_request.runner import read_event

    speech = Speech(as_json)
    home = project_from(project, None, cache)
    folder = (output or home.folder / ".gates" / "pull-request").absolute()
    repository = open_repository(home.folder, base)
    changes = _chosen(find_changes(repository).to_gate, model or [])
    event = read_event()
    forget_others(folder, repository.head)
    with _commands_stopped(), speech.working() as progress:
        task = progress.add_task("looking at what changed", total=None)
        tools = GatingTools(
            home.settings,
            TimeBudget(time_budget),
            lambda text: progress.update(task, description=text[:100]),
            trust_builds=trust_builds,
        )
        for change in changes:
            with tempfile.TemporaryDirectory(prefix="gates-pr-") as scratch:
                gate_change(
                    change,
                    repository,
                    tools,
                    output=folder / change.model,
                    scratch=Path(scratch).resolve(),
                    store=tracking_uri,
                    number=event.number,
                )
    reviewed = read_reviews(folder) if changes else ()
    reviewed = tuple(one for one in reviewed if one.review.change in changes)
    _tell(reviewed, folder, repository, home, speech)


def _chosen(changes: Sequence[ModelChange], names: list[str]) -> tuple[ModelChange, ...]:
    known = [one.model for one in changes]
    for name in names:
        if name not in known:
            raise UsageError(f"'{name}' is no model that changed", advice=nearest(name, known))
    return tuple(one for one in changes if not names or one.model in names)


@contextmanager
def _commands_stopped() -> Iterator[None]:
    """What a model's build or an error prints is not taken for a command to the runner."""
    if not os.environ.get("GITHUB_ACTIONS"):
        yield
        return
    token = secrets.token_hex(16)
    typer.echo(f"::stop-commands::{token}", err=True)
    try:
        yield
    finally:
        typer.echo(f"::{token}::", err=True)


def _tell(
    reviewed: Sequence[Reviewed],
    folder: Path,
    repository: Repository,
    project: Project,
    speech: Speech,
) -> None:
    from gates.pull_request.runner import add_summary, set_outputs
    from gates.report import pull_request
    from gates.system.files import write_atomically

    verdict = max((one.review.outcome for one in reviewed), key=_RANK.index, default="PASS")
    comment = folder / "comment.md"
    body = pull_request.render([(one.review, one.evidence, one.before) for one in reviewed])
    write_atomically(comment, body.encode())
    first = folder / reviewed[0].review.change.model / "gate" if reviewed else folder
    shown = {
        "verdict": verdict,
        "evidence": str(first / "evidence.json"),
        "report": str(first / "report.html"),
        "comment": str(comment),
        "reviews": str(folder),
    }
    set_outputs(shown)
    add_summary(body)
    for one in reviewed:
        report = folder / one.review.change.model / "gate" / "report.md"
        if len(reviewed) > 1 and report.is_file():
            add_summary(report.read_text(encoding="utf-8"))
        speech.say(f"{one.review.outcome} {one.review.change.model}")
    _annotate(reviewed, repository, project)
    if not reviewed:
        speech.say("no model changed: there is nothing to gate")
    speech.say(f"comment: {comment}")
    outcomes = {one.review.change.model: one.review.outcome for one in reviewed}
    speech.result({**shown, "models": outcomes})


def _annotate(reviewed: Sequence[Reviewed], repository: Repository, project: Project) -> None:
    from gates.pull_request.annotations import annotate, commands

    if not os.environ.get("GITHUB_ACTIONS"):
        return
    found = []
    for one in reviewed:
        try:
            card: Card | None = project.card(one.review.change.model)
        except GatesError:  # the review says so, with its line
            card = None
        found += annotate(one.review, one.evidence, card)
    for line in commands(found, repository.inside, lru_cache(repository.changed_lines)):
        typer.echo(line, err=True)  # the runner reads commands from both streams
