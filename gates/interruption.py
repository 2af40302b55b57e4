"""Interruptions that cannot be lost.

A signal's handler raises its error wherever the main thread happens to be. Where that is the
callback of a weak reference (imports have them), a destructor or a callback from C, Python prints
the error and drops it, and the program goes on as if nobody had asked it to stop. So what came is
remembered too, and raised again at the next checkpoint: wherever the gate waits for somebody else,
and before it leaves a verdict. Cleaning up has no checkpoints, so it is not disturbed.

Where an error would lose what has just been made, such as a process that nobody would end, the
interruption is `deferred` until that is in safe hands.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

__all__ = ["checkpoint", "deferred", "has_come", "interrupted_by"]

_came: list[type[KeyboardInterrupt]] = []
_deferring: list[object] = []


@contextmanager
def interrupted_by(
    signals: Iterable[signal.Signals], error: type[KeyboardInterrupt] = KeyboardInterrupt
) -> Iterator[list[signal.Signals]]:
    """While the block runs, a signal interrupts it. Only for a process's main thread.

    A signal that this process was started to ignore, as the shell has it for what runs in the
    background, is still ignored.

    Args:
        signals: Which.
        error: What is raised where the signal finds the block, and at checkpoints thereafter.

    Yields:
        A list of the signals that came.
    """
    came: list[signal.Signals] = []

    def interrupt(number: int, _: object) -> None:
        came.append(signal.Signals(number))
        _came.append(error)
        if not _deferring:
            raise error

    before = {
        one: signal.signal(one, interrupt)
        for one in signals
        if signal.getsignal(one) is not signal.SIG_IGN
    }
    try:
        yield came
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        del _came[len(_came) - len(came) :]


@contextmanager
def deferred() -> Iterator[None]:
    """While the block runs, signals do not interrupt it; its end does. Keep it short.

    Raises:
        KeyboardInterrupt: As `checkpoint`, when the block has ended without another error.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    block = object()
    _deferring.append(block)
    try:
        yield
    finally:
        _deferring.remove(block)
    checkpoint()


def has_come() -> bool:
    """Whether a signal came in a block of `interrupted_by` that has not ended yet."""
    return bool(_came)


def checkpoint() -> None:
    """Raise what a signal raised before, if one came: it may have been lost.

    Raises:
        KeyboardInterrupt: One came; a subclass where the block named one.
    """
    if _came:
        raise _came[-1]
