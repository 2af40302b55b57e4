"""The caged processes of this process: who is to be still while one of them is timed."""

from __future__ import annotations

import weakref
from typing import Protocol

__all__ = ["LIVING", "Pausable"]


class Pausable(Protocol):
    """A caged process that can be taken off the processors."""

    role: str

    def pause(self) -> str:
        """Take it off the processors until it is asked again; why not, empty when it is off."""


LIVING: weakref.WeakSet[Pausable] = weakref.WeakSet()
"""Those of this process that may still run."""
