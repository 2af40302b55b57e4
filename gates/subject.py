"""The door for a team's own tests: what a check may ask of a run."""

from __future__ import annotations

from gates.domain.golden_set import Expectation, GoldenSet, Manifest
from gates.domain.subject import Arm, Columns, Contributions, NoContributions, Subject

__all__ = [
    "Arm",
    "Columns",
    "Contributions",
    "Expectation",
    "GoldenSet",
    "Manifest",
    "NoContributions",
    "Subject",
]
