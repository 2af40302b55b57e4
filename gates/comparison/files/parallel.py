"""Work in threads whose results come in order, and never pile up."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from gates.system.interruption import result_of

__all__ = ["in_order"]

GivenT = TypeVar("GivenT")
MadeT = TypeVar("MadeT")

_MOST = 4  # beyond that, reading and memory are what is short


def in_order(work: Callable[[GivenT], MadeT], given: Iterable[GivenT]) -> Iterator[MadeT]:
    """Results in the order of what was given, one more under way than there are threads."""
    threads = min(_MOST, _cores())
    waiting: deque[Future[MadeT]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for one in given:
                waiting.append(pool.submit(work, one))
                if len(waiting) > threads:
                    yield result_of(waiting.popleft())
            while waiting:
                yield result_of(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
