"""`gates history`: who moved what, when, why, and on what evidence."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ModelArgument,
    ProjectOption,
    Speech,
    TrackingOption,
    settings_from,
)

__all__ = ["history"]


def history(
    model: ModelArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 50,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell everything that was done to a model through the gate, newest first.

    Example: gates history product-ranker
    """
    from gates import promotion
    from gates.registry.mlflow import MlflowRegistry

    settings = settings_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    registry = MlflowRegistry(settings.tracking_uri, settings.cache)
    events = promotion.history(registry, model)
    shown = events[:limit]
    table = Table(box=None, pad_edge=False, title=f"{model}, newest first", title_justify="left")
    for heading in ("when (UTC)", "what", "version", "verdict", "by", "why", "evidence"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"when (UTC)", "version"})
    for one in shown:
        moved = f"{one.previous_version or '–'} → {one.version}" if one.alias else one.version
        state = "" if one.state == "done" else f" ({one.state})"
        when = f"{one.when:%Y-%m-%d %H:%M}"
        digest = one.evidence_digest.removeprefix("sha256:")[:12]
        table.add_row(when, one.kind + state, moved, one.verdict, one.by, one.why, digest)
    if shown:
        speech.out.print(table)
    else:
        speech.say(f"nothing was done to {model} through the gate yet")
    if len(events) > limit:
        speech.say(f"… and {len(events) - limit} more (--limit {len(events)})")
    speech.result(
        [
            {
                "when": one.when.isoformat(),
                "kind": one.kind,
                "state": one.state,
                "version": one.version,
                "previous_version": one.previous_version or None,
                "alias": one.alias or None,
                "verdict": one.verdict or None,
                "by": one.by,
                "why": one.why,
                "evidence_digest": one.evidence_digest or None,
                "run_id": one.run_id,
            }
            for one in shown
        ]
    )
