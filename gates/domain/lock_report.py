"""What is known of a version's dependencies: distributions, problems of a lock, what changed.

Checks, locks and environments meet here: adapters fill these values in, checks read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

__all__ = ["Distribution", "LockChange", "LockProblem", "LockReport", "ProblemKind"]

ProblemKind = Literal[
    "unpinned",  # a requirement that is not pinned to one version
    "unhashed",  # a pin that any file of its version would satisfy
    "unsatisfied",  # a line of requirements.in that the lock breaks
    "unneeded",  # a pin that nothing asks for
    "environment",  # a distribution that ran and is not the locked one
    "files",  # an installed file that is not the one its distribution brought
    "imports",  # an import of the model's code that no locked distribution provides
    "after-the-fact",  # a lock that was not there when the model was made
    "recorded",  # a version written into the artifact that is not the locked one
    "base-image",  # a base image that is not pinned by digest
    "repository",  # the repository's lock is another one
    "resolution",  # a resolver gives other pins
    "yanked",  # a release that its authors took back
    "advisories",  # a release with a known advisory
]


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution, as its metadata tells of it; read from outside, never imported.

    Attributes:
        name: Its canonical name, such as `scikit-learn`.
        requires: Its `Requires-Dist` lines as written (PEP 508, with markers).
        modules: The top-level names that it makes importable, sorted.
        licence: Its licence in words or as an SPDX expression; empty when it does not say.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True, slots=True)
class LockProblem:
    """One thing that is wrong with a lock.

    Attributes:
        kind: What sort of trouble it is.
        requirement: The requirement or distribution it is about.
        message: What is wrong, in words.
        line: Its line in the lock, 0 when it has none.
    """

    kind: ProblemKind
    requirement: str
    message: str
    line: int = 0


@dataclass(frozen=True)
class LockReport:
    """What verifying one version's lock gave.

    Attributes:
        problems: Everything that is wrong.
        looked_at: Kind of problem → how many things were looked at for it.
        absent: Kind of problem → why nothing could be looked at, in words.
        nothing: Kind of problem → why there was nothing of its kind to look at (it was looked for,
            and `looked_at` is 0), in words.
    """

    problems: tuple[LockProblem, ...] = ()
    looked_at: Mapping[ProblemKind, int] = field(default_factory=dict)
    absent: Mapping[ProblemKind, str] = field(default_factory=dict)
    nothing: Mapping[ProblemKind, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = (self.looked_at.keys() | self.absent.keys()) - set(get_args(ProblemKind))
        if unknown or self.looked_at.keys() & self.absent.keys():
            raise ValueError(f"a kind is unknown, or both looked at and not: {unknown or 'both'}")
        if {kind for kind, n in self.looked_at.items() if not n} != self.nothing.keys():
            raise ValueError("a kind of which there is nothing must say so, and no other")

    def joined(self, other: LockReport) -> LockReport:
        """This report and another as one: a kind that either looked at was looked at.

        Args:
            other: What was looked for elsewhere; its kinds go before this one's.
        """
        looked_at = {**self.looked_at, **other.looked_at}
        absent = {**self.absent, **other.absent}
        nothing = {**self.nothing, **other.nothing}
        return LockReport(
            tuple(dict.fromkeys((*self.problems, *other.problems))),
            looked_at,
            {kind: reason for kind, reason in absent.items() if kind not in looked_at},
            {kind: reason for kind, reason in nothing.items() if not looked_at[kind]},
        )

    def count(self, kind: ProblemKind) -> int:
        """How many problems of one kind there are."""
        return sum(problem.kind == kind for problem in self.problems)


@dataclass(frozen=True, slots=True)
class LockChange:
    """How one distribution differs between two locks.

    Attributes:
        name: Its canonical name.
        old: Its version in the old lock; empty when it was added.
        new: Its version in the new lock; empty when it was removed.
        kind: What happened to it: `files` is the same version with none of the old files, which an
            honest index does not do; `hashes` the same version with some files more or fewer;
            `licence` the same files, of which the installed one names another licence.
        level: How far the version moved: the first of its numbers that differs, or `other` (epoch,
            pre-release, build); empty when the version did not move.
        direct: True when requirements.in asks for it by name, in either lock.
        chain: From what requirements.in asks for to this one, such as `("mlflow", "numpy")`; of
            one name when it is direct, empty when that is not known.
        old_licence: Its licence before; `none stated` when it names none, empty when not known.
        new_licence: Its licence now, likewise.
    """

    name: str
    old: str
    new: str
    kind: Literal["added", "removed", "upgraded", "downgraded", "files", "hashes", "licence"]
    level: Literal["", "major", "minor", "patch", "other"] = ""
    direct: bool = False
    chain: tuple[str, ...] = ()
    old_licence: str = ""
    new_licence: str = ""

    @property
    def moved(self) -> str:
        """The change in signs, such as `numpy 1.26.4 → 2.0.1`."""
        if self.old == self.new:
            return f"{self.name} {self.old}"
        return f"{self.name} {self.old or '(absent)'} → {self.new or '(absent)'}"
