"""`gates promote`: move the alias, if the evidence allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    WhyOption,
    project_from,
)

__all__ = ["promote"]


def promote(
    candidate: Annotated[str, typer.Argument(metavar="URI", help="models:/NAME/VERSION")],
    why: WhyOption,
    first: Annotated[
        bool,
        typer.Option("--first", help="There is no champion yet: let this version be the first."),
    ] = False,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="evidence.json (default: the one kept in MLflow)."),
    ] = None,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a version the champion, with PASS evidence for exactly these digests.

    Example: gates promote models:/product-ranker/7 --why "adds brand features"
    """
    from gates.promotion.criteria import criteria_of
    from gates.promotion.promote import promote as promote_version
    from gates.registry.names import parse_uri
    from gates.run.delivery import who

    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    name = parse_uri(candidate).name
    card = home.card(name)
    with speech.working() as progress:
        progress.add_task("checking evidence and digests", total=None)
        event = promote_version(
            home.registry,
            card,
            candidate,
            evidence,
            criteria=criteria_of(card),
            why=why,
            by=who(),
            first=first,
            verify_key=home.settings.verify_key,
        )
    uri = f"models:/{event.model}/{event.version}"
    before = f"version {event.previous_version}" if event.previous_version else "nothing"
    speech.say(f"promoted {uri}", "bold green")
    speech.say(f"  {event.alias}: {before} → version {event.version}")
    speech.say(f"  undo: gates rollback {name} --why TEXT")
    speech.result(
        {
            "promoted": uri,
            "alias": event.alias,
            "previous_version": event.previous_version or None,
            "by": event.by,
            "why": event.why,
            "evidence_digest": event.evidence_digest,
            "run_id": event.run_id,
        }
    )
