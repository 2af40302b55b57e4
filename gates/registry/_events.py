"""Events as tags of MLflow runs, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gates.registry import Event

PREFIX = "gates.event."
_KEPT = tuple(one.name for one in fields(Event) if one.name != "run_id")


def event_tags(event: Event) -> dict[str, str]:
    """The tags that record an event; an empty field has none."""
    values: dict[str, Any] = {name: getattr(event, name) for name in _KEPT}
    values["when"] = event.when.isoformat()
    return {PREFIX + name: str(value) for name, value in values.items() if value}


def event_of(tags: Mapping[str, str], run_id: str) -> Event | None:
    """The event that a run's tags record; None when they record none, or were edited by hand."""
    values: dict[str, Any] = {
        name: tags[PREFIX + name] for name in _KEPT if tags.get(PREFIX + name)
    }
    try:
        event = TypeAdapter(Event).validate_python({"version": "", **values, "run_id": run_id})
    except ValidationError:
        return None
    return event if event.when.tzinfo else None
