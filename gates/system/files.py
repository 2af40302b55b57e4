"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from gates.errors import UsageError

__all__ = ["read_bounded", "temporary_beside", "write_atomically"]


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of a regular file that holds no more than it should.

    Args:
        path: The file; a link to one will do.
        most: How many bytes it may hold.

    Raises:
        OSError: It cannot be read, is larger, or is a device or a pipe, which may never end.
    """
    # Not to wait for somebody to write into a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
    return content


def temporary_beside(path: Path) -> Path:
    """A name in a file's folder that no other thread, process or host writes to meanwhile."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def write_atomically(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all: to a temporary name beside it, then renamed.

    Args:
        path: Where to; folders are made.
        content: What.
        durable: True to wait until the disk has it, for what cannot be made again.

    Raises:
        UsageError: The folder cannot be written to, or the disk is full; nothing is left behind.
    """
    temporary = temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException as problem:  # Ctrl-C, too, leaves nothing half-written behind
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if not isinstance(problem, OSError):
            raise
        raise UsageError(
            f"{path} could not be written: {problem.strerror or problem}",
            advice="free some space, or name another folder that can be written, then run again",
            passing=True,
        ) from None
