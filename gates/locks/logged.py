"""Requirements that MLflow logged with a model, made fit for compiling: names and versions only.

A registered artifact is a stranger's. Whatever in its requirements would change where packages come
from, or run a build of somebody's, is refused by name; nothing of it is passed on as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from gates.errors import LockError
from gates.locks._lines import Line, clip, decode, one_line, read_bytes, requirement_lines

__all__ = ["LoggedRequirements", "read_logged"]

_CONSTRAINTS = ("-c", "--constraint")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class LoggedRequirements:
    """What a model asks for, as PEP 508 lines.

    Attributes:
        requirements: What it needs.
        constraints: What bounds the versions of whatever else comes along.
    """

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()


def read_logged(path: Path) -> LoggedRequirements:
    """Read a requirements file that came with a model; a constraints file beside it is followed.

    Raises:
        LockError: It cannot be read, is empty, or a line is more than a name with versions: every
            such line is named.
    """
    wanted, bounds, refused = [], [], []
    for line in _lines(path):
        text, trouble, included = _looked_at(line)
        if trouble:
            refused.append((line.number, path.name, trouble))
        for name in included:
            beside, problems = _constraints(path, name, line)
            bounds += beside
            refused += problems
        if text and not trouble:
            wanted.append(text)
    if refused:
        raise _refusal(path, refused)
    if not wanted:
        raise LockError(
            "it asks for nothing",
            path=path,
            advice="Name a file that says what the model needs: --requirements FILE",
        )
    return LoggedRequirements(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(bounds)))


def _lines(path: Path) -> Iterator[Line]:
    return requirement_lines(decode(read_bytes(path), path), path)


def _looked_at(line: Line) -> tuple[str, str, list[str]]:
    """The requirement in normal form, what is wrong with the line, and the constraints it names."""
    included = [value for name, value in line.options if name in _CONSTRAINTS]
    others = [
        f"{name} {value}".strip()
        for name, value in line.options
        if name not in (*_CONSTRAINTS, "--hash")
    ]
    if others:
        return "", f"`{one_line(clip(others[0]))}` is an option of the installer", included
    if not line.requirement:
        return "", "", included
    shown = one_line(clip(line.requirement))
    try:
        asked = Requirement(line.requirement)
    except (InvalidRequirement, RecursionError):
        return "", f"`{shown}` is no name with versions", included
    if asked.url is not None:
        return "", f"`{shown}` asks for a URL or a path", included
    return str(asked), "", included


def _constraints(path: Path, name: str, line: Line) -> tuple[list[str], list[tuple[int, str, str]]]:
    """The constraints of a file beside the requirements, and what is wrong with it."""
    if Path(name).name != name or not (path.parent / name).is_file():
        what = f"`-c {one_line(clip(name))}` names no file beside it"
        return [], [(line.number, path.name, what)]
    found, refused = [], []
    for one in _lines(path.parent / name):
        text, trouble, included = _looked_at(one)
        if included:
            trouble = "a constraints file names another one"
        if trouble:
            refused.append((one.number, name, trouble))
        elif text:
            found.append(text)
    return found, refused


def _refusal(path: Path, refused: list[tuple[int, str, str]]) -> LockError:
    shown = "; ".join(f"{where}:{number}: {what}" for number, where, what in refused[:_SHOWN])
    more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    return LockError(
        f"no lock can be made from it: {shown}{more}",
        path=path,
        line=refused[0][0] if refused[0][1] == path.name else None,
        advice="Name a file that asks for names and versions only: --requirements FILE",
    )
