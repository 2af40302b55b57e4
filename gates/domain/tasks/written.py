"""A task as people write it, in a card or a manifest: read by its name, and written as it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from gates.domain.tasks import TASKS, Task

__all__ = ["WrittenTask"]


def _known(name: Any) -> Task:  # noqa: ANN401 - YAML holds anything
    task = TASKS.get(name) if isinstance(name, str) else None
    if task is None:
        raise PydanticCustomError("unknown_name", "expected a task", {"valid": [*TASKS]})
    return task


WrittenTask = Annotated[
    Task,
    PlainValidator(_known),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "enum": [*TASKS]}),
]
"""The annotation of a pydantic field that holds a task."""
