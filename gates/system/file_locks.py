"""Locks on files and folders, between the processes and the threads of one machine.

They are `flock` locks. The system lets go of them when their holder ends, however it ends: none is
ever stale. They belong to an open file, not to a process: each taking opens the file anew, so two
threads keep each other out as two processes do, and a forked child shares its parent's lock.
Programs that are started meanwhile inherit none, except those that are handed it by its number.
"""

from __future__ import annotations

import fcntl
import math
import os
import time
import weakref
from pathlib import Path
from typing import Self

from gates.system.interruption import checkpoint

__all__ = ["HeldLock", "holders", "share", "take_exclusive", "take_exclusive_if_free"]

_LOOK_SECONDS = 0.02


class HeldLock:
    """A lock that is held until it is released, or nobody has this object any more.

    Attributes:
        descriptor: The open file, for programs that are to inherit the lock.
    """

    def __init__(self, descriptor: int, *, inherited: bool) -> None:
        self.descriptor = descriptor
        taker = 0 if inherited else os.getpid()
        self._finalizer = weakref.finalize(self, _let_go, descriptor, taker)

    def release(self) -> None:
        """Let go of it; a second time does nothing."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def take_exclusive(
    path: Path, *, patience: float = math.inf, make: bool = True, inherited: bool = False
) -> HeldLock:
    """Take a file's or a folder's lock alone, waiting for whoever has it.

    Args:
        path: A lock file, best never removed; or a folder.
        patience: Seconds to wait.
        make: Whether a missing lock file is made, with the folders above it.
        inherited: True when a program inherits it: it is then held until that has ended as well,
            even where this process was killed.

    Raises:
        TimeoutError: Others held it all that time.
        OSError: It is not there or cannot be made, or its file system knows no locks.
        KeyboardInterrupt: See `gates.system.interruption.checkpoint`.
    """
    end = time.monotonic() + patience
    while True:
        held = take_exclusive_if_free(path, make=make, inherited=inherited)
        if held is not None:
            return held
        if time.monotonic() >= end:
            raise TimeoutError(f"another process has held {path} for over {patience:.0f} s")
        # Not the system's own wait: a thread that waits in it cannot be interrupted.
        checkpoint()
        time.sleep(_LOOK_SECONDS)


def take_exclusive_if_free(
    path: Path, *, make: bool = True, inherited: bool = False
) -> HeldLock | None:
    """As `take_exclusive`, but None at once when somebody has it.

    Raises:
        OSError: It is not there or cannot be made, or its file system knows no locks.
    """
    while True:
        descriptor = _opened(path, make=make)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        if _is_still_at(path, descriptor):
            return HeldLock(descriptor, inherited=inherited)
        os.close(descriptor)


def share(folder: Path) -> int | None:
    """Take a folder's lock together with any number of others; waits for who has it alone.

    Returns:
        An open file; closing it lets go. None when the folder is not there (any more), or cannot
        be opened.
    """
    while True:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except OSError:
            os.close(descriptor)
            return None
        if _is_still_at(folder, descriptor):
            return descriptor
        os.close(descriptor)


def holders(path: Path) -> tuple[int, ...]:
    """The processes that took the lock of a file or folder, as far as the system tells (Linux)."""
    try:
        status = path.stat()
        table = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    rows = (line.split() for line in table)
    found = {row[4] for row in rows if len(row) > 5 and row[1] == "FLOCK" and row[5] == device}
    return tuple(sorted(int(pid) for pid in found if pid.isdigit() and pid != "0"))


def _opened(path: Path, *, make: bool) -> int:
    if not make:
        return os.open(path, os.O_RDONLY)
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_CREAT | os.O_RDWR, 0o666)


def _is_still_at(path: Path, descriptor: int) -> bool:
    """False when the file was replaced or removed meanwhile: the lock would keep out nobody."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    locked = os.fstat(descriptor)
    return (now.st_dev, now.st_ino) == (locked.st_dev, locked.st_ino)


def _let_go(descriptor: int, taker: int) -> None:
    # Closing is not enough: a child that another thread is just starting has a copy until it
    # becomes its program. And a forked child that ends must not let go of its parent's lock.
    try:
        if os.getpid() == taker:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
