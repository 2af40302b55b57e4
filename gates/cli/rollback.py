"""`gates rollback`: move the alias back."""

from __future__ import annotations

from typing import Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ModelArgument,
    ProjectOption,
    Speech,
    TrackingOption,
    WhyOption,
    project_from,
)

__all__ = ["rollback"]


def rollback(
    model: ModelArgument,
    why: WhyOption,
    to: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="An earlier champion (default: the one before)."),
    ] = None,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the champion before this one back into production.

    Example: gates rollback product-ranker --why "complaints about lamps"
    """
    from gates.promotion.rollback import rollback as roll_back
    from gates.run.delivery import who

    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    alias = home.card(model).policy.champion
    event = roll_back(home.registry, model, alias, why=why, by=who(), to=to)
    speech.say(f"rolled back {model}", "bold")
    speech.say(f"  {event.alias}: version {event.previous_version} → version {event.version}")
    speech.result(
        {
            "model": model,
            "alias": event.alias,
            "version": event.version,
            "previous_version": event.previous_version,
            "by": event.by,
            "why": event.why,
            "run_id": event.run_id,
        }
    )
