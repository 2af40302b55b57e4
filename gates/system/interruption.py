"""Interruptions that cannot be lost.

A signal's handler raises its error wherever the main thread happens to be. Where that is the
callback of a weak reference (imports have them), a destructor or a callback from C, Python prints
the error and drops it, and the program goes on as if nobody had asked it to stop. So what came is
remembered too, and raised again at the next checkpoint: wherever the gate waits for somebody else,
and before it leaves a verdict. Cleaning up has no checkpoints, so it is not disturbed.

An error that may come anywhere also comes where it does harm: between a program's start and the
line that would end it, or just after a lock was taken that nobody then gives back (`Popen.poll` and
`Future.result` have such moments, and whoever waits for that lock next waits for ever). There the
interruption is `deferred`: what waits looks for it at checkpoints alone.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

__all__ = [
    "checkpoint",
    "deferred",
    "has_come",
    "in_threads",
    "interrupted_by",
    "keep_from_arrow",
    "result_of",
]

GivenT = TypeVar("GivenT")
ResultT = TypeVar("ResultT")

_LOOK_SECONDS = 0.1
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
    """While the block runs, signals interrupt it at its checkpoints and at its end alone.

    A block that may take long has checkpoints.

    Raises:
        KeyboardInterrupt: As `checkpoint`, when one came and the block ended without an error.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    block, before = object(), len(_came)
    _deferring.append(block)
    try:
        yield
    finally:
        _deferring.remove(block)
    if len(_came) > before and not _deferring:
        checkpoint()


def result_of(future: Future[ResultT]) -> ResultT:
    """Wait for what another thread gives, as `Future.result` does.

    Args:
        future: What is waited for.

    Raises:
        KeyboardInterrupt: As `checkpoint`.
    """
    with deferred():
        while not wait([future], _LOOK_SECONDS).done:
            checkpoint()
        return future.result()


def has_come() -> bool:
    """Whether a signal came in a block of `interrupted_by` that has not ended yet."""
    return bool(_came)


def keep_from_arrow() -> None:
    """Let Arrow take no signals for itself: call where its readers of CSV are imported.

    While it reads, it puts handlers of its own in place of ours, and of the signals that come just
    as it ends it loses some: 52 of 2,369 in a trial, none without its handlers.
    """
    import pyarrow

    pyarrow.enable_signal_handlers(enable=False)


def checkpoint() -> None:
    """Raise what a signal raised before, if one came: it may have been lost.

    Raises:
        KeyboardInterrupt: One came; a subclass where the block named one.
    """
    if _came:
        raise _came[-1]


def in_threads(
    work: Callable[[GivenT], ResultT], given: Sequence[GivenT], *, most: int = 2
) -> list[ResultT]:
    """What a function gives for each of some arguments, some at a time.

    Args:
        work: The function.
        given: The arguments.
        most: How many threads there are at most.

    Returns:
        The results, in the order of the arguments. An error is raised once those that began have
        ended.

    Raises:
        KeyboardInterrupt: As `checkpoint`.
    """
    with ThreadPoolExecutor(max(1, min(most, len(given)))) as pool:
        futures = [pool.submit(work, one) for one in given]
        try:
            return [result_of(one) for one in futures]
        finally:
            for one in futures:
                one.cancel()
