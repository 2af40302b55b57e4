"""A distribution's RECORD: which files its installer wrote, and what their digests were."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["RecordRow", "files_digest", "read_record"]

_LONGEST = 1 << 20
_BY_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})
_DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One file of a distribution.

    Attributes:
        path: Where it is, from the folder of site-packages; it may begin with `../`.
        algorithm: `sha256`, `sha384` or `sha512`; empty when there is no digest to go by.
        digest: The digest of its bytes; empty when there is none to go by.
        size: Its bytes; None when that is not recorded.
    """

    path: str
    algorithm: str = ""
    digest: bytes = b""
    size: int | None = None


def read_record(folder: Path) -> tuple[RecordRow, ...] | None:
    """The rows of a RECORD; None when it has none that can be read.

    Rows that name no file are passed over. A digest that cannot be read is none.

    Args:
        folder: The distribution's `.dist-info` folder.
    """
    try:
        text = (folder / "RECORD").read_text(encoding="utf-8")
        return tuple(_rows(text))
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def files_digest(folder: Path) -> str:
    """`sha256:…` over the paths and digests of a distribution's files; empty without a RECORD.

    What the installer wrote itself is left out: two installations of one wheel differ in it.

    Args:
        folder: The distribution's `.dist-info` folder.
    """
    rows = read_record(folder)
    if rows is None:
        return ""
    lines = sorted(
        f"{row.path}\t{row.algorithm}\t{row.digest.hex()}"
        for row in rows
        if row.digest and posixpath.basename(row.path) not in _BY_INSTALLERS
    )
    whole = "\n".join(lines).encode("utf-8", "surrogateescape")
    return f"sha256:{hashlib.sha256(whole).hexdigest()}"


def _rows(text: str) -> Iterator[RecordRow]:
    for row in csv.reader(text.splitlines(), strict=True):
        if not row or not row[0] or len(row[0]) > _LONGEST or "\0" in row[0]:
            continue
        path = posixpath.normpath(row[0].replace("\\", "/"))
        algorithm, _, encoded = (row[1] if len(row) > 1 else "").partition("=")
        digest = _digest(algorithm, encoded)
        size = int(row[2]) if len(row) > 2 and row[2].isascii() and row[2].isdigit() else None
        yield RecordRow(path, algorithm if digest else "", digest, size)


def _digest(algorithm: str, encoded: str) -> bytes:
    if algorithm not in _DIGESTS:
        return b""
    try:
        digest = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return b""
    return digest if len(digest) == _DIGESTS[algorithm] else b""
