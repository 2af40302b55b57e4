"""A folder read through its descriptor: nothing that is swapped for a link meanwhile leads out.

A path names whatever stands there when it is opened. So each step from the root is opened in the
folder of the step before, never following a link; a link's own text is walked in the same way, and
may not lead above the root. What was opened is then looked at, not what its name says.
(`openat2(RESOLVE_BENEATH)` does the same in the kernel; this does on every system.)
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from gates.errors import IntegrityError

__all__ = ["Tree"]

_CACHES = "__pycache__"
_REGISTRY_NOTE = "registered_model_meta"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a pipe that was put in a file's place would be waited for.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MOST_LINKS = 40  # as the kernel follows
_LINKS = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)  # what O_NOFOLLOW says of one


class Tree:
    """A folder whose files are read where they stand, whoever moves them.

    Args:
        folder: The root of an artifact tree.

    Raises:
        IntegrityError: It is no folder.
    """

    def __init__(self, folder: Path) -> None:
        self._place = Path(os.path.realpath(folder))
        try:
            self._root = os.open(self._place, _FOLDER)
        except OSError:
            raise IntegrityError(f"{folder} is not a folder") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)

    def files(self) -> Iterator[str]:
        """The paths within the folder, of all files in it that count.

        Raises:
            IntegrityError: A folder cannot be read, or is a symbolic link.
        """

        def unreadable(problem: OSError) -> None:
            raise IntegrityError(f"{problem.filename} cannot be read: {problem.strerror}")

        for where, folders, files, here in os.fwalk(".", onerror=unreadable, dir_fd=self._root):
            folders[:] = [name for name in folders if name != _CACHES]
            for name in folders:
                if _link(name, here) is not None:
                    raise IntegrityError(
                        f"{self._place / where / name} is a symbolic link to a folder",
                        advice="put the files themselves there: stores do not keep such links",
                    )
            for name in files:
                path = os.path.normpath(os.path.join(where, name))  # noqa: PTH118 - not a Path
                if path != _REGISTRY_NOTE:
                    yield path

    @contextlib.contextmanager
    def opened(self, path: str) -> Iterator[io.BufferedReader]:
        """A regular file of the folder; a link to one in the same folder will do.

        Raises:
            IntegrityError: It is anything else, or leads out of the folder.
        """
        descriptor = self._open(path)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._irregular(path)
        with os.fdopen(descriptor, "rb") as stream:
            yield stream

    def _open(self, path: str) -> int:
        """Walk to a file, link by link."""
        steps, links = _steps(path), 0
        with contextlib.ExitStack() as held:
            folders = [self._root]  # from the root down to where the walk is
            while steps:
                step = steps.pop(0)
                if step == "..":
                    folders.pop()
                    if not folders:
                        raise self._outside(path)
                    continue
                try:
                    found = os.open(step, _FOLDER if steps else _FILE, dir_fd=folders[-1])
                except OSError as problem:
                    target = _link(step, folders[-1]) if problem.errno in _LINKS else None
                    links += 1
                    if target is None or links > _MOST_LINKS:
                        raise self._unopened(path, problem) from None
                    if target.startswith("/"):
                        target, folders = self._within(path, target), folders[:1]
                    steps = _steps(target) + steps
                    continue
                if not steps:
                    return found
                held.callback(os.close, found)
                folders.append(found)
            raise self._irregular(path)

    def _within(self, path: str, target: str) -> str:
        """An absolute target as a path from the root."""
        if not Path(target).is_relative_to(self._place):
            raise self._outside(path)
        return Path(target).relative_to(self._place).as_posix()

    def _unopened(self, path: str, problem: OSError) -> IntegrityError:
        if problem.errno in (*_LINKS, errno.ENOENT, errno.ENXIO, errno.EISDIR):
            return self._irregular(path)
        return IntegrityError(f"{self._place / path} cannot be read: {problem.strerror}")

    def _outside(self, path: str) -> IntegrityError:
        with contextlib.suppress(OSError):
            led = os.path.realpath(self._place / path)
            return IntegrityError(
                f"{self._place / path} is a symbolic link to {led}, outside the folder",
                advice="copy the file itself into the folder",
            )
        return self._irregular(path)

    def _irregular(self, path: str) -> IntegrityError:
        return IntegrityError(
            f"{self._place / path} is not a regular file",
            advice="an artifact holds files only: no sockets, pipes, devices or broken links",
        )


def _steps(path: str) -> list[str]:
    return [step for step in path.split("/") if step not in ("", ".")]


def _link(name: str, folder: int) -> str | None:
    """Where a link leads; None when it is none."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None
