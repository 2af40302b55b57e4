"""What looking at an artifact without loading it found: the checks and the scanner meet here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["SEVERITIES", "ArtifactFinding", "ScanReport", "Severity"]

Severity = Literal[
    "critical",  # loading the file runs code or commands that it chose itself
    "high",  # loading it may reach the network, or nobody can tell what loading it does
    "medium",  # it holds code, or names something that is not known to be harmless
    "low",  # worth knowing
]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
"""Worst first."""


@dataclass(frozen=True, slots=True)
class ArtifactFinding:
    """One thing in an artifact that a team should know before it loads the artifact.

    Attributes:
        severity: How bad it is.
        path: The file, relative to the artifact; `model.pt: archive/data.pkl` for a member.
        what: What it is, as the rest of a sentence about the file: `calls posix.system('id')`.
        detail: Why that matters, or where exactly it stands.
    """

    severity: Severity
    path: str
    what: str
    detail: str = ""

    @property
    def sentence(self) -> str:
        """The finding in one clause: `model.pkl calls posix.system('id') (critical)`."""
        return f"{self.path} {self.what} ({self.severity})"


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What looking at one artifact gave.

    Attributes:
        files: How many files it has.
        scanned: How many of them were looked at whole.
        findings: Everything found, worst first.
        unread: File or member → why nobody could look into it, in words.
        opinion: What became of a second scanner, in words.
    """

    files: int
    scanned: int
    findings: tuple[ArtifactFinding, ...]
    unread: Mapping[str, str]
    opinion: str = ""

    def count(self, severity: Severity) -> int:
        """How many findings of one severity there are."""
        return sum(one.severity == severity for one in self.findings)

    def at_least(self, severity: Severity) -> tuple[ArtifactFinding, ...]:
        """The findings of one severity and of those above it, worst first."""
        reached = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return tuple(one for one in self.findings if one.severity in reached)
