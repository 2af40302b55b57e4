"""What looking for one kind of trouble gave: how much was looked at, or why nothing was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gates.domain.lock_report import LockProblem, ProblemKind

__all__ = ["NO_PIN", "LockFinding", "counted"]

NO_PIN = "the lock pins nothing for this Python"
"""Why there was no pin to look at."""


@dataclass(frozen=True, slots=True)
class LockFinding:
    """One kind of problem, looked for.

    Attributes:
        kind: What was looked for.
        looked_at: How many things were looked at; 0 when `absent` or `nothing` says why.
        problems: What is wrong.
        absent: Why nothing could be looked at, in words; empty when it was.
        nothing: Why there was nothing of this kind to look at, in words: that is clean, but no
            number of things was.
    """

    kind: ProblemKind
    looked_at: int = 0
    problems: tuple[LockProblem, ...] = ()
    absent: str = ""
    nothing: str = ""

    def __post_init__(self) -> None:
        if [bool(self.looked_at), bool(self.absent), bool(self.nothing)].count(True) != 1:
            raise ValueError(f"{self.kind}: looked at something, or not for one reason")


def counted(
    kind: ProblemKind, n: int, problems: Sequence[LockProblem], *, nothing: str
) -> LockFinding:
    """A finding over n things; where there are none, one that says so.

    Args:
        kind: What was looked for.
        n: How many things were looked at.
        problems: What is wrong with them.
        nothing: What is so when there are none, in words.
    """
    n = n or len(problems)  # what is missing altogether is looked at too
    return LockFinding(kind, n, tuple(problems)) if n else LockFinding(kind, nothing=nothing)
