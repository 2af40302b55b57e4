"""What `gates lock check` looks at beside the lock itself, each part only when it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gates.domain.lock_report import Distribution, LockProblem, ProblemKind
from gates.errors import BuildError, LockError

if TYPE_CHECKING:
    from gates.locks.advisories import Advisories
    from gates.locks.finding import LockFinding
    from gates.locks.lock import Lock

__all__ = ["OF_ENVIRONMENT", "Installed", "installed", "known"]


# What is looked for once there is an environment; without one, each says why it was not.
OF_ENVIRONMENT: tuple[ProblemKind, ...] = ("environment", "files", "unneeded", "imports")


@dataclass(frozen=True)
class Installed:
    """What the lock's environment holds.

    Attributes:
        distributions: Its distributions; None when there is no environment to look at.
        python: Its full Python version; empty when there is none.
        findings: What was looked for in its files; without one, why nothing could be looked at.
    """

    distributions: Sequence[Distribution] | None = None
    python: str = ""
    findings: tuple[LockFinding, ...] = ()


def installed(
    lock: Lock, python: str | None, cache: Path, progress: Callable[[str], None]
) -> Installed:
    """Find or build a lock's environment, and read what it holds.

    Args:
        python: The Python it is for, such as `3.12`; None for the gate's own.
        cache: The cache folder.
        progress: Told what is being done, a line at a time.
    """
    from gates.environments.cache import EnvironmentCache
    from gates.environments.inspect import altered_files, distributions
    from gates.locks.finding import counted
    from gates.locks.lock import installable

    if lock.problems:
        return _none("a lock that is not pinned and hashed is not installed")
    try:
        built = EnvironmentCache(cache).ensure(installable(lock), python=python, progress=progress)
        progress(f"reading {built.path}")
        held = distributions(built.path)
        altered = altered_files(built.path)
    except BuildError as error:
        return _none(error.what)
    problems = tuple(LockProblem("files", one.distribution, one.message) for one in altered)
    files = counted("files", len(held), problems, nothing="nothing is installed")
    return Installed(distributions=held, python=built.facts.python, findings=(files,))


def _none(reason: str) -> Installed:
    from gates.locks.finding import LockFinding

    return Installed(findings=tuple(LockFinding(kind, absent=reason) for kind in OF_ENVIRONMENT))


def known(source: str, max_age_days: int) -> Advisories | str:
    """What a source knows of PyPI's packages, or why that is not known.

    Args:
        source: A file, folder or URL of OSV records.
        max_age_days: How old its newest record may be.
    """
    from gates.locks.advisories import read_advisories

    try:
        return read_advisories(source, max_age_days=max_age_days, now=datetime.now(UTC))
    except LockError as error:
        return f"{error.path}: {error.what}"
