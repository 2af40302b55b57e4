"""What every command shares: options, settings, and where words and JSON go.

With `--json` stdout holds JSON alone; everything meant for people goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gates.errors import UsageError
from gates.project import Project
from gates.settings import Settings, load_settings

__all__ = [
    "CacheOption",
    "DryRunOption",
    "JsonOption",
    "MarkerPythonOption",
    "ModelArgument",
    "ProjectOption",
    "Speech",
    "TrackingOption",
    "WhyOption",
    "golden_folder",
    "project_from",
    "settings_from",
]

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")
]
ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="DIR",
        help="Folder with model_cards/, golden/ and models/ (default: found from here upwards).",
    ),
]
TrackingOption = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        metavar="URI",
        help="MLflow store or server (default: MLFLOW_TRACKING_URI, [tool.gates], "
        "then .gates/mlflow.db in the project).",
    ),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache", metavar="DIR", help="Environments and snapshots (default: ~/.cache/mlgates)."
    ),
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="The registered model.")]
MarkerPythonOption = Annotated[
    str | None,
    typer.Option(
        "--python", metavar="VERSION", help="Judge markers for this Python (default: this one)."
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Print the difference and write nothing.")
]
WhyOption = Annotated[
    str, typer.Option("--why", metavar="TEXT", help="Why, in your words; kept in the history.")
]


class _Lines(Console):
    """A console whose reader may leave early (head, less) without changing the exit code."""

    def on_broken_pipe(self) -> None:
        """Say nothing more; a gate's exit code is its verdict, whoever has stopped reading."""
        self.quiet = True
        _silence(sys.stderr if self.stderr else sys.stdout)


def _silence(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@dataclass(frozen=True)
class Speech:
    """Where a command's words go.

    Args:
        as_json: Whether the caller wants JSON.
    """

    as_json: bool

    @property
    def out(self) -> Console:
        """The console for results: stdout, or stderr when stdout is JSON's."""
        return _Lines(stderr=self.as_json, highlight=False)

    def say(self, line: str, style: str = "") -> None:
        """Print a line as it is: no markup, and unbroken, so that paths can be copied."""
        self.out.print(line, style=style or None, markup=False, soft_wrap=True)

    def result(self, value: Any) -> None:  # noqa: ANN401 - any JSON value
        """Print the result as JSON, when JSON was asked for."""
        if self.as_json:
            text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
            try:
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                _silence(sys.stdout)

    @contextmanager
    def working(self) -> Iterator[Progress]:
        """A progress display on stderr, shown only when stderr is a terminal."""
        if not sys.stderr.isatty():
            yield Progress(disable=True)
            return
        columns = (
            SpinnerColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
        )
        # A copy of the descriptor: pytest, which runs meanwhile, captures the original.
        with os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal:
            console = Console(file=terminal)
            with Progress(*columns, console=console, transient=True) as progress:
                yield progress


def settings_from(
    project: Path | None, tracking_uri: str | None, cache: Path | None, **flags: Path | None
) -> Settings:
    """Settings from a command's options; `flags` are those that few commands have.

    Raises:
        UsageError: The project folder does not exist.
    """
    if project is not None and not project.is_dir():
        raise UsageError(f"--project {project}: there is no such folder")
    given: dict[str, Any] = {"tracking_uri": tracking_uri, "cache": cache, **flags}
    return load_settings(project, **given)


def project_from(
    project: Path | None, tracking_uri: str | None, cache: Path | None, **flags: Path | None
) -> Project:
    """The project that a command's options name; see `settings_from`."""
    return Project(settings_from(project, tracking_uri, cache, **flags))


def golden_folder(project: Project, what: str) -> Path:
    """The golden set that a person names: a folder, or `golden/<model>`.

    Args:
        what: A folder, or a model's name.

    Raises:
        UsageError: There is neither; it names the sets that there are.
    """
    from gates.system.strict_yaml import nearest

    sets = project.golden_folder
    for folder in (Path(what), sets / what) if what.strip() else ():
        if folder.is_dir():
            return folder
    if Path(what).is_file():
        advice = f"name the folder that it is in: {Path(what).parent}"
    else:
        names = sorted(one.parent.name for one in sets.glob("*/manifest.yaml"))
        advice = nearest(what, names) if names else "docs/golden-sets.md says how to make one"
    raise UsageError(
        f"there is no golden set '{what}': neither a folder of that name, nor one in {sets}",
        advice=advice,
    )
