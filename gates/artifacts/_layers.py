"""Files by their content: archives, compressed files and arrays, opened layer by layer.

A name says nothing: a pickle may be called `weights.bin`. Nothing is written but unnamed temporary
files, and no member's name is used as a path.
"""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import lzma
import mmap
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from gates.artifacts._values import Region, ScanBudget, TooMuch

__all__ = ["Layer", "NotRead", "array_start", "layers"]

_CHUNK = 1 << 20
_IN_MEMORY = 16 << 20
_LONGEST_HEADER = 10_000  # as NumPy itself allows
_ENDS_OF_ZIP = 65_557  # the longest comment and the record before it
_NOT_OPENED = {
    b"\x04\x22\x4d\x18": "compressed with LZ4",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"ZF0x": "in the format of joblib before 0.10",
}


class NotRead(Exception):
    """Something that cannot be looked into; says why."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One file inside another.

    Attributes:
        name: Its name as the archive gives it, made printable; empty for what a file expands to.
        region: Its bytes, as far as they could be had.
        problem: Why they are not all; empty when they are.
    """

    name: str
    region: Region
    problem: str = ""


class _View(io.RawIOBase):
    """A region as a file."""

    def __init__(self, region: Region) -> None:
        self._region, self._at = region, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._region.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: object) -> int:
        target = memoryview(cast("bytearray", buffer))
        start = min(self._region.start + self._at, self._region.end)
        found = self._region.data[start : min(start + len(target), self._region.end)]
        target[: len(found)] = found
        self._at += len(found)
        return len(found)


def layers(region: Region, budget: ScanBudget) -> Iterator[Layer] | None:
    """What a file holds or expands to, when its content says that it is an archive or compressed.

    Args:
        region: The file.
        budget: What may still be done.

    Returns:
        Its layers, opened as they are asked for; None when it is no such file.

    Raises:
        NotRead: It is of a kind that cannot be looked into.
    """
    head = region.head(512)
    for magic, kind in _NOT_OPENED.items():
        if head.startswith(magic):
            raise NotRead(f"it is {kind}, which cannot be looked into")
    if head.startswith(b"\x1f\x8b"):
        return _expand(gzip.GzipFile(fileobj=_View(region)), budget)
    if head.startswith(b"BZh"):
        return _expand(bz2.BZ2File(_View(region)), budget)
    if head.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
        return _expand(lzma.LZMAFile(cast("BinaryIO", _View(region))), budget)
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return _expand(_Inflating(region, 15), budget)
    if head[257:262] == b"ustar":
        return _tar_members(region, budget)
    last = max(region.start, region.end - _ENDS_OF_ZIP)
    if head.startswith(b"PK\x03\x04") or region.data.find(b"PK\x05\x06", last, region.end) >= 0:
        return _zip(region, budget)
    return None


class _Inflating(io.RawIOBase):
    """The bytes that one zlib stream after another expands to."""

    def __init__(self, region: Region, bits: int) -> None:
        self._view, self._bits = _View(region), bits
        self._stream = zlib.decompressobj(bits)
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while True:
            if self._stream.eof:
                self._waiting = self._stream.unused_data or self._view.read(_CHUNK) or b""
                if not self._waiting or self._bits < 0:
                    return b""
                self._stream = zlib.decompressobj(self._bits)
            block = self._waiting or self._view.read(_CHUNK) or b""
            found = self._stream.decompress(block, size)
            self._waiting = self._stream.unconsumed_tail
            if found:
                return found
            if not block and not self._stream.eof:
                raise EOFError("the compressed data break off")


def _expand(stream: object, budget: ScanBudget) -> Iterator[Layer]:
    """The one layer that compressed data expand to."""
    source, problem = cast("BinaryIO", stream), ""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as target:
        try:
            while block := source.read(_CHUNK):
                budget.expanded -= len(block)
                if budget.expanded < 0:
                    raise TooMuch("what is compressed in the artifact expands to more than 2 GiB")
                target.write(block)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as failure:
            problem = f"its compressed data cannot be read to the end: {failure}"
        size = target.tell()
        if size > _IN_MEMORY:
            target.flush()
            data: bytes | mmap.mmap = mmap.mmap(target.fileno(), size, access=mmap.ACCESS_READ)
        else:
            target.seek(0)
            data = target.read()
    yield Layer("", Region(data, 0, size), problem)


