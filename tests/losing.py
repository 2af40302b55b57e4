"""Signals at the worst of moments."""

from __future__ import annotations

import signal
import subprocess
import weakref
from typing import Any

import pytest

__all__ = ["lose", "sharp_poll"]


class _Referent:
    pass


def lose(number: signal.Signals) -> None:
    """Send a signal to ourselves within a callback whose errors nobody is given.

    Where its handler raises, a test is to ignore `pytest.PytestUnraisableExceptionWarning`, or to
    have a `sys.unraisablehook` of its own.
    """
    referent = _Referent()
    reference = weakref.ref(referent, lambda _: signal.raise_signal(number))
    del referent
    assert reference() is None


def sharp_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a signal come, once, where `Popen.poll` has just taken its lock."""
    poll = subprocess.Popen.poll
    sent: list[int] = []

    def polled(self: Any) -> int | None:
        if not sent and self._waitpid_lock.acquire(False):
            sent.append(self.pid)
            signal.raise_signal(signal.SIGTERM)  # what it raises here leaves the lock taken
            self._waitpid_lock.release()
        return poll(self)

    monkeypatch.setattr(subprocess.Popen, "poll", polled)
