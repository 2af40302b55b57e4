"""The keys of a model card's front matter, from the models that read it."""

from __future__ import annotations

import inspect
import json
from typing import Any

from pydantic import BaseModel

from docsite.attributes import described, in_one_line
from gates.card.policy import (
    BoundPolicy,
    CheckPolicy,
    EnvironmentPolicy,
    Limit,
    Policy,
    WaiverPolicy,
)

__all__ = ["page", "schema"]

_PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The card", Policy),
    ("`environment`", EnvironmentPolicy),
    ("A check, under `checks`", CheckPolicy),
    ("A bound, under `bounds`", BoundPolicy),
    ("A slice's limits, under `slices`", Limit),
    ("A waiver, under `waivers`", WaiverPolicy),
)


def schema() -> dict[str, Any]:
    """JSON Schema of the front matter, as far as one can say it: checks judge their own options."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema()}


def page() -> str:
    """The page, in Markdown."""
    lines = [
        "# Keys of a model card",
        "",
        "Every key of a card's front matter, as the code reads it; what cannot be read is an",
        "error that names file, line and key. What each check measures: [model",
        "cards](model-cards.md). The same as [JSON Schema](card.schema.json), for editors.",
        "",
    ]
    definitions = schema()["$defs"]
    for title, model in _PARTS:
        found = Policy.model_json_schema() if model is Policy else definitions[model.__name__]
        lines += [f"## {title}", "", (inspect.getdoc(model) or "").partition("\n")[0], ""]
        lines += ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
        meanings = described(model)
        needed = found.get("required", [])
        for key, about in found["properties"].items():
            default = "*required*" if key in needed else _default(model, key)
            meaning = meanings.get(key, "")
            lines.append(f"| `{key}` | {_type(about)} | {default} | {meaning} |")
        lines.append("")
    return "\n".join(lines)


def _default(model: type[BaseModel], key: str) -> str:
    value = model.model_fields[key].get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "the defaults"
    return f"`{json.dumps(value, default=list)}`"


def _type(about: dict[str, Any]) -> str:
    return in_one_line(" or ".join(_alternatives(about)))


def _alternatives(about: dict[str, Any]) -> list[str]:
    for several in ("anyOf", "oneOf"):
        if several in about:
            return [text for one in about[several] for text in _alternatives(one)]
    if "$ref" in about:
        name = about["$ref"].rsplit("/", 1)[-1]
        titles = {model.__name__: title for title, model in _PARTS}
        return [_lower_first(titles.get(name, name))]
    if "enum" in about:
        return [f"`{value}`" for value in about["enum"]]
    if "const" in about:
        return [f"`{about['const']}`"]
    match about.get("type"):
        case "array":
            return [f"list of {_type(about['items'])}" if about.get("items") else "list"]
        case "object":
            inner = about.get("additionalProperties")
            return [f"map to {_type(inner)}" if isinstance(inner, dict) else "map"]
        case "null":
            return ["nothing"]
        case "string" if "pattern" in about:
            return [f"text like `{about['pattern']}`"]
        case "string":
            return ["text"]
        case "boolean":
            return ["`true`", "`false`"]
        case "integer" | "number" as kind:
            ends = [("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤")]
            limits = [f"{sign} {about[name]:g}" for name, sign in ends if name in about]
            return [" ".join([kind, *limits])]
    return ["anything"]


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:]