def _zip(region: Region, budget: ScanBudget) -> Iterator[Layer] | None:
    try:
        with zipfile.ZipFile(cast("BinaryIO", _View(region))) as archive:
            return _zip_members(region, archive.infolist(), budget)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error) as problem:
        if region.head(2) == b"PK":
            raise NotRead(f"it is a damaged zip archive: {problem}") from None
        return None


def _zip_members(
    region: Region, members: list[zipfile.ZipInfo], budget: ScanBudget
) -> Iterator[Layer]:
    # Checksums, passwords and the second copy of each name are not looked at: loaders of models do
    # not look at all of them either, so that a wrong one must not hide a member.
    for one in members:
        if one.is_dir() and not one.compress_size:
            continue
        budget.layers -= 1
        if budget.layers < 0:
            raise TooMuch("the artifact has more members in archives than are looked into")
        yield from _zip_member(region, one, budget)


def _zip_member(region: Region, one: zipfile.ZipInfo, budget: ScanBudget) -> Iterator[Layer]:
    name = printable(one.filename)
    at = region.start + one.header_offset
    header = region.data[at : min(at + 30, region.end)]
    if header[:4] != b"PK\x03\x04" or len(header) < 30:
        yield Layer(name, Region(b"", 0, 0), "its place in the zip archive is wrong")
        return
    start = at + 30 + sum(struct.unpack("<HH", header[26:30]))
    stored = Region(region.data, min(start, region.end), min(start + one.compress_size, region.end))
    locked = "it is encrypted" if one.flag_bits & 1 else ""
    if one.compress_type == zipfile.ZIP_STORED:
        yield Layer(name, stored, locked)
    elif one.compress_type == zipfile.ZIP_DEFLATED:
        for layer in _expand(_Inflating(stored, -15), budget):
            yield Layer(name, layer.region, locked or layer.problem)
    else:
        yield Layer(name, Region(b"", 0, 0), f"it is compressed by method {one.compress_type}")


def _tar_members(region: Region, budget: ScanBudget) -> Iterator[Layer]:
    try:
        with tarfile.open(fileobj=cast("BinaryIO", _View(region)), mode="r:") as archive:
            for one in archive:
                budget.layers -= 1
                if budget.layers < 0:
                    raise TooMuch("the artifact has more members in archives than are looked into")
                if one.isfile():
                    start = region.start + one.offset_data
                    end = min(start + one.size, region.end)
                    yield Layer(printable(one.name), Region(region.data, min(start, end), end))
    except (tarfile.TarError, ValueError, EOFError) as problem:
        raise NotRead(f"it is a damaged tar archive: {problem}") from None


def array_start(region: Region) -> tuple[int, bool] | None:
    """Where the values of a NumPy file begin in the data, and whether they are a pickle.

    Returns:
        None when it is not a NumPy file.

    Raises:
        NotRead: Its header makes no sense.
    """
    head = region.head(12)
    if not head.startswith(b"\x93NUMPY"):
        return None
    size = 2 if head[6:7] == b"\x01" else 4
    length = int.from_bytes(head[8 : 8 + size], "little")
    header = region.head(8 + size + min(length, _LONGEST_HEADER))[8 + size :]
    try:
        described = ast.literal_eval(header.decode("utf-8" if size == 4 else "latin-1").strip())
        pickled = _holds_objects(described["descr"])
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise NotRead("it is a NumPy file with a bad header") from None
    return min(region.start + 8 + size + length, region.end), pickled


def _holds_objects(description: object) -> bool:
    """Whether a type, as a NumPy header writes it, has Python objects in it."""
    if isinstance(description, str):
        return description.lstrip("|<>=").startswith("O")
    fields = description if isinstance(description, list) else []
    return any(_holds_objects(part) for field in fields for part in field[1:2])


def printable(name: str) -> str:
    """A name from an untrusted file as it may be shown: on one line, of bounded length."""
    return name.encode("unicode_escape").decode()[:200]
