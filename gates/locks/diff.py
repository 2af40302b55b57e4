"""What changed between two locks, distribution by distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from packaging.markers import default_environment
from packaging.version import Version

from gates.domain.lock_report import Distribution, LockChange
from gates.locks.chains import (
    asked_by_comments,
    chains_of,
    needs_by_comments,
    needs_by_metadata,
)
from gates.locks.inputs import AskedRequirement
from gates.locks.lock import Lock, LockedRequirement
from gates.locks.markers import holds

__all__ = ["NONE_STATED", "LockContext", "diff_locks", "pins_of"]

NONE_STATED = "none stated"
"""Stands for the licence of a distribution that names none."""


@dataclass(frozen=True, slots=True)
class LockContext:
    """What is known of a lock beside its own lines.

    Attributes:
        asked: What a person asked for, from `read_inputs`; None leaves it to the lock's `# via`.
        installed: What an environment built from the lock holds, from which licences and chains
            are read; None leaves licences unknown and chains to `# via`.
    """

    asked: Sequence[AskedRequirement] | None = None
    installed: Sequence[Distribution] | None = None


_NOTHING = LockContext()


def pins_of(lock: Lock, environment: Mapping[str, str] | None) -> dict[str, LockedRequirement]:
    """Name → the pin that holds on one Python; the last where there are several.

    Args:
        environment: PEP 508 markers of that Python, from `target_environment`; None for this one.
    """
    return {
        pin.name: pin
        for pin in lock.requirements
        if holds(pin.marker, environment, path=lock.path, line=pin.line)
    }


def diff_locks(
    old: Lock,
    new: Lock,
    environment: Mapping[str, str] | None = None,
    *,
    of_old: LockContext = _NOTHING,
    of_new: LockContext = _NOTHING,
) -> tuple[LockChange, ...]:
    """Every distribution that is not the same in both locks, by name.

    Args:
        environment: PEP 508 markers of the Python both are for; None for this one.
        of_old: What else is known of the old lock.
        of_new: What else is known of the new lock.

    Raises:
        LockError: A marker has no answer.
    """
    before, after = _Side(old, of_old, environment), _Side(new, of_new, environment)
    changes = []
    for name in sorted(before.pins.keys() | after.pins.keys()):
        licences = before.licences.get(name, ""), after.licences.get(name, "")
        change = _change(name, before.pins.get(name), after.pins.get(name), licences)
        if change is not None:
            why = after if change.new else before
            changes.append(
                replace(
                    change,
                    direct=name in before.direct or name in after.direct,
                    chain=why.chains.get(name, ()) or before.chains.get(name, ()),
                    old_licence=licences[0],
                    new_licence=licences[1],
                )
            )
    return tuple(changes)


class _Side:
    """One lock with what is known of it."""

    def __init__(
        self, lock: Lock, known: LockContext, environment: Mapping[str, str] | None
    ) -> None:
        self.pins = pins_of(lock, environment)
        asked = [
            one
            for one in known.asked or ()
            if not one.constraint and holds(one.marker, environment, path=one.path, line=one.line)
        ]
        by_name = known.asked is not None
        self.direct = (
            frozenset(one.name for one in asked)
            if by_name
            else asked_by_comments(self.pins.values())
        )
        if known.installed is None:
            needs = needs_by_comments(self.pins.values())
        else:
            markers = environment or {k: str(v) for k, v in default_environment().items()}
            needs = needs_by_metadata(known.installed, asked, markers)
        self.chains = chains_of(self.direct, needs)
        self.licences = {
            one.name: one.licence or NONE_STATED
            for one in known.installed or ()
            if one.name in self.pins
        }


def _change(
    name: str,
    old: LockedRequirement | None,
    new: LockedRequirement | None,
    licences: tuple[str, str],
) -> LockChange | None:
    if old is None or new is None:
        kind: Literal["added", "removed"] = "added" if old is None else "removed"
        return LockChange(name, old.version if old else "", new.version if new else "", kind)
    before, after = Version(old.version), Version(new.version)
    if before != after:
        level = _level(before, after)
        moved: Literal["upgraded", "downgraded"] = "upgraded" if after > before else "downgraded"
        return LockChange(name, old.version, new.version, moved, level)
    if set(old.hashes) != set(new.hashes):
        return LockChange(name, old.version, new.version, _files(old.hashes, new.hashes))
    if all(licences) and licences[0] != licences[1]:
        return LockChange(name, old.version, new.version, "licence")
    return None


def _files(old: Sequence[str], new: Sequence[str]) -> Literal["files", "hashes"]:
    # A file that is hashed twice, by different algorithms, looks like two: that says nothing.
    algorithms = {one.partition(":")[0] for one in old} & {one.partition(":")[0] for one in new}
    return "files" if algorithms and not set(old) & set(new) else "hashes"


def _level(old: Version, new: Version) -> Literal["major", "minor", "patch", "other"]:
    if old.epoch != new.epoch or old.release == new.release:
        return "other"
    if old.major != new.major:
        return "major"
    return "minor" if old.minor != new.minor else "patch"
