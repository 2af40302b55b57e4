"""Tar streams of folders, made on the way: the same bytes whoever made the folder, and when."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["tarred"]

_PIECE_BYTES = 1 << 20


def tarred(*trees: tuple[Path, PurePosixPath]) -> Iterator[bytes]:
    """Files and folders as one tar stream, in order of their names.

    Everything belongs to root and may be read by everybody; times are those of the epoch, since
    they say nothing and would make every archive another one.

    Args:
        trees: A file or folder, and the path it gets in the archive; the folders above that path
            are put in as well.

    Raises:
        OSError: Something cannot be read.
    """
    made: set[PurePosixPath] = set()
    for source, target in trees:
        for above in reversed(target.parents[:-1]):
            if above not in made:
                made.add(above)
                yield _header(above, tarfile.DIRTYPE, 0o755)
        yield from _tree(source, target)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _tree(source: Path, target: PurePosixPath) -> Iterator[bytes]:
    if source.is_symlink():
        yield _header(target, tarfile.SYMTYPE, 0o777, link=str(source.readlink()))
    elif source.is_dir():
        yield _header(target, tarfile.DIRTYPE, 0o755)
        for inside in sorted(source.iterdir()):
            yield from _tree(inside, target / inside.name)
    else:
        yield from _file(source, target)


def _file(source: Path, target: PurePosixPath) -> Iterator[bytes]:
    with source.open("rb") as content:
        status = os.fstat(content.fileno())
        mode = 0o755 if status.st_mode & 0o100 else 0o644
        yield _header(target, tarfile.REGTYPE, mode, size=status.st_size)
        left = status.st_size
        while left:
            piece = content.read(min(left, _PIECE_BYTES))
            if not piece:
                raise OSError(f"{source} became shorter while it was read")
            left -= len(piece)
            yield piece
    yield bytes(-status.st_size % tarfile.BLOCKSIZE)


def _header(
    target: PurePosixPath, kind: bytes, mode: int, *, size: int = 0, link: str = ""
) -> bytes:
    info = tarfile.TarInfo(str(target))
    info.type, info.mode, info.size, info.linkname = kind, mode, size, link
    return info.tobuf(tarfile.PAX_FORMAT)
