"""`gates golden record`: what a version answers today, as expectations for those to come."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.common import (
    CacheOption,
    DryRunOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)
from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.golden.recording import Recording
    from gates.project import Project

__all__ = ["record", "recording_of"]

_SHOWN = 10


def record(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The registered model's name.")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URI",
            help="models:/NAME/VERSION, models:/NAME@ALIAS or @ALIAS "
            "(default: the alias in the card).",
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="NUMBER", help="How far a score may be from the recorded one.")
    ] = 0.05,
    only_new: Annotated[
        bool, typer.Option("--only-new", help="Leave what was recorded before as it is.")
    ] = False,
    dry_run: DryRunOption = False,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a classifier's labels and scores into its golden set's expectations.csv.

    What a person wrote there is never changed; where the version disagrees with it, you are told.

    Example: gates golden record query-category --from @champion --dry-run
    """
    from gates.system.files import write_atomically

    if not 0 < tolerance < float("inf"):
        raise UsageError(
            f"--tolerance {tolerance:g} is no distance between scores",
            advice="give a number above 0, such as 0.05",
        )
    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    uri, found = recording_of(home, speech, model, source, tolerance=tolerance, only_new=only_new)
    writes = bool(found.diff) and not dry_run
    if writes:
        write_atomically(found.path, found.after.encode())
    _tell(speech, found, uri, dry_run=dry_run)
    speech.result(
        {
            "path": str(found.path),
            "from": uri,
            "written": writes,
            "added": found.added,
            "changed": found.changed,
            "same": found.same,
            "judged": found.judged,
            "disagreements": [asdict(one) for one in found.disagreements],
            "diff": found.diff,
        }
    )


def recording_of(
    project: Project,
    speech: Speech,
    model: str,
    source: str | None,
    *,
    tolerance: float,
    only_new: bool,
) -> tuple[str, Recording]:
    """Ask a version for the labels of its golden queries.

    Args:
        project: Whose version.
        speech: Where words go.
        model: The registered model's name.
        source: The version, or the alias as `@alias`; None for the card's.
        tolerance: How far a score may be from the recorded one.
        only_new: Whether what was recorded before stays as it is.

    Returns:
        The version's URI, and the recording; nothing is written.

    Raises:
        GatesError: Card or golden set are wrong, or the version cannot be run.
    """
    from gates.domain.tasks import AnswerForm
    from gates.environments.cache import EnvironmentCache
    from gates.golden import read_golden
    from gates.golden.recording import record as recorded
    from gates.run.subject import prepare_subject

    card = project.card(model)
    if card.policy.task.answers is not AnswerForm.LABELS:
        raise UsageError(
            f"{card.path} is for {card.policy.task.called} model: only labels can be recorded",
            advice="write by hand what you expect: docs/golden-sets.md says how",
        )
    golden = read_golden(card.golden_path, expects=False)
    wanted = source or f"@{card.policy.champion}"
    registry = project.registry
    with speech.working() as progress:
        task = progress.add_task("resolving the version", total=None)
        version = registry.resolve(f"models:/{model}{wanted}" if wanted.startswith("@") else wanted)
        subject = prepare_subject(
            card,
            golden,
            version,
            None,
            path_of=registry.path,
            cache=EnvironmentCache(project.settings.cache),
            progress=lambda text: progress.update(task, description=text),
        )
        try:
            labels, scores = subject.candidate.labels(golden.inputs())
        finally:
            subject.close()
    found = recorded(golden, labels, scores.tolist(), tolerance=tolerance, only_new=only_new)
    return version.uri, found


def _tell(speech: Speech, found: Recording, uri: str, *, dry_run: bool) -> None:
    if dry_run:
        speech.say(found.diff.rstrip("\n") or f"{found.path} already says what {uri} answers")
    elif found.diff:
        speech.say(f"recorded {uri}", "bold green")
        speech.say(f"  {found.path}: review it as you would review code")
    else:
        speech.say(f"{found.path} already says what {uri} answers")
    speech.say(
        f"  {found.added} added, {found.changed} changed, {found.same} as recorded before, "
        f"{found.judged} judged by people and kept"
    )
    for one in found.disagreements[:_SHOWN]:
        speech.say(
            f"  line {one.line}: '{one.query}' is judged {one.judged}, "
            f"and answered {one.answered} ({one.score:.3g})",
            "yellow",
        )
    if len(found.disagreements) > _SHOWN:
        speech.say(f"  … and {len(found.disagreements) - _SHOWN} more disagree", "yellow")
