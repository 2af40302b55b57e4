"""Digests of files and folders: the names by which the gate knows that bytes have not changed."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from gates.errors import IntegrityError
from gates.registry._opening import Tree

__all__ = ["copy_counted", "file_digest", "tree_digest"]


def file_digest(path: Path) -> str:
    """The sha256 digest of one file's bytes, as `sha256:` and 64 hexadecimal digits.

    Raises:
        IntegrityError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return _digest(stream)
    except OSError as problem:
        raise IntegrityError(f"{path} cannot be read: {problem.strerror}") from None


def tree_digest(folder: Path) -> str:
    """The sha256 digest of a folder: every file's relative path and bytes.

    Taken over one record a file, `path NUL sha256 newline`, in the byte order of the POSIX paths.
    `__pycache__` folders and the `registered_model_meta` that MLflow writes at the top when it
    loads a model are left out; so are empty folders, modes and times, which stores do not keep.

    Args:
        folder: The root of an artifact tree.

    Returns:
        `sha256:` and 64 hexadecimal digits.

    Raises:
        IntegrityError: It is no folder, or holds a symbolic link that leaves it or stands for a
            folder, or something that is not a regular file.
    """
    digest = hashlib.sha256()
    for name, stream in _counted(folder):
        digest.update(name + b"\0" + _digest(stream).encode() + b"\n")
    return "sha256:" + digest.hexdigest()


def copy_counted(source: Path, target: Path) -> None:
    """Copy of a tree exactly what its digest covers, so that nothing undigested can run.

    Args:
        source: The root of an artifact tree.
        target: A folder that is made.

    Raises:
        IntegrityError: As `tree_digest`.
    """
    target.mkdir(parents=True)
    for name, stream in _counted(source):
        copy = target / os.fsdecode(name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("xb") as written:
            shutil.copyfileobj(stream, written, 1 << 20)


def _digest(stream: io.BufferedReader) -> str:
    return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def _counted(folder: Path) -> Iterator[tuple[bytes, io.BufferedReader]]:
    """Each file that counts, by its path within the folder, opened for reading, in their order."""
    with Tree(folder) as tree:
        for name in sorted(map(os.fsencode, tree.files())):
            with tree.opened(os.fsdecode(name)) as stream:
                yield name, stream
