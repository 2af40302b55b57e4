"""Base images: every image a Dockerfile builds on must be named by its digest."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gates.domain.lock_report import LockProblem
from gates.errors import LockError
from gates.locks._lines import clip
from gates.locks.finding import LockFinding, counted

__all__ = ["base_images", "is_pinned_image"]

_NAMES = ("Dockerfile", "Containerfile")
_MOST_BYTES = 1 << 20
_PINNED = re.compile(r"([^\s@]+@)?sha256:[0-9a-f]{64}")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=\s*\S.*")
_HEREDOC = re.compile(r"\d*<<(-?)([\"']?)([^<\"']+)\2")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?([-+])([^{}]*))?\})")
_WITH_HEREDOCS = frozenset({"RUN", "COPY", "ADD", "ONBUILD"})
_MOUNT_FROM = re.compile(r"--mount=\S*?\bfrom=([^\s,]+)")


def is_pinned_image(text: str) -> bool:
    """Whether an image reference names one image and no other: by its sha256 digest.

    Args:
        text: Such as `python:3.12-slim@sha256:…`, or a digest alone.
    """
    return _PINNED.fullmatch(text) is not None


def base_images(folder: Path) -> LockFinding:
    """Look at the images that a Dockerfile in a folder builds on or copies from.

    Stages of the file itself and `scratch` are no images. An `ARG` before the first `FROM` stands
    for its default.

    Args:
        folder: Where the lock is.

    Returns:
        Kind `base-image`, one thing looked at an image; nothing when there is no Dockerfile or it
        takes none. Absent when a Dockerfile cannot be read.
    """
    problems: list[LockProblem] = []
    looked_at = 0
    files = [path for name in _NAMES if (path := folder / name).is_file()]
    for path in files:
        try:
            found = list(_Stages().images(_read(path), path))
        except LockError as error:
            return LockFinding("base-image", absent=f"{path.name}: {error.what}")
        looked_at += len(found)
        problems += [
            _unpinned(path, number, image) for number, image in found if not is_pinned_image(image)
        ]
    names = " and ".join(path.name for path in files)
    nothing = f"{names} takes no image" if files else "no Dockerfile is beside the lock"
    return counted("base-image", looked_at, problems, nothing=nothing)


def _unpinned(path: Path, number: int, image: str) -> LockProblem:
    message = (
        f"{path.name}:{number} takes the image `{clip(image)}`, which is not pinned by digest: "
        f"write it as {clip(image.partition('@')[0])}@sha256:…"
    )
    return LockProblem("base-image", clip(image), message)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            content = handle.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise LockError("it is larger than 1 MiB", path=path)
        return content.decode("utf-8-sig")
    except OSError as error:
        raise LockError(f"it cannot be read: {error.strerror}", path=path) from error
    except UnicodeDecodeError as error:
        raise LockError(f"it is not UTF-8 text (byte {error.start})", path=path) from error


@dataclass
class _Stages:
    """The stages of a Dockerfile, as far as they have been read."""

    names: list[str] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)

    def images(self, text: str, path: Path) -> Iterator[tuple[int, str]]:
        """Line and reference of every image that is no stage of this file.

        Raises:
            LockError: The file ends inside an instruction.
        """
        for number, instruction in _instructions(text, path):
            keyword, _, rest = instruction.partition(" ")
            keyword, words = keyword.upper(), rest.split()
            while keyword == "ONBUILD" and words:
                keyword, words = words[0].upper(), words[1:]
            if keyword == "ARG" and not self.names:
                self._argument(words)
            elif keyword == "FROM":
                words = [word for word in words if not word.startswith("--")]
                image = _resolved(words[0], self.defaults) if words else ""
                if image != "scratch" and image.lower() not in self.names:
                    yield number, image
                named = len(words) > 2 and words[1].upper() == "AS"
                self.names.append(words[2].lower() if named else "")
            elif keyword in {"COPY", "ADD"}:
                for word in words:
                    source = word.removeprefix("--from=")
                    if source != word and not self._is_stage(source):
                        yield number, source
            elif keyword == "RUN":
                for source in _MOUNT_FROM.findall(" ".join(words)):
                    if not self._is_stage(source):
                        yield number, source

    def _is_stage(self, image: str) -> bool:
        by_number = image.isdecimal() and int(image) < len(self.names)
        return by_number or image == "scratch" or image.lower() in self.names

    def _argument(self, words: list[str]) -> None:
        for word in words:
            name, given, value = word.partition("=")
            if given:
                self.defaults[name] = _resolved(value.strip("\"'"), self.defaults)


def _resolved(text: str, defaults: Mapping[str, str]) -> str:
    """A reference with its variables replaced; one without a value stays as it is written."""

    def value(found: re.Match[str]) -> str:
        bare, braced, sign, other = found.groups()
        known = defaults.get(bare or braced)
        if sign == "-":
            return known or other
        if sign == "+":
            return other if known else ""
        return found.group() if known is None else known

    return _VARIABLE.sub(value, text.strip("\"'"))


def _instructions(text: str, path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every instruction, continuations joined, comments and heredocs left out."""
    escape, pieces, started = "\\", "", 0
    ends: list[tuple[str, bool]] = []
    may_direct = True
    for number, line in enumerate(text.splitlines(), start=1):
        if ends:
            word, tabs = ends[0]
            if (line.lstrip("\t") if tabs else line) == word:
                ends.pop(0)
            continue
        stripped = line.strip()
        if may_direct and (directive := _ESCAPE.fullmatch(stripped)):
            escape = directive.group(1)
        may_direct = may_direct and _DIRECTIVE.fullmatch(stripped) is not None
        if not stripped or stripped.startswith("#"):
            continue
        started = started or number
        if stripped.endswith(escape):
            pieces += stripped.removesuffix(escape) + " "
            continue
        whole = pieces + stripped
        yield started, " ".join(whole.split())
        if whole.split()[0].upper() in _WITH_HEREDOCS:
            ends = _heredocs(whole)
            opened = started
        pieces, started = "", 0
    if ends:
        # What Docker would not build, and whatever is in there was not looked at.
        raise LockError(f"the heredoc of line {opened} never ends", path=path, line=opened)
    if pieces:
        yield started, " ".join(pieces.split())


def _heredocs(instruction: str) -> list[tuple[str, bool]]:
    """The word that ends each heredoc of an instruction, and whether tabs may stand before it."""
    try:
        words = shlex.split(instruction, posix=False)
    except ValueError:  # a quotation without its end: the shell's business
        words = instruction.split()
    return [(found[3], bool(found[1])) for word in words if (found := _HEREDOC.fullmatch(word))]
