"""What is to be compiled into a lock, and how; a lock's header remembers it."""

from __future__ import annotations

import itertools
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from gates.errors import LockError, UsageError
from gates.locks._lines import read_bytes
from gates.locks._resolvers import Resolver
from gates.locks.inputs import read_inputs
from gates.locks.markers import RUNNING_PYTHON, series, target_environment

__all__ = ["CompileRequest", "Resolver", "default_lock", "options_of"]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?")
_WITH_VALUE = ("--python", "--python-version", "--exclude-newer", "--resolver")
_MADE_BY = re.compile(r"^#\s+(?:gates lock|uv pip) compile\s(?P<options>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CompileRequest:
    """What to compile, and how.

    Attributes:
        inputs: The requirements.in or pyproject.toml.
        lock: The lock to write; pins that it holds are kept.
        resolvers: Who resolves; with both, nothing is written unless they give the same pins, and
            the lock is uv's.
        python: The Python the lock is for, such as `3.11`.
        universal: True for a lock that serves every platform, and every Python from `python`
            upwards.
        exclude_newer: Files uploaded after this date do not exist; empty for all.
        upgrade: True to keep no pin.
        upgrade_packages: The distributions whose pins are not kept, each as `name` or
            `name==version`.
        build: False to build nothing from source, so that nothing the inputs name is ever run
            while it is resolved.
    """

    inputs: Path
    lock: Path
    resolvers: tuple[Resolver, ...] = ("uv",)
    python: str = RUNNING_PYTHON
    universal: bool = False
    exclude_newer: str = ""
    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    build: bool = True

    @property
    def command(self) -> str:
        """The command that makes the lock again, as its header has it."""
        words = ["gates", "lock", "compile"]
        if len(self.resolvers) > 1:
            words.append("--both")
        elif self.resolvers != ("uv",):
            words += ["--resolver", *self.resolvers]
        words += ["--universal"] if self.universal else []
        words += ["--python", self.python]
        words += ["--exclude-newer", self.exclude_newer] if self.exclude_newer else []
        if self.lock.absolute() != default_lock(self.inputs).absolute():
            words += ["--output", os.path.relpath(self.lock, self.inputs.parent)]
        return shlex.join([*words, self.inputs.name])

    @property
    def upgraded(self) -> tuple[str, ...]:
        """The canonical names of `upgrade_packages`.

        Raises:
            UsageError: One of them is no distribution.
        """
        return tuple(_name(text) for text in self.upgrade_packages)

    def check(self) -> None:
        """See that it can be done.

        Raises:
            UsageError: It asks for what its resolvers cannot do.
            LockError: The inputs cannot be read, or no lock can pin them.
        """
        _check_inputs(self.inputs)
        _check_options(self)


def default_lock(inputs: Path) -> Path:
    """The lock beside its inputs: `requirements.txt` for requirements.in and pyproject.toml."""
    return inputs.with_name(f"{'requirements' if inputs.suffix == '.toml' else inputs.stem}.txt")


def options_of(lock: Path) -> dict[str, str]:
    """The options that a lock's header says it was compiled with.

    Args:
        lock: A lock, there or not.

    Returns:
        Of `universal`, `python`, `exclude-newer`, `resolver` and `both` those that the header
        names, flags as `yes`; empty when it names no `gates lock compile` or `uv pip compile`.

    Raises:
        LockError: It is there and cannot be read.
    """
    if not lock.exists():
        return {}
    lines = read_bytes(lock).decode("utf-8", "replace").splitlines()
    header = itertools.takewhile(lambda line: line.startswith("#"), lines)
    made_by = _MADE_BY.search("\n".join(header))
    try:
        words = shlex.split(made_by["options"]) if made_by else []
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for at, word in enumerate(words):
        name, equals, value = word.removeprefix("--").partition("=")
        if word in ("--universal", "--both"):
            found[name] = "yes"
        elif word.startswith(_WITH_VALUE):
            following = words[at + 1] if at + 1 < len(words) else ""
            found[name.removesuffix("-version")] = value if equals else following
    return found


def _check_inputs(inputs: Path) -> None:
    for asked in read_inputs(inputs):
        if asked.direct:
            raise LockError(
                f"it asks for `{asked.name}` by URL or path, which no lock can pin",
                path=asked.path,
                line=asked.line,
                advice="Ask for a version, and name your own index by UV_DEFAULT_INDEX or "
                "UV_FIND_LINKS.",
            )


def _check_options(order: CompileRequest) -> None:
    if order.exclude_newer and not _MOMENT.fullmatch(order.exclude_newer):
        raise UsageError(
            f"--exclude-newer {order.exclude_newer} is no date",
            advice="Write it as 2026-01-31 or 2026-01-31T12:00:00Z.",
        )
    target_environment(order.python)
    for text in order.upgrade_packages:
        _name(text)
    if "pip-tools" not in order.resolvers:
        return
    if series(order.python) != RUNNING_PYTHON:
        raise UsageError(
            f"pip-tools resolves for the Python it runs in, {RUNNING_PYTHON}, not for "
            f"{order.python}",
            advice="Use --resolver uv, or run the gate in that Python.",
        )
    if order.exclude_newer or (order.universal and order.resolvers == ("pip-tools",)):
        option = "--exclude-newer" if order.exclude_newer else "--universal"
        raise UsageError(f"pip-tools knows no {option}", advice="Use --resolver uv.")


def _name(text: str) -> str:
    try:
        wanted = Requirement(text)
    except (InvalidRequirement, RecursionError):
        wanted = None
    if wanted is None or wanted.url or wanted.marker:
        raise UsageError(
            f"--upgrade-package {text} is no distribution", advice="Write NAME or NAME==VERSION."
        )
    return str(canonicalize_name(wanted.name))
