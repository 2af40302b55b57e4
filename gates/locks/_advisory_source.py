"""Where advisories come from: a file, a zip, a folder or a URL, each record read or refused."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from gates.errors import LockError
from gates.locks._fetch import fetch, file_of, is_url, without_secrets
from gates.locks._lines import clip
from gates.locks._osv import Record, read_record
from gates.system.json_files import json_value

__all__ = ["records", "source_name"]

_MOST_BYTES = 512 << 20  # of a file or an answer
_MOST_UNPACKED = 4 << 30  # of all records in a zip
_MOST_RECORD = 64 << 20  # of one record in a zip
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_FETCH_SECONDS = 120.0


def source_name(source: str) -> str:
    """A source as a message may show it, without credentials."""
    return without_secrets(source) if is_url(source) else clip(source)


def records(source: str) -> Iterator[Record]:
    """Every record of a source.

    Args:
        source: An http(s) URL, a file or a folder; of a folder every `.json` and `.zip` below it.

    Raises:
        LockError: It cannot be reached or read, or one of its records cannot.
    """
    if is_url(source):
        with fetch(source, seconds=_FETCH_SECONDS, most_bytes=_MOST_BYTES) as handle:
            yield from _opened(handle, file_of(source))
        return
    path = Path(source)
    if path.is_dir():
        for one in sorted(path.rglob("*")):
            if one.suffix in {".json", ".zip"} and one.is_file():
                yield from _file(one)
        return
    yield from _file(path)


def _file(path: Path) -> Iterator[Record]:
    try:
        with path.open("rb") as handle:
            yield from _opened(handle, str(path))
    except FileNotFoundError:
        raise LockError(
            "there is no such file or folder",
            path=path,
            advice="Name a file or folder of OSV records, or the URL of one.",
        ) from None
    except OSError as error:
        raise LockError(f"it cannot be read: {error.strerror or error}", path=path) from error


def _opened(handle: IO[bytes], name: str) -> Iterator[Record]:
    if handle.read(4) in _ZIP:
        yield from _zipped(handle, name)
        return
    handle.seek(0)
    content = handle.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise LockError(f"it is larger than {_MOST_BYTES >> 20} MiB", path=name)
    yield from _parsed(content, name)


def _zipped(handle: IO[bytes], name: str) -> Iterator[Record]:
    unpacked = 0
    try:
        with zipfile.ZipFile(handle) as archive:
            for member in archive.infolist():
                if not member.filename.endswith(".json"):
                    continue
                unpacked += member.file_size  # reading stops there, whatever follows
                if member.file_size > _MOST_RECORD or unpacked > _MOST_UNPACKED:
                    raise LockError(f"{clip(member.filename)} is too large", path=name)
                yield from _parsed(archive.read(member), f"{name}/{clip(member.filename)}")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise LockError(f"it is a damaged or encrypted zip: {error}", path=name) from error


def _parsed(content: bytes, name: str) -> Iterator[Record]:
    try:
        raw = json_value(content)
    except ValueError as error:
        raise LockError(
            f"it is not JSON: {error}",
            path=name,
            advice="Name records of the OSV format (https://ossf.github.io/osv-schema/).",
        ) from None
    if isinstance(raw, dict) and "vulns" in raw:
        raw = raw["vulns"]
    for one in raw if isinstance(raw, list) else [raw]:
        try:
            yield read_record(one)
        except ValueError as error:
            raise LockError(
                f"it holds a record that cannot be read: {error}",
                path=name,
                advice="Take it out or put it right: what it is about would go unnoticed.",
            ) from None
