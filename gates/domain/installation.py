"""What an installer is given of a version (pins, hashes, a Python version), and what came of it.

A version is a stranger's. Whatever else its lock holds would say where packages come from, or have
somebody's build run; a Python it names would be a program that is started.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "PYTHON_VERSION",
    "InstallableLock",
    "Installed",
    "Pin",
    "SourceBuilds",
    "is_python_version",
]

PYTHON_VERSION = r"^3\.[0-9]{1,2}(\.[0-9]{1,3})?$"
"""A Python version as cards, recipes and tags may write it: `3.12` or `3.12.4`."""


def is_python_version(text: str) -> bool:
    """Whether a text is a Python version and no more: `3.12` or `3.12.4`."""
    return re.fullmatch(PYTHON_VERSION, text) is not None


@dataclass(frozen=True, slots=True)
class Pin:
    """One distribution of one version, and the files that may be it.

    Attributes:
        name: Its canonical name, such as `scikit-learn`.
        version: The one version, in PEP 440's normal form.
        hashes: `algorithm:hex` of each file allowed; never empty.
        marker: The PEP 508 marker in normal form; empty when it always holds.
        extras: The extras it was locked with, canonical and sorted.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str = ""
    extras: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The pin as a line of a requirements file."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        marker = f" ; {self.marker}" if self.marker else ""
        hashes = "".join(f" --hash={one}" for one in self.hashes)
        return f"{self.name}{extras}=={self.version}{marker}{hashes}"


@dataclass(frozen=True, slots=True)
class InstallableLock:
    """A lock without any problem, made by `gates.locks.lock.installable` alone.

    Attributes:
        path: The lock, for messages.
        digest: `sha256:…` of its bytes.
        pins: What it pins, for every Python and platform, in its order.
    """

    path: Path
    digest: str
    pins: tuple[Pin, ...]

    @property
    def requirements(self) -> bytes:
        """What an installer reads in its place: the pins, one a line, and nothing else."""
        return "".join(f"{pin.line}\n" for pin in self.pins).encode()


@dataclass(frozen=True, slots=True)
class Installed:
    """One distribution that was installed, and from what.

    Attributes:
        name: Its canonical name.
        version: As its metadata has it.
        files: `sha256:…` over the paths and digests of its files, as its RECORD has them (the check
            `lockfile` compares the files with that); empty without a RECORD.
        source: `sha256:…` of the source distribution it was built from; empty for a wheel, which
            the lock names by its hash.
    """

    name: str
    version: str
    files: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class SourceBuilds:
    """What may be built from source, in a cage; all else comes as wheels.

    Attributes:
        names: Canonical names of distributions.
        fetch: Puts the source distribution of a pin into a folder, unopened, its hash being one of
            the pin's; gives its path. Raises LockError when there is none.
    """

    names: frozenset[str]
    fetch: Callable[[Pin, Path], Path]
