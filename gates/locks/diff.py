"""What changed between two locks, distribution by distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from packaging.version import InvalidVersion, Version

from gates.dependencies import LockChange
from gates.locks.lock import Lock, LockedRequirement
from gates.locks.markers import holds

__all__ = ["diff_locks", "pins_of"]


def pins_of(lock: Lock, environment: Mapping[str, str] | None) -> dict[str, LockedRequirement]:
    """Name → the pin that holds on one Python; the last where there are several.

    Args:
        lock: The lock.
        environment: PEP 508 markers of that Python, from `target_environment`; None for this one.
    """
    return {
        pin.name: pin
        for pin in lock.requirements
        if holds(pin.marker, environment, path=lock.path, line=pin.line)
    }


def diff_locks(
    old: Lock, new: Lock, environment: Mapping[str, str] | None = None
) -> tuple[LockChange, ...]:
    """Every distribution that is not the same in both locks, by name.

    Args:
        old: The lock before.
        new: The lock after.
        environment: PEP 508 markers of the Python both are for; None for this one.
    """
    before, after = pins_of(old, environment), pins_of(new, environment)
    changes = []
    for name in sorted(before.keys() | after.keys()):
        change = _change(name, before.get(name), after.get(name))
        if change is not None:
            changes.append(change)
    return tuple(changes)


def _change(
    name: str, old: LockedRequirement | None, new: LockedRequirement | None
) -> LockChange | None:
    if old is None or new is None:
        kind: Literal["added", "removed"] = "added" if old is None else "removed"
        return LockChange(name, old.version if old else "", new.version if new else "", kind)
    if old.version != new.version:
        up = Version(new.version) > Version(old.version)
        level = _level(old.version, new.version)
        return LockChange(name, old.version, new.version, "upgraded" if up else "downgraded", level)
    if set(old.hashes) == set(new.hashes):
        return None
    shared = set(old.hashes) & set(new.hashes)
    return LockChange(name, old.version, new.version, "hashes" if shared else "files")


def _level(old: str, new: str) -> Literal["major", "minor", "patch", "other"]:
    try:
        before, after = Version(old), Version(new)
    except InvalidVersion:
        return "other"
    if before.epoch != after.epoch or before.release == after.release:
        return "other"
    parts: Sequence[Literal["major", "minor", "patch"]] = ("major", "minor", "patch")
    for part in parts[:2]:
        if getattr(before, part) != getattr(after, part):
            return part
    return "patch"
