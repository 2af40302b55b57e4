"""What a look at one format hands back, and what it is given to look with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gates.artifacts._globals import Ruling
from gates.artifacts._values import Region
from gates.domain.artifact_scan import Severity

__all__ = ["Format", "Found", "Place"]


class Found(NamedTuple):
    """One finding in a file: how bad, what, and why that matters."""

    severity: Severity
    what: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A file or member of an archive that is looked at.

    Attributes:
        region: Its bytes.
        name: The last part of its name, as it is written; a hint, never the only ground.
        judge: What it means that something of (module, name) is called.
    """

    region: Region
    name: str
    judge: Callable[[str, str], Ruling | None]


Format = Callable[[Place], Iterator[Found]]
"""Looks at a place; gives nothing where it is of another format.

Raises:
    NotRead: It is of the format, and cannot be looked into.
"""
