"""Events as tags of MLflow runs, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from pydantic import TypeAdapter

from gates.registry import Event, GateOrigin, Refusal
from gates.system.json_files import json_value

PREFIX = "gates.event."
_EVENT = TypeAdapter(Event)  # made once: making it takes longer than reading an event
_ORIGINS = get_args(GateOrigin)
_SERVICE = "gates serve"
_LONGEST_TAG, _LONGEST_LINE = 4000, 500  # characters: MLflow before 2.17 keeps 5000 of a tag
_KEPT = tuple(one.name for one in fields(Event) if one.name != "run_id")


def event_tags(event: Event) -> dict[str, str]:
    """The tags that record an event; an empty field has none."""
    values: dict[str, Any] = {name: getattr(event, name) for name in _KEPT}
    values["when"] = event.when.isoformat()
    if event.refusals:
        values["refusals"] = _fitting(event.refusals)
    return {PREFIX + name: str(value) for name, value in values.items() if value}


def _fitting(refusals: tuple[Refusal, ...]) -> str:
    """As many refusals as a tag holds, as JSON."""
    kept: list[dict[str, str]] = []
    for place, one in enumerate(refusals):
        line = one.line if len(one.line) <= _LONGEST_LINE else one.line[: _LONGEST_LINE - 1] + "…"
        kept.append({"guard": one.guard, "line": line})
        if len(json.dumps(kept)) > _LONGEST_TAG:
            left = len(refusals) - place
            kept[-1] = {"guard": one.guard, "line": f"… and {left} more"}
            break
    return json.dumps(kept)


def event_of(tags: Mapping[str, str], run_id: str) -> Event | None:
    """The event that a run's tags record; None when they record none, or were edited by hand."""
    values: dict[str, Any] = {
        name: tags[PREFIX + name] for name in _KEPT if tags.get(PREFIX + name)
    }
    if values.get("kind") == "gate":
        values |= _gate_values(values, tags)
    try:
        if "refusals" in values:
            values["refusals"] = json_value(values["refusals"])
        event = _EVENT.validate_python({"version": "", **values, "run_id": run_id})
    except ValueError:
        return None
    return event if event.when.tzinfo else None


def _gate_values(values: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """What a gate's run says in older tags, or in ones that may not be believed as they are."""
    origin, link = values.get("origin", ""), str(values.get("link", ""))
    if not origin and values.get("by") == _SERVICE:  # before origins were recorded, it signed so
        origin = "service"
    return {
        "champion": values.get("champion") or tags.get("gates.champion", ""),
        "origin": origin if origin in _ORIGINS else "",
        # It becomes a link on a page: whoever may write to MLflow may not put a script there.
        "link": link if link.startswith(("https://", "http://")) else "",
    }
