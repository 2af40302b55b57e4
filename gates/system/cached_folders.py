"""What a cache keeps: folders that live until nobody uses them and somebody wants their room.

Who uses a folder holds it: a shared `flock` on the folder itself, which the system lets go of when
the process ends, however it ends. Who removes a folder needs that lock alone. Descriptors are not
inherited by programs that are started meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gates.system.file_locks import share, take_exclusive, take_exclusive_if_free

__all__ = [
    "CachedFolder",
    "State",
    "hold",
    "is_held",
    "last_use",
    "remove",
    "size_of",
    "used",
]

State = Literal["whole", "in use", "corrupt", "unfinished", "being built"]


@dataclass(frozen=True, slots=True)
class CachedFolder:
    """One thing that a cache keeps.

    Attributes:
        kind: An environment, or a copy of a model's artifact.
        path: Its folder.
        bytes: The size of its files.
        last_used: When it was last made, found or asked for; UTC.
        state: `corrupt` and `unfinished` are of no use to anybody.
        trouble: What is corrupt about it, in words; empty when nothing is.
    """

    kind: Literal["environment", "model"]
    path: Path
    bytes: int
    last_used: datetime
    state: State
    trouble: str = ""

    @property
    def name(self) -> str:
        """Its key or digest, short enough to show."""
        return self.path.name.lstrip(".")[:12]


def hold(folder: Path, owner: object) -> bool:
    """Keep a folder from being removed for as long as an object lives.

    Args:
        folder: What is used.
        owner: Who uses it; it must allow weak references.

    Returns:
        False when the folder is not there (any more), or cannot be opened.
    """
    descriptor = share(folder)
    if descriptor is None:
        return False
    weakref.finalize(owner, os.close, descriptor)
    return True


@contextlib.contextmanager
def used(folder: Path) -> Iterator[None]:
    """Keep a folder from being removed while the block runs."""
    descriptor = share(folder)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def remove(folder: Path, aside: Path, *, patience: float = 0.0) -> bool:
    """Remove a folder that nobody holds; nobody ever finds half of it under its name.

    Args:
        folder: What is to go; one that is not there is gone.
        aside: Where it is renamed to first, beside it; what a killed process leaves is there.
        patience: Seconds to wait for a holder.

    Returns:
        False when somebody holds it.

    Raises:
        OSError: It could not be removed.
    """
    try:
        held = take_exclusive(folder, patience=patience, make=False)
    except FileNotFoundError:
        return True
    except TimeoutError:
        return False
    with held:
        if aside != folder:
            try:
                folder.rename(aside)
            except OSError:  # an overlay file system does not rename folders of its lower layers
                aside = folder
        shutil.rmtree(aside)
        return True


def is_held(folder: Path) -> bool:
    """Whether somebody uses a folder at this moment, this process included."""
    try:
        held = take_exclusive_if_free(folder, make=False)
    except FileNotFoundError:
        return False
    if held is None:
        return True
    held.release()
    return False


def last_use(marker: Path) -> datetime:
    """When something was last used: the time of the file or folder that is touched for it."""
    return datetime.fromtimestamp(marker.stat().st_mtime, UTC)


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder; of links, those of the link itself."""
    paths = (Path(where, name) for where, _, names in os.walk(folder) for name in names)
    size = 0
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            size += path.lstat().st_size
    return size
