"""A signal whose interruption Python drops."""

from __future__ import annotations

import signal
import weakref

__all__ = ["lose"]


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
