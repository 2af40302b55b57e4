"""The digest of a golden set: one name for all of its bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gates.errors import GoldenError

__all__ = ["golden_digest"]


def _counts(relative: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
    return not hidden and relative.suffix != ".pyc"


def golden_digest(path: Path) -> str:
    """The sha256 digest of a golden set folder.

    It covers every file's relative path, length and bytes, in the order of the paths. Dotfiles,
    `__pycache__` and `*.pyc` are left out: they come and go without changing what is judged.

    Args:
        path: The folder.

    Returns:
        `sha256:` and 64 hexadecimal digits.

    Raises:
        GoldenError: There is no such folder, or a file in it cannot be read.
    """
    if not path.is_dir():
        raise GoldenError(
            "there is no such golden set folder", path=path, advice="Check `golden:` in the card."
        )
    files = {file.relative_to(path): file for file in path.rglob("*") if file.is_file()}
    digest = hashlib.sha256()
    for relative in sorted(filter(_counts, files), key=lambda one: one.as_posix()):
        try:
            data = files[relative].read_bytes()
        except OSError as error:
            raise GoldenError(
                f"it cannot be read ({error.strerror})", path=files[relative]
            ) from error
        digest.update(f"{relative.as_posix()}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
        digest.update(data)
    return f"sha256:{digest.hexdigest()}"
