"""`gates doctor`: is everything there that gates and the service need?"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    settings_from,
)

__all__ = ["doctor"]

_SIGNS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "wrong": ("✗", "bold red")}


def doctor(
    read_only: Annotated[
        bool,
        typer.Option(
            "--read-only", help="Write nothing to MLflow and send no delivery through its webhook."
        ),
    ] = False,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at everything a gate and the service need; each line is OK or says what to do.

    Exit codes: 0 when nothing must be mended, 1 otherwise.

    Example: gates doctor
    """
    from gates.doctor import examine

    settings = settings_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    found = []
    with speech.working() as progress:
        task = progress.add_task("looking", total=None)
        for one in examine(
            settings,
            os.environ,
            write=not read_only,
            progress=lambda text: progress.update(task, description=text),
        ):
            found.append(one)
            sign, style = _SIGNS[one.state]
            speech.say(f"{sign} {one.what:<13} {one.said}", style if one.state != "ok" else "")
            if one.advice:
                speech.say(f"  {'':<13} → {one.advice}")
    wrong = sum(one.state == "wrong" for one in found)
    notes = sum(one.state == "note" for one in found)
    speech.say("")
    speech.say(
        f"{wrong} to mend, {notes} to know of, {len(found) - wrong - notes} well",
        "bold red" if wrong else "bold green",
    )
    speech.result(
        {
            "wrong": wrong,
            "findings": [
                {"what": one.what, "state": one.state, "said": one.said, "advice": one.advice}
                for one in found
            ],
        }
    )
    raise typer.Exit(1 if wrong else 0)
