"""Somebody who watches a run: a progress bar, the service's process; by itself it does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gates.domain.judging import Judgement
    from gates.errors import GatesError
    from gates.evidence.evidence import CheckRecord, Evidence
    from gates.run.delivery import Delivery
    from gates.run.folder import RunFolder
    from gates.run.gate import Gate

__all__ = ["RunSession", "Watcher"]


class RunSession(Protocol):
    """What a watcher may know of the session of a run, once that is over."""

    evidence: Evidence | None
    delivery: Delivery | None
    error: GatesError | None

    @property
    def folder(self) -> RunFolder:
        """The run's folder.

        Raises:
            UsageError: It was not made.
        """


class Watcher:
    """Keeps the session of the run; who wants to see more of it, overrides."""

    def __init__(self) -> None:
        self.session: RunSession | None = None

    def progress(self, text: str) -> None:
        """Something that takes long has begun."""

    def opened(self, gate: Gate) -> None:
        """The gate is open: its bounds are known."""

    def measured(self, record: CheckRecord) -> None:
        """One more check has run, in this process."""

    def judged(self, judgement: Judgement) -> None:
        """One more bound or own test was judged."""

    def finished(self, session: RunSession) -> None:
        """The run is over: `session.evidence` and `session.delivery`, or `session.error`."""
        self.session = session
