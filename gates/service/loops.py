"""Something done again and again in a thread of its own, whatever goes wrong in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from gates.errors import GatesError

__all__ = ["Loop"]

_LOG = logging.getLogger("gates.service")


class Loop:
    """Calls an action once every interval, and at once when woken.

    Trouble the service knows (its database, the registry, the disk) is logged, once while it
    stays the same, and the action is tried again in its time.

    Args:
        name: What it does, for logs and the thread.
        interval: How long it waits in between.
        action: What is done; it returns whether there is more to do at once.
    """

    def __init__(self, name: str, interval: timedelta, action: Callable[[], bool]) -> None:
        self._name = name
        self._interval = interval.total_seconds()
        self._action = action
        self._awake = threading.Event()
        self._ended = False
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name=f"gates-{name}", daemon=True)

    def start(self) -> None:
        """Begin, with a first call at once."""
        self._thread.start()

    def wake(self) -> None:
        """Have the action called soon."""
        self._awake.set()

    def stop(self, patience: float = 10.0) -> None:
        """End, after the call that is going on.

        Args:
            patience: Seconds to wait for it.
        """
        self._ended = True
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(patience)

    @property
    def trouble(self) -> str:
        """Why the last call came to nothing; empty when it did not."""
        return self._trouble

    def _run(self) -> None:
        while not self._ended:
            if not self._once():
                self._awake.wait(self._interval)
            self._awake.clear()

    def _once(self) -> bool:
        try:
            more = self._action()
        except (GatesError, SQLAlchemyError, OSError) as problem:
            if str(problem) != self._trouble:
                _LOG.warning("%s: %s", self._name, problem)
            self._trouble = str(problem) or type(problem).__name__
            return False
        except Exception:  # noqa: BLE001 - whatever it is, the service goes on and says so
            _LOG.exception("%s: something went wrong that mlgates does not know", self._name)
            self._trouble = "something unknown; see the log"
            return False
        if self._trouble:
            _LOG.warning("%s: all is well again", self._name)
        self._trouble = ""
        return more
