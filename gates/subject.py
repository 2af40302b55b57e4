"""The public door for a team's own tests: what a check may ask, and what it is answered with."""

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
