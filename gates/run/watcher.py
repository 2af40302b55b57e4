"""Somebody who watches a run: a progress bar, the service's process; by itself it does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gates.domain.judging import Judgement
    from gates.evidence.evidence import CheckRecord
    from gates.run.gate import Gate
    from gates.run.session import GateSession

__all__ = ["WATCHER", "Watcher"]

WATCHER = "gates-watcher"
"""The name under which pytest is given the watcher, as a plugin."""


class Watcher:
    """Keeps the session of the run; who wants to see more of it, overrides."""

    def __init__(self) -> None:
        self.session: GateSession | None = None

    def progress(self, text: str) -> None:
        """Something that takes long has begun."""

    def opened(self, gate: Gate) -> None:
        """The gate is open: its bounds are known."""

    def measured(self, record: CheckRecord) -> None:
        """One more check has run, in this process."""

    def judged(self, judgement: Judgement) -> None:
        """One more bound or own test was judged."""

    def finished(self, session: GateSession) -> None:
        """The run is over: `session.evidence` and `session.delivery`, or `session.error`."""
        self.session = session
