"""What an environment holds, read from the outside: nothing of it is run or imported."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.utils import canonicalize_name

from gates.domain.installation import Installed
from gates.domain.lock_report import Distribution
from gates.environments._records import RecordRow, files_digest, read_record
from gates.errors import BuildError
from gates.system.commands import clean
from gates.system.interruption import in_threads

__all__ = ["Altered", "altered_files", "distributions", "installed"]

_MODULE_ENDINGS = (".py", ".so", ".pyd", ".pyc")
_BYTE_CODE = re.compile(r"(?:(.+)/)?__pycache__/([^/]+?)\.[a-z]+-?\d\w*(?:\.opt-\w+)?\.pyc")
# What installers write themselves, and record without a digest.
_UNDIGESTED = {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"}
_THREADS = min(8, os.cpu_count() or 1)
_AT_ONCE = 256  # files a thread hashes before it asks for more
_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, order=True)
class Altered:
    """An installed file that is not the one its distribution brought.

    Attributes:
        distribution: The canonical name of the distribution it belongs to; of an added file, that
            whose folder it is in. Empty when there is none.
        path: The file, from the environment's folder.
        what: What is wrong with it, as the end of a sentence: `is missing`.
    """

    distribution: str
    path: str
    what: str

    @property
    def message(self) -> str:
        """The file, its distribution and what is wrong, in a sentence."""
        owner = f" of {self.distribution}" if self.distribution else ""
        return f"{self.path}{owner} {self.what}"


_Claim = tuple[str, RecordRow]  # a distribution, and what its RECORD says of one file


def installed(environment: Path, sources: Mapping[str, str]) -> tuple[Installed, ...]:
    """Every distribution of an environment, by name, with what it was built from.

    Args:
        environment: The environment's folder.
        sources: Name → `sha256:…` of the source distribution that it was built from.

    Raises:
        BuildError: A distribution's metadata cannot be read.
    """
    found = []
    for folder in _folders(environment):
        one = _read(folder)
        source = sources.get(one.name, "")
        found.append(Installed(one.name, one.version, files_digest(folder), source))
    return tuple(sorted(found, key=lambda one: (one.name, one.version)))


def distributions(environment: Path) -> tuple[Distribution, ...]:
    """Every distribution of an environment, by name.

    Args:
        environment: Its folder; the distributions are those of `lib/python*/site-packages`.

    Raises:
        BuildError: A distribution's metadata is damaged.
    """
    found = (_read(folder) for folder in _folders(environment))
    return tuple(sorted(found, key=lambda one: one.name))


def altered_files(environment: Path) -> tuple[Altered, ...]:
    """Every file of an environment's site-packages that is not what was installed.

    Compared are all files that the distributions' RECORDs name, by digest, wherever they are in the
    environment; a file in site-packages that no RECORD names was added. Byte code of a recorded
    source is neither: it is made on the spot. That it is the source's is not looked at.

    Args:
        environment: Its folder.

    Returns:
        What differs, by distribution and path; nothing when nothing does.

    Raises:
        BuildError: A distribution's metadata is damaged, or a folder cannot be read.
    """
    altered: list[Altered] = []
    for packages in sorted(environment.glob("lib/python*/site-packages")):
        try:
            altered += _altered_in(packages, environment)
        except OSError as error:
            raise BuildError(
                f"{error.filename or packages} in the environment {environment} cannot be read: "
                f"{error.strerror}",
                advice="Remove that folder; the next run builds it anew.",
            ) from error
    return tuple(sorted(altered))


def _altered_in(packages: Path, environment: Path) -> Iterator[Altered]:
    """What differs in one folder of site-packages and what its distributions put elsewhere."""
    base, root = os.path.abspath(packages), os.path.abspath(environment)  # noqa: PTH100

    def from_root(path: str) -> str:
        return _shown(os.path.relpath(os.path.join(base, path), root))  # noqa: PTH118

    rows: dict[str, list[_Claim]] = {}
    for folder in sorted(packages.glob("*.dist-info")):
        name = str(canonicalize_name(str(_headers(folder)["Name"])))
        record = read_record(folder)
        if record is None:
            what = "is missing or cannot be read: nothing tells which files were installed"
            yield Altered(name, from_root(f"{folder.name}/RECORD"), what)
        for row in record or ():
            rows.setdefault(row.path, []).append((name, row))
    leaving = (path for path in rows if path.startswith(("../", "/")))
    outside = {path for path in leaving if from_root(path).startswith("../")}
    for path in outside:
        yield Altered(
            rows[path][0][0], _shown(path), "is recorded but lies outside of the environment"
        )
    inside = [claims for path, claims in rows.items() if path not in outside]
    chunks = [inside[at : at + _AT_ONCE] for at in range(0, len(inside), _AT_ONCE)]
    for found in in_threads(lambda chunk: _compared(base, chunk), chunks, most=_THREADS):
        yield from (Altered(name, from_root(path), what) for name, path, what in found)
    owners = _owners(rows)
    for path in _files(base):
        if path not in rows and not _is_byte_code(path, rows):
            what = "was added: no installed distribution brought it"
            yield Altered(_owner(path, owners), from_root(path), what)


def _compared(base: str, chunk: list[list[_Claim]]) -> list[tuple[str, str, str]]:
    """Distribution, path and what is wrong of each file that is as none of its RECORDs has it."""
    buffer = bytearray(_BLOCK_BYTES)
    found = []
    for claims in chunk:
        # Distributions may bring the same file; whichever was installed last has overwritten it.
        differences = [_difference(base, row, buffer) for _, row in claims]
        if all(differences):
            name, row = claims[-1]
            found.append((name, row.path, differences[-1]))
    return found


def _difference(base: str, row: RecordRow, buffer: bytearray) -> str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    byte_code = row.path.endswith(".pyc")
    try:
        descriptor = os.open(Path(base, row.path), flags)
    except FileNotFoundError:
        return "" if byte_code and not row.digest else "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return "is no longer a file"
        if not row.digest:
            known = byte_code or row.path.rpartition("/")[2] in _UNDIGESTED
            return "" if known else "has no digest in its RECORD to compare it with"
        if row.size is not None and status.st_size != row.size:
            return f"has {status.st_size} bytes; {row.size} were installed"
        digest = hashlib.new(row.algorithm)
        view = memoryview(buffer)
        while count := stream.readinto(buffer):
            digest.update(view[:count])
    if digest.digest() == row.digest:
        return ""
    was, now = row.digest.hex()[:12], digest.hexdigest()[:12]
    return f"was changed: its {row.algorithm} is {now}…, and {was}… was installed"


def _files(base: str, prefix: str = "") -> Iterator[str]:
    with os.scandir(f"{base}/{prefix}") as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(base, f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name


def _is_byte_code(path: str, rows: Mapping[str, list[_Claim]]) -> bool:
    found = _BYTE_CODE.fullmatch(path)
    if found is None:
        return False
    folder = f"{found[1]}/" if found[1] else ""
    return f"{folder}{found[2]}.py" in rows


def _shown(path: str) -> str:
    return clean(path).replace("\n", "?").replace("\t", "?")


def _owners(rows: Mapping[str, list[_Claim]]) -> dict[str, set[str]]:
    """Folder → the distributions that have files in it."""
    owners: dict[str, set[str]] = {}
    for path, claims in rows.items():
        owners.setdefault(path.rpartition("/")[0], set()).update(name for name, _ in claims)
    return owners


def _owner(path: str, owners: Mapping[str, set[str]]) -> str:
    """The one distribution that has files in the nearest folder above a file."""
    folder = path.rpartition("/")[0]
    while folder and folder not in owners:
        folder = folder.rpartition("/")[0]
    names = owners[folder] if folder else set()
    return next(iter(names)) if len(names) == 1 else ""


def _folders(environment: Path) -> Iterator[Path]:
    yield from environment.glob("lib/python*/site-packages/*.dist-info")


def _read(folder: Path) -> Distribution:
    headers = _headers(folder)
    return Distribution(
        name=str(canonicalize_name(str(headers["Name"]))),
        version=str(headers["Version"]),
        requires=tuple(str(one) for one in headers.get_all("Requires-Dist", [])),
        modules=tuple(sorted(set(_modules(folder)))),
        licence=_licence(headers),
    )


def _headers(folder: Path) -> Message:
    where = f"{folder.name} in the environment {folder.parents[3]}"
    advice = "Remove that folder; the next run builds it anew."
    try:
        headers = BytesHeaderParser().parsebytes((folder / "METADATA").read_bytes())
    except OSError as error:
        raise BuildError(f"{where} has no readable METADATA", advice=advice) from error
    for name in ("Name", "Version"):
        if not str(headers.get(name) or "").strip():
            raise BuildError(f"{where} has a METADATA without {name}", advice=advice)
    return headers


def _modules(folder: Path) -> Iterator[str]:
    """The top-level names that can be imported: those of recorded files.

    Where no recorded file is one (no RECORD, or an installation that only links to a source tree),
    the names are those that the distribution's build wrote down.
    """
    recorded = {name for row in read_record(folder) or () if (name := _module(row.path))}
    own = {name for name in recorded if not name.startswith(("__editable__", "_editable_impl"))}
    if own and own == recorded:
        yield from own
        return
    yield from own
    try:
        written = (folder / "top_level.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    yield from (name.strip() for name in written.splitlines() if name.strip().isidentifier())


def _module(path: str) -> str:
    first, slash, rest = path.partition("/")
    name = first if slash else first.partition(".")[0]
    in_cache = "__pycache__/" in path
    ending = (rest or first).endswith(_MODULE_ENDINGS)
    return name if ending and name.isidentifier() and not in_cache else ""


def _licence(headers: Message) -> str:
    expression = headers.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [str(one) for one in headers.get_all("Classifier", [])]
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    text = str(headers.get("License", ""))
    return "; ".join(named) or (text.splitlines()[0].strip()[:80] if text else "")
