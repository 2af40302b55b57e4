"""A limit on the time of a whole job, kept by interrupting what is under way."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gates.errors import GatesError
from gates.system.interruption import checkpoint, interrupted_by

__all__ = ["BudgetSpent", "TimeBudget"]


class BudgetSpent(GatesError):
    """The time that was given is used up."""

    def __init__(self, minutes: float) -> None:
        super().__init__(
            f"the time budget of {minutes:g} minutes is used up",
            advice="give more (time-budget), gate the models in jobs of their own (a matrix), or "
            "keep environments in a cache",
        )


class _TimeIsUp(KeyboardInterrupt):
    """Ends what is under way as Ctrl-C does, so that it cleans up behind itself."""


@dataclass(frozen=True)
class TimeBudget:
    """How long a job may take.

    Attributes:
        minutes: From now on; None for as long as it takes.
    """

    minutes: float | None = None
    _started: float = field(default_factory=time.monotonic)

    def left(self) -> float | None:
        """Seconds that are left; None when there is no limit.

        Raises:
            BudgetSpent: None are.
        """
        if self.minutes is None:
            return None
        seconds = self.minutes * 60 - (time.monotonic() - self._started)
        if seconds <= 0:
            raise BudgetSpent(self.minutes)
        return seconds

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Interrupt the block when the time is up. Only for a process's main thread.

        Raises:
            BudgetSpent: It was.
        """
        seconds = self.left()
        if seconds is None or self.minutes is None:
            yield
            return

        with interrupted_by((signal.SIGALRM,), _TimeIsUp):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                yield
                checkpoint()
            except _TimeIsUp:
                raise BudgetSpent(self.minutes) from None
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
