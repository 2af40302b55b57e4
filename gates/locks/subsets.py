"""Parts of an upgrade that can be installed: which changes go together, and the lock of a part.

All is told offline, from the metadata of the two full environments. A *part* is a set of changed
distributions that have their new state (their new version, or being there, or being gone) while
the rest keep the old one. It is *consistent* when every requirement of every distribution present
is met by what else is present, as it is in the two full environments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from gates.domain.lock_report import Distribution
from gates.locks.diff import diff_locks, pins_of
from gates.locks.lock import Lock, LockedRequirement
from gates.locks.mixed import mixed_lock
from gates.locks.requires import applies, requirements_of

__all__ = ["Upgrade"]


@dataclass(frozen=True)
class _Side:
    """One of the two full environments: what is pinned, and what it requires, by name."""

    pins: Mapping[str, LockedRequirement]
    requires: Mapping[str, tuple[Requirement, ...]]


class _Asked(NamedTuple):
    """A distribution, for one of its extras (empty: for itself), and who it takes to ask for it."""

    name: str
    extra: str
    askers: frozenset[str]


class Upgrade:
    """The changes between two locks, and which of them can be made without the others.

    Args:
        before: The distributions of the environment of `old`.
        after: Those of the environment of `new`.
        environment: PEP 508 markers of the Python both are for.

    Attributes:
        changes: Every change, by name.
        names: The names of all changes.
    """

    def __init__(
        self,
        old: Lock,
        new: Lock,
        before: Sequence[Distribution],
        after: Sequence[Distribution],
        environment: Mapping[str, str],
    ) -> None:
        self._locks = old, new
        self._environment = environment
        self._old = _Side(pins_of(old, environment), _requires(before))
        self._new = _Side(pins_of(new, environment), _requires(after))
        self._needed: dict[tuple[bool, str, str], tuple[Requirement, ...]] = {}
        self._closures: dict[frozenset[str], frozenset[str]] = {}
        self.changes = diff_locks(old, new, environment)
        self.names = frozenset(change.name for change in self.changes)

    def closure(self, part: Iterable[str]) -> frozenset[str]:
        """The smallest consistent part that holds a part.

        A change whose distribution needs the new state of another takes that along; so does one
        that the old state of another forbids. Where only the whole is consistent, it is the whole.
        With extras there may be several such parts, none the smallest; then it is one of them.

        Args:
            part: Names of changes.
        """
        given = closed = frozenset(part) & self.names
        if given not in self._closures:
            while missing := next(self._missing(closed), None):
                closed |= missing
            self._closures[given] = closed
        return self._closures[given]

    def interior(self, part: Iterable[str]) -> frozenset[str]:
        """The largest consistent part inside a part: the changes it can make by itself.

        Args:
            part: Names of changes.
        """
        given = frozenset(part) & self.names
        closures = (self.closure({name}) for name in given)
        inside = frozenset[str]().union(*(one for one in closures if one <= given))
        return inside if self.closure(inside) == inside else frozenset()

    def roots(self, part: Iterable[str]) -> tuple[str, ...]:
        """The changes of a consistent part that pull in the rest of it, by name.

        Args:
            part: Names of changes.
        """
        whole = frozenset(part)
        chosen = sorted(whole)
        for name in sorted(whole):
            fewer = [one for one in chosen if one != name]
            if self.closure(fewer) == whole:
                chosen = fewer
        return tuple(chosen)

    def lock_text(self, part: Iterable[str]) -> str:
        """The lock of a part: lines of both locks, word for word, so that hashes are still asked.

        Args:
            part: Names of the changes to make.

        Raises:
            LockError: A lock has changed since it was read.
        """
        made = frozenset(part)
        from_old = [pin for name, pin in self._old.pins.items() if name not in made]
        from_new = [pin for name, pin in self._new.pins.items() if name in made]
        old, new = self._locks
        return mixed_lock(old, from_old, new, from_new)

    def _missing(self, part: frozenset[str]) -> Iterator[frozenset[str]]:
        """For each requirement that a part breaks, the further changes that mend it."""
        for askers in self._broken(part):
            changed = askers & self.names
            # Broken among old or among new states alone, it is broken in a full environment too:
            # whoever locked that wants it so.
            if changed & part and changed - part:
                yield changed - part

    def _broken(self, part: frozenset[str]) -> Iterator[frozenset[str]]:
        """For each requirement that is not met: who asks, and who should have met it."""
        names = sorted(self._old.pins.keys() | self._new.pins.keys())
        sides = {name: self._new if name in part else self._old for name in names}
        present = {name: pin for name in names if (pin := sides[name].pins.get(name)) is not None}
        waiting = [
            _Asked(name, extra, frozenset({name}))
            for name, pin in present.items()
            for extra in ("", *pin.extras)
        ]
        seen = set(waiting)
        for asked in waiting:
            for needed in self._needs(sides[asked.name], asked):
                name = str(canonicalize_name(needed.name))
                askers = asked.askers | {name}
                if name not in present or not _meets(present[name].version, needed):
                    yield askers
                    continue
                extras = sorted(str(canonicalize_name(extra)) for extra in needed.extras)
                more = [one for extra in extras if (one := _Asked(name, extra, askers)) not in seen]
                seen |= set(more)
                waiting += more

    def _needs(self, side: _Side, asked: _Asked) -> tuple[Requirement, ...]:
        """What a distribution requires for itself, or on top of that for one of its extras."""
        key = (side is self._new, asked.name, asked.extra)
        if key not in self._needed:
            lines = side.requires.get(asked.name, ())
            bare = [one for one in lines if applies(one, "", self._environment)]
            extra = [
                one
                for one in lines
                if one not in bare and applies(one, asked.extra, self._environment)
            ]
            self._needed[key] = tuple(extra if asked.extra else bare)
        return self._needed[key]


def _requires(distributions: Sequence[Distribution]) -> dict[str, tuple[Requirement, ...]]:
    return {one.name: tuple(requirements_of(one)) for one in distributions}


def _meets(version: str, requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
