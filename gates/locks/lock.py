"""A lock: every requirement of a model pinned to one version and to the hashes of its files.

Reads what `pip-compile --generate-hashes` and `uv pip compile --generate-hashes` write. A line that
is not a pinned and hashed requirement does not stop the reading; it is kept as a problem. A lock
with problems is never installed: `installable` is the only way from here to an installer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from gates.domain.installation import InstallableLock, Pin
from gates.domain.lock_report import LockProblem
from gates.errors import LockError
from gates.locks._lines import Line, clip, decode, read_bytes, requirement_lines
from gates.locks._via import read_vias
from gates.locks.markers import holds

__all__ = ["Lock", "LockedRequirement", "installable", "read_installable", "read_lock"]

_HEX_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")
# They say nothing that pins and hashes do not settle: no installer is given them.
_WITHOUT_EFFECT = frozenset(
    {"--only-binary", "--prefer-binary", "--pre", "--require-hashes", "--use-feature"}
)
_PLACES = (
    "where packages come from is the team's setting (such as UV_DEFAULT_INDEX, UV_FIND_LINKS or "
    "PIP_INDEX_URL where the gate runs), and no version's: take the line out"
)
_SOURCES = (
    "what may be built from source is the card's to say ('environment: source_builds'): take the "
    "line out"
)
_NO_PINS = {
    **dict.fromkeys(("-i", "--index-url", "--extra-index-url", "-f", "--find-links"), _PLACES),
    **dict.fromkeys(("--no-index", "--trusted-host"), _PLACES),
    "--no-binary": _SOURCES,
    "-e": "an editable install takes whatever its folder holds",
    "--editable": "an editable install takes whatever its folder holds",
    "-r": "it includes another file, whose bytes this lock does not fix",
    "--requirement": "it includes another file, whose bytes this lock does not fix",
    "-c": "it leans on a constraints file, whose bytes this lock does not fix",
    "--constraint": "it leans on a constraints file, whose bytes this lock does not fix",
}


@dataclass(frozen=True, slots=True)
class LockedRequirement:
    """One pinned line of a lock.

    Attributes:
        name: The distribution's canonical name, such as `scikit-learn`.
        version: The one version, in PEP 440's normal form.
        extras: The extras it was locked with, canonical and sorted.
        hashes: `algorithm:hex` of each file allowed, in the lock's order; malformed ones left out.
        marker: The PEP 508 marker in normal form; empty when it always holds.
        line: Its line in the lock, 1-based.
        raw: What the lock says, without options.
        via: Who asked for it, as the compiler's `# via` comment has it: names of distributions, and
            `-r requirements.in` or `project (pyproject.toml)`; empty without such a comment.
    """

    name: str
    version: str
    extras: tuple[str, ...]
    hashes: tuple[str, ...]
    marker: str
    line: int
    raw: str
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it was read.

    Attributes:
        digest: `sha256:…` of its bytes.
        requirements: Its pinned requirements in file order; those without hashes are among them.
        problems: Every line that is not pinned (`unpinned`) or not hashed (`unhashed`).
        options: Its lines for the installer that change nothing, such as `--pre`.
    """

    path: Path
    digest: str
    requirements: tuple[LockedRequirement, ...]
    problems: tuple[LockProblem, ...] = ()
    options: tuple[str, ...] = ()


def read_lock(path: Path) -> Lock:
    """Read a lock; what is wrong with its lines is in `problems`.

    Args:
        path: A requirements.txt compiled with hashes.

    Raises:
        LockError: The file is missing, unreadable, binary or cut short, or a line is no
            requirement at all.
    """
    content = read_bytes(path)
    requirements: list[LockedRequirement] = []
    problems: list[LockProblem] = []
    options: list[str] = []
    text = decode(content, path)
    for line in requirement_lines(text, path):
        if not line.requirement:
            for name, value in line.options:
                if name in _NO_PINS:
                    what = clip(f"{name} {value}".strip())
                    message = f"`{what}` is not a pin: {_NO_PINS[name]}"
                    problems.append(LockProblem("unpinned", what, message, line.number))
                else:
                    options.append(_installer_option(name, value, path, line.number))
            continue
        found = _read_requirement(line, path)
        if isinstance(found, LockProblem):
            problems.append(found)
            continue
        requirements.append(found)
        problems.extend(_hash_problems(found, line))
    vias = read_vias(text, {pin.line for pin in requirements})
    pins = tuple(replace(pin, via=vias.get(pin.line, ())) for pin in requirements)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Lock(path, digest, pins, tuple(problems), tuple(options))


