"""Which requirements hold on which Python: PEP 508 environment markers."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from packaging.markers import (
    Marker,
    UndefinedComparison,
    UndefinedEnvironmentName,
    default_environment,
)
from packaging.version import InvalidVersion

from gates.errors import LockError, UsageError

__all__ = ["RUNNING_PYTHON", "holds", "series", "target_environment"]

RUNNING_PYTHON = ".".join(map(str, sys.version_info[:2]))
"""The gate's own Python, such as `3.11`."""

_PYTHON = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+((a|b|rc)[0-9]+)?)?")


def series(python_version: str) -> str:
    """The first two numbers of a Python version."""
    return ".".join(python_version.split(".")[:2])


def target_environment(python_version: str) -> dict[str, str]:
    """The marker environment of another Python on this platform.

    Args:
        python_version: Such as `3.12` (its markers are those of 3.12.0) or `3.12.4`.

    Returns:
        PEP 508 marker names and their values, as `verify` takes them.

    Raises:
        UsageError: It is not a Python version.
    """
    if not _PYTHON.fullmatch(python_version):
        raise UsageError(
            f"`{python_version}` is not a Python version",
            advice="Name at least major and minor, such as 3.12.",
        )
    major, minor, *patch = python_version.split(".")
    full = python_version if patch else f"{python_version}.0"
    return {name: str(value) for name, value in default_environment().items()} | {
        "python_version": f"{major}.{minor}",
        "python_full_version": full,
        "implementation_version": full,
    }


def holds(
    marker: str, environment: Mapping[str, str] | None, *, path: Path, line: int | None = None
) -> bool:
    """Whether a marker is true in an environment; an empty marker always is.

    Args:
        marker: The marker's text.
        environment: The target's markers, or None for this Python.
        path: The file the marker stands in, for messages.
        line: Its line there.

    Raises:
        LockError: The marker compares what has no order, or names what no environment has.
    """
    if not marker:
        return True
    try:
        return Marker(marker).evaluate(None if environment is None else dict(environment))
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion) as error:
        raise LockError(
            f"the marker `{marker}` has no answer: {error}",
            path=path,
            line=line,
            advice="Write it with the names and comparisons of PEP 508.",
        ) from error
