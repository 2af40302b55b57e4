"""`gates promote`: move the alias, if the evidence allows it."""

from __future__ import annotations

import tempfile
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
from gates.errors import PromotionRefused

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
    from gates import promotion
    from gates.golden import golden_digest
    from gates.registry.names import parse_uri
    from gates.run.delivery import who

    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    name = parse_uri(candidate).name
    card, registry = home.card(name), home.registry
    with speech.working() as progress, tempfile.TemporaryDirectory() as scratch:
        progress.add_task("checking evidence and digests", total=None)
        version = registry.resolve(candidate)
        found = evidence or registry.evidence(version, Path(scratch))
        if found is None:
            raise PromotionRefused(
                f"{version.uri} was never gated", advice=f"run: gates run {version.uri}"
            )
        event = promotion.promote(
            registry,
            card,
            version.uri,
            found,
            golden_digest=golden_digest(card.golden_path),
            why=why,
            by=who(),
            first=first,
            verify_key=home.settings.verify_key,
        )
    before = f"version {event.previous_version}" if event.previous_version else "nothing"
    speech.say(f"promoted {version.uri}", "bold green")
    speech.say(f"  {event.alias}: {before} → version {event.version}")
    speech.say(f"  undo: gates rollback {name} --why TEXT")
    speech.result(
        {
            "promoted": version.uri,
            "alias": event.alias,
            "previous_version": event.previous_version or None,
            "by": event.by,
            "why": event.why,
            "evidence_digest": event.evidence_digest,
            "run_id": event.run_id,
        }
    )