def installable(lock: Lock) -> InstallableLock:
    """What an installer may be given of a lock.

    Raises:
        LockError: It has a problem; none with one is ever installed.
    """
    if lock.problems:
        first, more = lock.problems[0], len(lock.problems) - 1
        raise LockError(
            f"it is not installed: {first.message}" + (f" (and {more} more)" if more else ""),
            path=lock.path,
            line=first.line or None,
            advice="Compile the lock again, pinned and hashed throughout: gates lock compile",
        )
    pins = tuple(
        Pin(one.name, one.version, one.hashes, one.marker, one.extras) for one in lock.requirements
    )
    return InstallableLock(lock.path, lock.digest, pins)


def read_installable(path: Path) -> InstallableLock:
    """Read a lock that is to be installed.

    Raises:
        LockError: As of `read_lock`, or it has a problem.
    """
    return installable(read_lock(path))


def _installer_option(name: str, value: str, path: Path, line: int) -> str:
    if name in _WITHOUT_EFFECT:
        return clip(f"{name} {value}".strip())
    raise LockError(
        f"the option `{name}` has no place here",
        path=path,
        line=line,
        advice="Compile the lock again; a hash belongs to the requirement before it.",
    )


def _read_requirement(line: Line, path: Path) -> LockedRequirement | LockProblem:
    raw = line.requirement
    for name, _ in line.options:
        if name != "--hash":
            raise LockError(
                f"the option `{name}` has no place after a requirement",
                path=path,
                line=line.number,
                advice="Leave only --hash there.",
            )
    try:
        parsed = Requirement(raw)
    except (InvalidRequirement, RecursionError) as error:  # its parser recurses on brackets
        if "/" in raw or raw.startswith((".", "file:")):
            return _direct(clip(raw), line.number)
        first, *_ = str(error).splitlines() or [""]
        raise LockError(
            f"`{clip(raw)}` is not a requirement: {clip(first)}",
            path=path,
            line=line.number,
            advice="Compile the lock again.",
        ) from error
    if parsed.url:
        return _direct(clip(raw), line.number)
    name = str(canonicalize_name(parsed.name))
    marker = str(parsed.marker or "")
    holds(marker, None, path=path, line=line.number)  # a marker without an answer is an error here
    version = _pinned_version(parsed)
    if version is None:
        accepts = f"`{parsed.specifier}`" if parsed.specifier else "any version"
        message = f"{name} is not pinned to one version: it accepts {accepts}"
        return LockProblem("unpinned", name, message, line.number)
    return LockedRequirement(
        name=name,
        version=version,
        extras=tuple(sorted(str(canonicalize_name(extra)) for extra in parsed.extras)),
        hashes=tuple(value.lower() for _, value in line.options if not _hash_defect(value)),
        marker=marker,
        line=line.number,
        raw=raw,
    )


def _direct(what: str, line: int) -> LockProblem:
    message = f"`{what}` is a URL, checkout or path, not a version: what it holds can change"
    return LockProblem("unpinned", what, message, line)


def _pinned_version(parsed: Requirement) -> str | None:
    if len(parsed.specifier) != 1:
        return None
    (only,) = parsed.specifier
    if only.operator not in ("==", "==="):
        return None
    try:
        return str(Version(only.version))
    except InvalidVersion:  # `==1.*`, or `===` and any text
        return None


def _hash_defect(value: str) -> str:
    """What is wrong with a hash, or empty."""
    algorithm, _, digest = value.lower().partition(":")
    digits = _HEX_DIGITS.get(algorithm)
    if digits is None:
        return "the algorithm must be sha256, sha384 or sha512"
    if len(digest) != digits:
        return f"{algorithm} has {digits} hexadecimal digits, this has {len(digest)}"
    return "" if _HEX.fullmatch(digest) else "it holds more than hexadecimal digits"


def _hash_problems(found: LockedRequirement, line: Line) -> Iterator[LockProblem]:
    pin = f"{found.name} {found.version}"
    if not line.options:
        message = f"{pin} has no hash: any file of that version would be installed"
        yield LockProblem("unhashed", found.name, message, found.line)
    for _, value in line.options:
        if defect := _hash_defect(value):
            message = f"{pin} has the malformed hash `{clip(value)}`: {defect}"
            yield LockProblem("unhashed", found.name, message, found.line)
