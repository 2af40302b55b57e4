"""One log line for a flood: what repeats is counted, and the count is said once a minute."""

from __future__ import annotations

import logging
import threading

__all__ = ["OneLineForAFlood"]

_LOGGERS = ("gates.service", "uvicorn.error", "asyncio")


class OneLineForAFlood(logging.Filter):
    """Lets the first line of a kind through, and after a while the number that followed.

    Lines are of a kind when the same place in the code says them; errors, when they are of one
    type besides.

    Args:
        seconds: How long further ones are counted.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._more: dict[tuple[object, ...], int] = {}
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Begin, for the service and what answers for it."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        """End."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is let through."""
        if record.levelno < logging.WARNING or getattr(record, "sums_up", False):
            return True
        said = str(record.msg).partition("\n")[0]
        kind = (record.name, record.levelno, said, record.exc_info and record.exc_info[0])
        with self._lock:
            if kind in self._more:
                self._more[kind] += 1
                return False
            self._more[kind] = 0
        timer = threading.Timer(self._seconds, self._sum_up, (kind, record))
        timer.daemon = True
        timer.start()
        return True

    def _sum_up(self, kind: tuple[object, ...], first: logging.LogRecord) -> None:
        with self._lock:
            more = self._more.pop(kind)
        if more:
            logging.getLogger(first.name).log(
                first.levelno,
                "%s … and %d more like it within %.0f s",
                first.getMessage(),
                more,
                self._seconds,
                extra={"sums_up": True},
            )
