"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from gates.errors import UsageError

__all__ = ["temporary_beside", "write_atomically"]


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
