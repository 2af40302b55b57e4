"""The lines of a requirements file, as pip reads them: comments off, continuations joined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gates.errors import LockError
from gates.system.files import read_bounded

__all__ = ["Line", "clip", "decode", "one_line", "read_bytes", "requirement_lines"]

# pip ends a line at each of these, other readers do not: a comment could hide a requirement.
_MOST_BYTES = 64 << 20
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line of a requirements file.

    Attributes:
        number: Where it starts, 1-based.
        requirement: What stands before the first option; empty on a line of options.
        options: `(name, value)` in order, such as `("--hash", "sha256:…")`.
    """

    number: int
    requirement: str
    options: tuple[tuple[str, str], ...]


def clip(text: str) -> str:
    """Text short enough for a message, with the user and password of its URLs taken out."""
    text = _CREDENTIALS.sub("//…@", text)
    return text if len(text) <= 100 else f"{text[:99]}…"


def one_line(text: str, most: int = 160) -> str:
    """A stranger's text, fit for a message: printable, on one line and not too long."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def read_bytes(path: Path) -> bytes:
    """The bytes of a requirements file.

    Raises:
        LockError: There is no such file, or it cannot be read.
    """
    try:
        return read_bounded(path, _MOST_BYTES)
    except FileNotFoundError:
        raise LockError(
            "there is no such file",
            path=path,
            advice="Name a requirements file, or compile one: gates lock compile",
        ) from None
    except OSError as error:
        raise LockError(f"it cannot be read: {error.strerror}", path=path) from error


def decode(content: bytes, path: Path) -> str:
    """The text of a requirements file.

    Raises:
        LockError: The bytes are not UTF-8 text, or hold control characters.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LockError(
            f"it is not UTF-8 text (byte {error.start})",
            path=path,
            line=line,
            advice="Compile it again; a lock is plain text.",
        ) from None
    if found := _CONTROL.search(text):
        line = text[: found.start()].count("\n") + 1
        raise LockError(
            f"it holds the control character {found.group()!r}",
            path=path,
            line=line,
            advice="Take it out: installers disagree about where such a line ends.",
        )
    return text


def requirement_lines(text: str, path: Path) -> Iterator[Line]:
    """Split a requirements file into its logical lines, without comments and blank lines.

    Follows pip's rules for continuations and comments, except where pip and others differ:
    those are errors.

    Args:
        text: The file's text, from `decode`.
        path: The file, for messages.

    Raises:
        LockError: The file ends inside a requirement, or a comment is continued.
    """
    started, pieces = 0, ""
    for number, physical in enumerate(text.splitlines(), start=1):
        comment = _COMMENT.search(physical)
        if physical.endswith("\\") and not (comment and comment.start() == 0):
            if comment:
                raise LockError(
                    "a comment ends in a backslash, which would swallow the next line",
                    path=path,
                    line=number,
                    advice="Take the backslash out, or move the comment to a line of its own.",
                )
            started = started or number
            pieces += physical[:-1]
            continue
        whole = pieces + _COMMENT.sub("", physical)
        if whole.strip():
            yield _line(started or number, whole)
        started, pieces = 0, ""
    if started:
        raise LockError(
            "the file ends inside this requirement",
            path=path,
            line=started,
            advice="The file was cut short: compile it again.",
        )


def _line(number: int, text: str) -> Line:
    tokens = text.split()
    split = next((i for i, token in enumerate(tokens) if token.startswith("-")), len(tokens))
    options: list[tuple[str, str]] = []
    for token in tokens[split:]:
        if token.startswith("--"):
            name, _, value = token.partition("=")
            options.append((name, value))
        elif token.startswith("-"):
            options.append((token[:2], token[2:]))
        else:
            name, value = options[-1]
            options[-1] = (name, f"{value} {token}".strip())
    return Line(number, " ".join(tokens[:split]), tuple(options))
