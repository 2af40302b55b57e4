"""Versions inside serialised models, found among their bytes: nothing is unpickled.

| written by | where |
| --- | --- |
| scikit-learn | `_sklearn_version` and the text after it, in pickles, joblib and skops files |
| XGBoost | the `version` array of its JSON and UBJSON, also inside pickles |
| LightGBM | the `version=v4` of its text, also inside pickles: which generation wrote it |

LightGBM's text says v2 up to 2.2, v3 from 2.3 to 3.3 and v4 from 4.0 on (seen by running them).
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from gates.locks._written import Unread, Written

__all__ = ["bytes_versions"]

_PIECE = 1 << 20
_OVERLAP = 1 << 10  # longer than anything that is looked for
_MOST_FILES = 20_000
_MOST_MEMBERS = 20  # of a zip
_MOST_BYTES = 2 << 30  # of one file, unpacked
_MOST_MEMORY = 256 << 20  # that unpacking one may take

_PICKLED = re.compile(
    rb"_sklearn_version"
    rb"(?:\x94|q.|r.{4}|\np\d+\n)?"  # its place in the memo
    rb"(?:\x95.{8})?"  # a new frame
    rb"(?:[\x8cU](?P<short>.)|X(?P<long>.)\0\0\0|V(?P<line>[^\n]{1,40})\n)",
    re.DOTALL,
)
_SKOPS_SKLEARN = re.compile(
    rb'"_sklearn_version":\s*\{[^{}]{0,400}?"content":\s*"\\"(\d[\w.+!-]{0,40})\\""'
)
_SKOPS = re.compile(rb'"_skops_version":\s*"(\d[\w.+!-]{0,40})"')
_VERSION = re.compile(rb"\d[\w.+!-]*")
_XGBOOST_JSON = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]')
_XGBOOST_UBJSON = re.compile(rb"L\0{7}\x07version\[#L\0{7}\x03")
_UBJSON_INTEGER = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q"}
_LIGHTGBM = re.compile(rb"tree\nversion=(v\d{1,3})\r?\n")
_LIGHTGBM_WRITES = {"v2": "<2.3", "v3": ">=2.3,<4", "v4": ">=4"}

_DAMAGED = (
    *(OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
    *(NotImplementedError, RuntimeError),  # a zip that is encrypted, or packed in a way unknown
)
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda]")
_LZ4 = b"\x04\x22\x4d\x18"
_PICKLE_ENDINGS = frozenset({".pkl", ".pickle", ".joblib", ".sav", ".model", ".z"})
_READABLE = re.compile(rb"\x80[\x02-\x05]|\{|tree\n")


def bytes_versions(model: Path) -> Iterator[Written | Unread]:
    """Every version in the serialised models of a folder; links are not followed.

    Args:
        model: The model folder.
    """
    seen: set[Written | Unread] = set()
    for count, path in enumerate(sorted(_files(model))):
        if count == _MOST_FILES:
            yield Unread(f"the model has more than {_MOST_FILES:,} files")
            return
        place = path.relative_to(model).as_posix()
        try:
            with path.open("rb") as handle:
                for found in _file(handle, place, path.suffix):
                    if found not in seen:
                        seen.add(found)
                        yield found
        except _DAMAGED as error:
            yield Unread(f"{place} cannot be read: {error}")


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _file(handle: IO[bytes], place: str, suffix: str) -> Iterator[Written | Unread]:
    head = handle.read(6)
    handle.seek(0)
    if head.startswith(_LZ4):
        yield Unread(f"{place} is packed with LZ4, which cannot be unpacked here")
    elif head.startswith(b"PK\x03\x04"):
        yield from _zipped(handle, place)
    elif head.startswith(b"\x1f\x8b") or (_ZLIB.match(head) and suffix in _PICKLE_ENDINGS):
        yield from _versions(_inflated(handle), place)
    elif head.startswith(b"BZh"):
        yield from _versions(_unpacked(handle, bz2.BZ2Decompressor), place)
    elif head.startswith((b"\xfd7zXZ", b"]\0\0")):
        limited = lambda: lzma.LZMADecompressor(memlimit=_MOST_MEMORY)  # noqa: E731
        yield from _versions(_unpacked(handle, limited), place)
    elif suffix in _PICKLE_ENDINGS or _READABLE.match(head):
        yield from _versions(_pieces(handle), place)


def _zipped(handle: IO[bytes], place: str) -> Iterator[Written | Unread]:
    with zipfile.ZipFile(handle) as archive:
        members = [one for one in archive.infolist() if one.filename.endswith((".json", ".pkl"))]
        for member in members[:_MOST_MEMBERS]:
            with archive.open(member) as inner:
                yield from _versions(_pieces(inner), f"{place}/{member.filename}")
        if len(members) > _MOST_MEMBERS:
            yield Unread(f"{place} holds more than {_MOST_MEMBERS} files that may say a version")


def _pieces(handle: IO[bytes]) -> Iterator[bytes]:
    while piece := handle.read(_PIECE):
        yield piece


def _inflated(handle: IO[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)  # zlib's own header, or gzip's
    for piece in _pieces(handle):
        rest = piece
        while rest and not unpack.eof:
            yield unpack.decompress(rest, _PIECE)
            rest = unpack.unconsumed_tail
    if not unpack.eof:
        raise EOFError("it is cut short")


def _unpacked(
    handle: IO[bytes], start: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
) -> Iterator[bytes]:
    unpack = start()
    while not unpack.eof:
        piece = handle.read(_PIECE) if unpack.needs_input else b""
        if unpack.needs_input and not piece:
            raise EOFError("it is cut short")
        yield unpack.decompress(piece, _PIECE)


def _versions(pieces: Iterator[bytes], place: str) -> Iterator[Written | Unread]:
    total, tail, learner = 0, b"", False
    xgboost: set[str] = set()
    for piece in pieces:
        total += len(piece)
        if total > _MOST_BYTES:
            yield Unread(
                f"{place} is larger than {_MOST_BYTES >> 30} GiB and was not read to its end"
            )
            return
        window = tail + piece
        tail = window[-_OVERLAP:]
        # Other JSON has versions, too: XGBoost's stands beside a learner.
        learner = learner or b"learner" in window
        if b"version" not in window:  # as it is in most of a large file, and quickly told
            continue
        for version in _sklearn(window):
            yield Written("scikit-learn", version, place)
        for found in _SKOPS.finditer(window):
            yield Written("skops", found[1].decode(), place)
        for found in _LIGHTGBM.finditer(window):
            generation = found[1].decode()
            if generation in _LIGHTGBM_WRITES:
                yield Written("lightgbm", generation, place, _LIGHTGBM_WRITES[generation])
        xgboost.update(_xgboost(window))
    if learner:
        for version in sorted(xgboost):
            yield Written("xgboost", version, place, f"=={version}.*")


def _sklearn(window: bytes) -> Iterator[str]:
    for found in _PICKLED.finditer(window):
        length = found["short"] or found["long"]
        text = window[found.end() : found.end() + length[0]] if length else found["line"]
        if (not length or len(text) == length[0]) and _VERSION.fullmatch(text):
            yield text.decode()
    for found in _SKOPS_SKLEARN.finditer(window):
        yield found[1].decode()


def _xgboost(window: bytes) -> Iterator[str]:
    for found in _XGBOOST_JSON.finditer(window):
        yield ".".join(part.decode() for part in found.groups())
    for found in _XGBOOST_UBJSON.finditer(window):
        numbers = _three_integers(io.BytesIO(window[found.end() : found.end() + 27]))
        if numbers:
            yield ".".join(map(str, numbers))


def _three_integers(data: IO[bytes]) -> tuple[int, ...]:
    numbers: list[int] = []
    for _ in range(3):
        form = _UBJSON_INTEGER.get(data.read(1))
        content = data.read(struct.calcsize(form)) if form else b""
        if form is None or len(content) < struct.calcsize(form):
            return ()
        numbers += struct.unpack(form, content)
    return tuple(numbers)
