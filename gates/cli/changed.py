"""`gates changed`: which models a change touches."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from gates.cli.common import JsonOption, ProjectOption, Speech, settings_from

__all__ = ["BaseOption", "changed"]

BaseOption = Annotated[
    str,
    typer.Option(
        "--base", metavar="REF", help="What the change is to be merged into, such as origin/main."
    ),
]


def changed(
    base: BaseOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which models differ from a base: their source, lock, golden set or card.

    Under GitHub Actions also sets the step's outputs `models` (JSON, for a matrix), `any` and
    `cache-key`.

    Example: gates changed --base origin/main
    """
    from gates.pull_request.changes import find_changes
    from gates.pull_request.repository import open_repository
    from gates.pull_request.runner import set_outputs

    settings = settings_from(project, None, None)
    speech = Speech(as_json)
    found = find_changes(open_repository(settings.project, base))
    names = [one.model for one in found.to_gate]
    set_outputs(
        {"models": names, "any": bool(names), "cache-key": found.cache_key},
    )
    speech.say(f"since {found.base[:12]}:" if found.models else "no model changed")
    for one in found.models:
        speech.say(f"  {one.model}: {one.kind} ({', '.join(one.parts)}), {len(one.files)} files")
    speech.result(
        {
            "base": found.base,
            "head": found.head,
            "models": [dataclasses.asdict(one) for one in found.models],
            "matrix": {"model": names},
            "cache_key": found.cache_key,
        }
    )
