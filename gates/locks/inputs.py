"""What a person asked for: requirements.in with what it includes, or a pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from gates.errors import LockError
from gates.locks._lines import clip, decode, read_bytes, requirement_lines

__all__ = ["AskedRequirement", "read_inputs"]

_INCLUDES = {"-r": False, "--requirement": False, "-c": True, "--constraint": True}
_EDITABLE = frozenset({"-e", "--editable"})


@dataclass(frozen=True, slots=True)
class AskedRequirement:
    """One requirement a person wrote.

    Attributes:
        name: The distribution's canonical name; for a URL or path without one, what was written.
        specifier: The versions it allows.
        extras: The extras it asks for, canonical and sorted.
        marker: Its PEP 508 marker; empty when it always holds.
        path: The file it stands in.
        where: The place, in words, such as `requirements.in:3`.
        line: Its line, None in a pyproject.toml.
        constraint: True when it only limits what something else asks for (`-c`).
        direct: True when it asks for a URL, checkout or path instead of a version.
    """

    name: str
    specifier: SpecifierSet
    extras: tuple[str, ...]
    marker: str
    path: Path
    where: str
    line: int | None = None
    constraint: bool = False
    direct: bool = False


def read_inputs(path: Path) -> tuple[AskedRequirement, ...]:
    """Every requirement that was asked for, in order, with where it was asked.

    A requirements.in is followed through `-r` and `-c`, within its own folder. Of a
    pyproject.toml the dependencies and all optional groups are taken, and references to the
    project itself (`mlgates[server]`) stand for the group they name.

    Args:
        path: A requirements.in, or a pyproject.toml.

    Raises:
        LockError: A file is missing, unreadable or outside the folder, or a line is no requirement.
    """
    if path.suffix == ".toml":
        return tuple(_from_project(path))
    return tuple(_from_lines(path.parent, Path(path.name), constraint=False, seen=set()))


def _from_lines(
    root: Path, place: Path, *, constraint: bool, seen: set[tuple[Path, bool]]
) -> Iterator[AskedRequirement]:
    if (place, constraint) in seen:
        return
    seen.add((place, constraint))
    path = root / place
    for line in requirement_lines(decode(read_bytes(path), path), path):
        where = f"{place}:{line.number}"
        if line.requirement:
            yield _asked(line.requirement, path, where, line.number, constraint=constraint)
            continue
        for name, value in line.options:
            if name in _EDITABLE:
                yield _direct(f"{name} {value}", path, where, line.number)
            elif name in _INCLUDES:
                included = _included(value, root, path, line.number)
                only = constraint or _INCLUDES[name]
                yield from _from_lines(root, included, constraint=only, seen=seen)


def _included(value: str, root: Path, path: Path, line: int) -> Path:
    """The place of an included file, relative to the root."""
    included = path.parent / value
    try:
        place = included.resolve().relative_to(root.resolve())
        if included.is_file():
            return place
        trouble = "not there"
    except ValueError:
        trouble = "outside its folder"
    except (OSError, RuntimeError):  # a name too long, or links in a circle
        trouble = "no file that can be read"
    raise LockError(
        f"it includes `{clip(value)}`, which is {trouble}",
        path=path,
        line=line,
        advice="Keep included files beside it: only that folder travels with the model.",
    )


def _asked(
    text: str, path: Path, where: str, line: int | None, *, constraint: bool = False
) -> AskedRequirement:
    try:
        parsed = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        if "/" in text or text.startswith((".", "file:")):
            return _direct(text, path, where, line)
        first, *_ = str(error).splitlines() or [""]
        raise LockError(
            f"`{clip(text)}` is not a requirement: {clip(first)}",
            path=path,
            line=line,
            advice="Write it as PEP 508 has it, such as `numpy>=2,<3`.",
        ) from error
    return AskedRequirement(
        name=str(canonicalize_name(parsed.name)),
        specifier=parsed.specifier,
        extras=tuple(sorted(str(canonicalize_name(extra)) for extra in parsed.extras)),
        marker=str(parsed.marker or ""),
        path=path,
        where=where,
        line=line,
        constraint=constraint,
        direct=parsed.url is not None,
    )


def _direct(text: str, path: Path, where: str, line: int | None) -> AskedRequirement:
    return AskedRequirement(clip(text), SpecifierSet(), (), "", path, where, line, direct=True)


def _from_project(path: Path) -> Iterator[AskedRequirement]:
    try:
        project = tomllib.loads(decode(read_bytes(path), path)).get("project")
    except (ValueError, RecursionError) as error:
        raise LockError(f"it is not TOML: {error}", path=path) from error
    if not isinstance(project, Mapping) or not isinstance(project.get("name"), str):
        raise LockError("it has no [project] table with a name", path=path)
    dynamic = project.get("dynamic")
    if isinstance(dynamic, list) and any(str(key).endswith("dependencies") for key in dynamic):
        raise LockError(
            "its dependencies are dynamic, so they cannot be read without building it",
            path=path,
            advice="Name the requirements.in that they come from instead.",
        )
    own = canonicalize_name(project["name"])
    groups = _groups(project, path)
    for group, texts in groups.items():
        where = f"{path.name}, {group}"
        for text in texts:
            asked = _asked(text, path, where, None)
            if asked.name != own:
                yield asked
                continue
            # Every group is taken anyway, so following a self-reference is seeing that it exists.
            for extra in asked.extras:
                if f"optional-dependencies.{extra}" not in groups:
                    raise LockError(
                        f"`{text}` in {group} names no group of this project", path=path
                    )


def _groups(project: Mapping[str, Any], path: Path) -> dict[str, list[str]]:
    optional = project.get("optional-dependencies", {})
    groups = {"dependencies": project.get("dependencies", [])}
    if isinstance(optional, Mapping):
        groups |= {
            f"optional-dependencies.{canonicalize_name(name)}": texts
            for name, texts in optional.items()
        }
    lists = [isinstance(texts, list) for texts in groups.values()]
    if not isinstance(optional, Mapping) or not all(lists):
        raise LockError("its dependencies are not lists of requirements", path=path)
    for group, texts in groups.items():
        for text in texts:
            if not isinstance(text, str):
                raise LockError(f"{text!r} in {group} is not a requirement", path=path)
    return groups
