"""Digests of files and folders: the names by which the gate knows that bytes have not changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from gates.errors import IntegrityError

__all__ = ["copy_counted", "file_digest", "tree_digest"]

CACHES = "__pycache__"
REGISTRY_NOTE = "registered_model_meta"


def file_digest(path: Path) -> str:
    """The sha256 digest of one file's bytes, as `sha256:` and 64 hexadecimal digits.

    Raises:
        IntegrityError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
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
    for name, path in _counted(folder):
        digest.update(name + b"\0" + file_digest(path).encode() + b"\n")
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
    for name, path in _counted(source):
        copy = target / os.fsdecode(name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _counted(folder: Path) -> list[tuple[bytes, Path]]:
    if not folder.is_dir():
        raise IntegrityError(f"{folder} is not a folder")
    root = folder.resolve()
    return sorted((os.fsencode(path.relative_to(root).as_posix()), path) for path in _files(root))


def _files(root: Path) -> Iterator[Path]:
    def unreadable(problem: OSError) -> None:
        raise IntegrityError(f"{problem.filename} cannot be read: {problem.strerror}")

    for where, folders, files in os.walk(root, onerror=unreadable):
        here = Path(where)
        folders[:] = [name for name in folders if name != CACHES]
        for name in folders:
            if (here / name).is_symlink():
                raise IntegrityError(
                    f"{here / name} is a symbolic link to a folder",
                    advice="put the files themselves there: stores do not keep such links",
                )
        for name in files:
            path = here / name
            if path != root / REGISTRY_NOTE:
                yield _regular(path, root)


def _regular(path: Path, root: Path) -> Path:
    target = path.resolve()
    if path.is_symlink() and not target.is_relative_to(root):
        raise IntegrityError(
            f"{path} is a symbolic link to {target}, outside the folder",
            advice="copy the file itself into the folder",
        )
    if not target.exists() or not stat.S_ISREG(target.stat().st_mode):
        raise IntegrityError(
            f"{path} is not a regular file",
            advice="an artifact holds files only: no sockets, pipes, devices or broken links",
        )
    return path
