"""Trying again what may work later, after pauses that grow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["Attempt", "Backoff"]

_MOST_DOUBLINGS = 64


@dataclass(slots=True)
class Attempt:
    """One try.

    Attributes:
        number: 1 for the first.
        is_last: Whether no other follows.
        pause: Seconds until the next; who was told another time sets it.
    """

    number: int
    is_last: bool
    pause: float


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often something is tried, and how long the pauses are: each twice the one before.

    Attributes:
        first: Seconds between the first try and the second.
        tries: How often it is tried in all.
        longest: Seconds of the longest pause.
    """

    first: float
    tries: int
    longest: float = math.inf

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many tries have failed."""
        return min(self.first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), self.longest)

    def attempts(self, wait: Callable[[float], object]) -> Iterator[Attempt]:
        """Every try, with the pauses between them; who has succeeded leaves the loop.

        Args:
            wait: Waits some seconds, as `time.sleep` does; or as `threading.Event.wait`: when it
                gives true, nobody wants another try.
        """
        for number in range(1, self.tries + 1):
            attempt = Attempt(number, number == self.tries, self.pause(number))
            yield attempt
            if attempt.is_last or wait(attempt.pause):
                return
