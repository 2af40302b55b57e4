"""`gates history`: who moved what, when, why, and on what evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ModelArgument,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)

if TYPE_CHECKING:
    from gates.registry import Event

__all__ = ["history"]

_PLACES = {"": "", "hand": "", "ci": "in CI", "service": "in the service"}


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
    from gates.registry.history import read_history

    registry = project_from(project, tracking_uri, cache).registry
    speech = Speech(as_json)
    found = read_history(registry, model)
    events = found.events
    shown = events[:limit]
    table = Table(box=None, pad_edge=False, title=f"{model}, newest first", title_justify="left")
    for heading in ("when (UTC)", "what", "version", "verdict", "by", "why", "evidence"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"when (UTC)", "version"})
    for one in shown:
        state = "" if one.state == "done" else f" ({one.state})"
        when = f"{one.when:%Y-%m-%d %H:%M}"
        digest = one.evidence_digest.removeprefix("sha256:")[:12]
        by = ", ".join(filter(None, (one.by, _PLACES[one.origin])))
        moved = found.bar_moved(one)
        said = ("the bar moved after results were seen:", *moved) if moved else ()
        # As it is: what stands in brackets is the name of a slice, and no markup.
        why = Text("\n".join(filter(None, (one.why, *said))))
        table.add_row(when, one.kind + state, _versions(one), one.verdict, by, why, digest)
    if shown:
        speech.out.print(table)
        if any(one.kind == "gate" and one.run_id for one in shown):
            speech.say("a gate's report: gates show RUN_ID, with its run_id of --json")
    else:
        speech.say(f"nothing was done to {model} through the gate yet")
    for alias, now in found.aliases.items():
        last = found.last_move(alias)
        if last and last.version != now:
            speech.say(
                f"{alias} is version {now}, and nothing above put it there: gates guard {model}"
            )
    for fault in found.faults:
        speech.say(f"{fault.kind}: {fault.what}", "yellow")
    for version, status, link in found.in_service:
        speech.say(f"version {version} is {status} in the service: {link}")
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
                "champion": one.champion or None,
                "origin": one.origin or None,
                "link": one.link or None,
                "bar_moved": list(found.bar_moved(one)),
                "refusals": [{"guard": it.guard, "line": it.line} for it in one.refusals],
                "sequence": one.sequence or None,
                "previous_event": one.previous_event or None,
            }
            for one in shown
        ]
    )


def _versions(event: Event) -> str:
    if event.alias:
        return f"{event.previous_version or '–'} → {event.version}"
    return f"{event.version} vs. {event.champion}" if event.champion else event.version
