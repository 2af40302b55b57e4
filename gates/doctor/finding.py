"""What a question came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Diagnosis", "State"]

State = Literal["ok", "note", "wrong"]
"""`note`: it works, but not as well as it could, or is not set up; `wrong`: it must be mended."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line.

    Attributes:
        what: What was asked after, in a word or two.
        state: How it stands.
        said: What was found.
        advice: What to do; empty when there is nothing to do.
    """

    what: str
    state: State
    said: str
    advice: str = ""
