"""What looking for one kind of trouble gave: how much was looked at, or why nothing was."""

from __future__ import annotations

from dataclasses import dataclass

from gates.dependencies import LockProblem, ProblemKind

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem, looked for.

    Attributes:
        kind: What was looked for.
        looked_at: How many things were looked at; 0 when none could be, and `absent` says why.
        problems: What is wrong.
        absent: Why nothing could be looked at, in words; empty when it was.
    """

    kind: ProblemKind
    looked_at: int = 0
    problems: tuple[LockProblem, ...] = ()
    absent: str = ""

    def __post_init__(self) -> None:
        if bool(self.looked_at) == bool(self.absent):
            raise ValueError(f"{self.kind}: looked at something, or absent for a reason")
