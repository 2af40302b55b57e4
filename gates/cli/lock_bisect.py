"""`gates lock bisect`: which change of a lock changes what a model answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.bisection.search import Progress
    from gates.card.card import Card
    from gates.project import Project

__all__ = ["bisect_locks"]


@dataclass(frozen=True)
class _Model:
    """Which model, where its folder is, and what is known of how it runs."""

    folder: Path
    name: str
    python: str | None


def bisect_locks(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="The lock before, or the folder it is in.")
    ],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The lock after.")],
    model: Annotated[
        str,
        typer.Option(metavar="DIR|URI", help="An MLflow model folder, or models:/NAME/VERSION."),
    ],
    golden: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="What the model is asked (default: the card's, or golden/NAME)."
        ),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Model card: Python version and limits (default: model_cards/NAME.md).",
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0, metavar="DIFFERENCE", help="How far a score may move, absolutely."),
    ] = 1e-9,
    relative: Annotated[
        float,
        typer.Option(min=0, metavar="SHARE", help="And how far as a share of the old score."),
    ] = 1e-6,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What was tested, to go on from (default: under .gates/bisect/)."
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what was tested before, and start anew.")
    ] = False,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the smallest set of an upgrade's changes that changes a model's answers, or breaks it.

    The same model runs under OLD, under NEW, and under mixtures of both. A search that was stopped
    goes on where it was. Exit codes: 0 the upgrade changes nothing, 1 a cause was found, 2 usage or
    input error, 3 undecided.

    Example: gates lock bisect old.txt new.txt --model models:/query-category/3
    """
    from gates import bisection
    from gates.card.policy import UNWRITTEN
    from gates.cli._bisection_words import document, render
    from gates.environments.cache import EnvironmentCache
    from gates.golden import read_golden
    from gates.locks.lock import read_lock
    from gates.run.version import limits_of

    if not math.isfinite(tolerance) or not math.isfinite(relative):
        raise UsageError("--tolerance and --relative must be finite numbers")
    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    locks = _lock_path(old), _lock_path(new)
    before, after = (read_lock(path) for path in locks)
    subject = _model(model, home)
    policy = _card(card, subject, home)
    asked = read_golden(_golden(golden, policy, subject, home))
    environment = policy.policy.environment if policy else UNWRITTEN
    limits, python = limits_of(environment), environment.python or subject.python
    allowed = bisection.Tolerance(tolerance, relative)
    key = bisection.bisection_key(
        before,
        after,
        subject.folder,
        asked,
        tolerance=allowed,
        limits=limits,
        python=python,
        policy=environment,
    )
    name = f"{key['digest'].removeprefix('sha256:')[:16]}.json"
    state_file = (state or home.folder / ".gates" / "bisect" / name).absolute()
    with _shown(speech) as progress:
        found = bisection.bisect(
            subject.folder,
            *locks,
            asked,
            cache=EnvironmentCache(home.settings.cache),
            limits=limits,
            tolerance=allowed,
            state_file=state_file,
            python=python,
            policy=environment,
            fresh=fresh,
            progress=progress,
        )
    render(found, speech, state_file)
    speech.result(document(found, state_file))
    raise typer.Exit(found.exit_code)


def _lock_path(given: Path) -> Path:
    return given / "requirements.txt" if given.is_dir() else given


def _model(model: str, project: Project) -> _Model:
    from gates.environments.mlmodel import read_mlmodel
    from gates.run.version import packaged_python

    if not model.startswith("models:/"):
        folder = Path(model)
        if not folder.is_dir():
            raise UsageError(
                f"--model {model}: there is no such folder",
                advice="name an MLflow model folder, or a registered version: models:/NAME/VERSION",
            )
        return _Model(folder, "", read_mlmodel(folder).python_version)
    registry = project.registry
    version = registry.resolve(model)
    return _Model(registry.path(version), version.name, packaged_python(version))


def _card(card: Path | None, model: _Model, project: Project) -> Card | None:
    path = card or (project.card_path(model.name) if model.name else None)
    if path is None or not (card or path.is_file()):
        return None
    return project.read_card(path)


def _golden(golden: Path | None, card: Card | None, model: _Model, project: Project) -> Path:
    if golden:
        return golden
    if card:
        return card.golden_path
    if model.name:
        return project.golden_folder / model.name
    raise UsageError(
        "no golden set is named", advice="name what the model is to be asked: --golden DIR"
    )


@contextmanager
def _shown(speech: Speech) -> Iterator[Progress]:
    """A bar that fills as changes are ruled out."""
    with speech.working() as bars:
        task = bars.add_task("reading", total=None)

        def told(doing: str, done: int, total: int | None) -> None:
            bars.update(task, description=doing, completed=done, total=total)

        yield told
