"""A lock between processes of one machine, let go of by the system when its holder dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gates.errors import RegistryError


@contextmanager
def file_lock(path: Path, *, timeout: float = 60.0) -> Iterator[None]:
    """Hold a lock file while the block runs.

    Args:
        path: The lock file; made when missing, never removed.
        timeout: Seconds to wait for another holder.

    Raises:
        RegistryError: It cannot be made, or another process held it all that time.
    """
    end = time.monotonic() + timeout
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    except OSError as problem:
        raise RegistryError(
            f"the lock {path} cannot be made: {problem.strerror}",
            advice="make its folder writable, or choose another",
        ) from None
    with stream:
        while not _taken(stream.fileno()):
            if time.monotonic() > end:
                raise RegistryError(
                    f"another process has held {path} for over {timeout:.0f} s",
                    advice="see whether another gate hangs, end it and try again",
                )
            time.sleep(0.02)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
