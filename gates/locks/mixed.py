"""A lock made of lines of two locks, word for word: as pinned and as hashed as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from gates.errors import LockError
from gates.locks._lines import decode, read_bytes, requirement_lines
from gates.locks.lock import Lock, LockedRequirement

__all__ = ["mixed_lock"]


def mixed_lock(
    old: Lock,
    from_old: Sequence[LockedRequirement],
    new: Lock,
    from_new: Sequence[LockedRequirement],
) -> str:
    """A lock of some pins of one lock and some of another.

    Args:
        from_old: The pins to take from it.
        new: The other lock; its lines for the installer come before those of the first.
        from_new: The pins to take from it.

    Returns:
        The text: the lines for the installer, then the pins by name.

    Raises:
        LockError: A lock cannot be read any more, or has changed since it was.
    """
    text_old, text_new = _Text(old), _Text(new)
    pins = [(pin.name, text_old.block(pin.line)) for pin in from_old]
    pins += [(pin.name, text_new.block(pin.line)) for pin in from_new]
    options = dict.fromkeys([*text_new.options, *text_old.options])
    return "".join(f"{block}\n" for block in [*options, *(block for _, block in sorted(pins))])


class _Text:
    """The lines of a lock as they were when it was read."""

    def __init__(self, lock: Lock) -> None:
        content = read_bytes(lock.path)
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != lock.digest:
            raise LockError(
                "it was changed while it was being worked with",
                path=lock.path,
                advice="Run again once it stays as it is.",
            )
        text = decode(content, lock.path)
        self._lines = text.splitlines()
        self.options = [
            self.block(line.number)
            for line in requirement_lines(text, lock.path)
            if not line.requirement
        ]

    def block(self, number: int) -> str:
        """What stands from a line (1-based) on, with the lines that continue it."""
        end = number
        while self._continues(self._lines[end - 1]):
            end += 1
        return "\n".join(self._lines[number - 1 : end])

    @staticmethod
    def _continues(line: str) -> bool:
        return line.endswith("\\") and not line.lstrip().startswith("#")
