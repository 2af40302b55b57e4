"""YAML that people write for us, read strictly: an error says file, line, key and the nearest name.

Model cards, `manifest.yaml` and `package.yaml` are all read here, so that a typo reads the same
everywhere. Only plain YAML is taken (no tags that build objects), and a key may stand only once.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from gates.errors import InputError
from gates.system.yaml_values import compose_yaml, construct_yaml

__all__ = ["Lines", "nearest", "parse"]

ModelT = TypeVar("ModelT", bound=BaseModel)
Place = tuple[str | int, ...]


class Lines:
    """Where each key of a parsed YAML text stands.

    Args:
        lines: Path of keys → 1-based line in the file.
    """

    def __init__(self, lines: Mapping[Place, int]) -> None:
        self._lines = lines

    def of(self, *place: str | int) -> int | None:
        """The line of a key; when it is not written there, that of the nearest key above it."""
        for length in range(len(place), -1, -1):
            if place[:length] in self._lines:
                return self._lines[place[:length]]
        return None


def nearest(name: str, valid: Iterable[str]) -> str:
    """Advice that names the valid name closest to a wrong one, and all of them when they are few.

    Args:
        name: What was written.
        valid: What could have been.
    """
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    listed = f"valid here: {', '.join(names)}" if names else "nothing is valid here"
    return f"did you mean '{close[0]}'? ({listed})" if close else listed


def parse(
    text: str,
    model: type[ModelT],
    *,
    path: Path,
    error: type[InputError],
    first_line: int = 1,
) -> tuple[ModelT, Lines]:
    """Read YAML into a pydantic model.

    Args:
        text: The YAML.
        model: What it must be; unknown keys must be forbidden in its configuration.
        path: The file it came from, for the error.
        error: The kind of error to raise.
        first_line: The line of the file at which `text` begins.

    Returns:
        The validated model, and where its keys stand.

    Raises:
        InputError: (as `error`) The text is not YAML, or not what the model allows.
    """
    try:
        root = compose_yaml(text)
        found: dict[Place, int] = {}
        duplicate = _walk(root, (), first_line, found) if root is not None else None
        if duplicate:
            place, line = duplicate
            raise error(
                f"key '{place[-1]}' is written twice",
                path=path,
                line=line,
                advice="keep one of them",
            )
        value = construct_yaml(root)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = mark.line + first_line if mark else first_line
        what = getattr(problem, "problem", None) or str(problem).splitlines()[0]
        raise error(f"not valid YAML: {what}", path=path, line=line) from None
    lines = Lines(found)
    if not isinstance(value, dict):
        raise error(
            f"expected keys and values, found {type(value).__name__ if value else 'nothing'}",
            path=path,
            line=first_line,
            advice=nearest("", model.model_fields),
        )
    try:
        return model.model_validate(value, strict=False), lines
    except ValidationError as invalid:
        raise _explain(invalid, model, lines, path, error) from None


def _walk(
    node: yaml.Node, place: Place, first_line: int, found: dict[Place, int]
) -> tuple[Place, int] | None:
    found.setdefault(place, node.start_mark.line + first_line)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            name = str(key.value)
            here = (*place, name)
            line = key.start_mark.line + first_line
            if name in seen:
                return here, line
            seen.add(name)
            found[here] = line
            duplicate = _walk(child, here, first_line, found)
            if duplicate:
                return duplicate
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            duplicate = _walk(child, (*place, index), first_line, found)
            if duplicate:
                return duplicate
    return None


def _explain(
    invalid: ValidationError,
    model: type[BaseModel],
    lines: Lines,
    path: Path,
    error: type[InputError],
) -> InputError:
    # A misspelt key is also a missing one: the misspelling is what to show.
    found = invalid.errors(include_url=False)
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    place: Place = tuple(first["loc"])
    dotted = ".".join(str(part) for part in place)
    others = invalid.error_count() - 1
    more = f" (and {others} more)" if others else ""
    line = lines.of(*place)
    if first["type"] == "extra_forbidden":
        advice = nearest(str(place[-1]), _keys_at(model, place[:-1]))
        return error(f"unknown key '{dotted}'{more}", path=path, line=line, advice=advice)
    if first["type"] == "missing":
        return error(f"key '{dotted}' is missing{more}", path=path, line=line, advice="add it")
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = "" if isinstance(given, dict | list) else f", not {given!r}"
    valid = first.get("ctx", {}).get("valid")  # the names that there are, where it must be one
    advice = nearest(str(given), valid) if valid else ""
    return error(f"'{dotted}': {message}{shown}{more}", path=path, line=line, advice=advice)


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """The keys a model allows at a place, found by walking its annotations."""
    here: Any = model
    for part in place:
        if isinstance(here, type) and issubclass(here, BaseModel):
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            if part not in fields:
                return []
            here = fields[str(part)].annotation
        else:
            here = (typing.get_args(here) or (None,))[-1]
        here = _without_none(here)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [field.alias or name for name, field in here.model_fields.items()]
    return []


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 - an annotation can be anything
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        options = [one for one in typing.get_args(annotation) if one is not type(None)]
        return options[0]
    return annotation
