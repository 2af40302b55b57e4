"""Known advisories and releases taken back: a lock's pins against records of the OSV format.

OSV has no field for a release that its authors took back ("yanked", PEP 592). The convention here:
a record, or its entry for a package, with `"database_specific": {"yanked": true}` is about yanked
releases and is no advisory; its summary is the reason. `false` says that the source knows of yanked
releases and these are none. A source in which no record speaks of it cannot tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gates.domain.lock_report import LockProblem
from gates.errors import LockError
from gates.locks._advisory_source import records, source_name
from gates.locks._fetch import file_of, is_url
from gates.locks._osv import Affected, Record
from gates.locks.finding import NO_PIN, LockFinding, counted
from gates.locks.lock import LockedRequirement

__all__ = ["Advisories", "audit", "not_audited", "read_advisories"]

_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True)
class Advisories:
    """What a source knows of PyPI's packages.

    Attributes:
        source: Where it is from, without credentials.
        newest: When the newest of its records was changed.
        records: How many records it has about PyPI, withdrawn ones too.
        by_package: Canonical name → what stands against it: record and entry.
        groups: Name of a record → the names of the same thing, sorted, itself among them.
        tells_yanked: Whether it knows of releases that were taken back.
    """

    source: str
    newest: datetime
    records: int
    by_package: Mapping[str, Sequence[tuple[Record, Affected]]]
    groups: Mapping[str, tuple[str, ...]]
    tells_yanked: bool


def read_advisories(source: str, *, max_age_days: int | None, now: datetime) -> Advisories:
    """Read a source of advisories whole, or not at all.

    Args:
        source: Records of the OSV format: a file with one, a list or `{"vulns": […]}`, a zip of
            such files, a folder of these, or an http(s) URL of any but a folder.
        max_age_days: How old its newest record about PyPI may be; None for any age.
        now: The time now, with its time zone.

    Raises:
        LockError: It cannot be reached, holds something that is no record or nothing about PyPI,
            or is too old.
    """
    file = file_of(source) if is_url(source) else source_name(source)
    newest_of: dict[str, Record] = {}
    for record in records(source):
        known = newest_of.get(record.id)
        if record.affected and (known is None or record.modified > known.modified):
            newest_of[record.id] = record  # of two of one name the later one counts
    if not newest_of:
        raise LockError(
            "it holds no record about PyPI",
            path=file,
            advice="Name a source with records of the ecosystem PyPI.",
        )
    newest = max(record.modified for record in newest_of.values())
    _refuse_stale(newest, max_age_days, now, file)
    standing = [record for record in newest_of.values() if not record.withdrawn]
    by_package: defaultdict[str, list[tuple[Record, Affected]]] = defaultdict(list)
    for record in sorted(standing, key=lambda one: one.id):
        for affected in record.affected:
            by_package[affected.name].append((record, affected))
    tells = any(one.yanked is not None for entries in by_package.values() for _, one in entries)
    return Advisories(
        source_name(source), newest, len(newest_of), by_package, _groups(standing), tells
    )


def audit(
    pins: Iterable[LockedRequirement], advisories: Advisories
) -> tuple[LockFinding, LockFinding]:
    """Look a lock's pins up in a source of advisories.

    Args:
        pins: What the lock pins for its Python.
        advisories: What `read_advisories` gave.

    Returns:
        Kinds `advisories` and `yanked`, one thing looked at a pin. The first has a problem for
        each thing known against a pin, however many databases list it. Absent when a record
        about a pin names no versions and nothing else is known against any, or (`yanked`) when
        the source does not speak of it.
    """
    pinned = list(pins)
    known, yanked, unclear = list[LockProblem](), list[LockProblem](), ""
    for pin in pinned:
        entries = advisories.by_package.get(pin.name, ())
        hits = [(record, one) for record, one in entries if one.includes(pin.version)]
        yanked += [_taken_back(pin, record) for record, one in hits if one.yanked]
        against = [(record, one) for record, one in hits if one.yanked is None]
        known += _merged(pin, against, advisories.groups)
        for record, one in entries:
            if not one.can_tell:
                unclear = f"{record.id} is about {pin.name} and names no versions to compare with"
    count = len(pinned)
    first = (
        LockFinding("advisories", absent=unclear)
        if unclear and not known
        else counted("advisories", count, known, nothing=NO_PIN)
    )
    if advisories.tells_yanked:
        return first, counted("yanked", count, yanked, nothing=NO_PIN)
    reason = f"{advisories.source} does not tell which releases were taken back"
    return first, LockFinding("yanked", absent=reason)


def not_audited(reason: str) -> tuple[LockFinding, LockFinding]:
    """What a lock that could not be audited gets instead: it is not clean.

    Args:
        reason: Why, in words.
    """
    return LockFinding("advisories", absent=reason), LockFinding("yanked", absent=reason)


def _refuse_stale(newest: datetime, max_age_days: int | None, now: datetime, file: str) -> None:
    if newest > now + _CLOCKS_DIFFER:
        raise LockError(
            f"its newest record was changed on {newest:%Y-%m-%d}, which is yet to come, so its "
            "age cannot be told",
            path=file,
            advice="Get it anew; if that does not help, check the clock.",
        )
    age = (now - newest).days
    if max_age_days is not None and age > max_age_days:
        raise LockError(
            f"its newest record is {age} days old ({newest:%Y-%m-%d}), and at most {max_age_days} "
            "days are allowed",
            path=file,
            advice="Get it anew: what became known since is not in it.",
        )


def _groups(standing: Sequence[Record]) -> dict[str, tuple[str, ...]]:
    """Names of the same thing; aliases are symmetric and transitive, as the schema has it."""
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for record in standing:
        for alias in record.aliases:
            neighbours[record.id].add(alias)
            neighbours[alias].add(record.id)
    groups: dict[str, tuple[str, ...]] = {}
    for record in standing:
        if record.id in groups:
            continue
        group, waiting = {record.id}, [record.id]
        while waiting:
            new = neighbours[waiting.pop()] - group
            group |= new
            waiting.extend(new)
        groups |= dict.fromkeys(group, tuple(sorted(group)))
    return groups


def _merged(
    pin: LockedRequirement,
    against: Sequence[tuple[Record, Affected]],
    groups: Mapping[str, tuple[str, ...]],
) -> Iterator[LockProblem]:
    merged: defaultdict[tuple[str, ...], list[tuple[Record, Affected]]] = defaultdict(list)
    for record, one in against:
        merged[groups[record.id]].append((record, one))
    for names, found in merged.items():
        first = found[0][0].id
        others = ", ".join(name for name in names if name != first)
        severity = next((one.severity for _, one in found if one.severity), "")
        summary = next((record.summary for record, _ in found if record.summary), "")
        fixes = dict.fromkeys(fix for _, one in found for fix in one.fixes)
        message = f"{pin.name} {pin.version} has the advisory {first}"
        message += f" ({others})" if others else ""
        message += f", severity {severity}" if severity else ""
        message += f": {summary}" if summary else ""
        message += f"; fixed in {', '.join(fixes)}" if fixes else ""
        yield LockProblem("advisories", pin.name, message, pin.line)


def _taken_back(pin: LockedRequirement, record: Record) -> LockProblem:
    why = f": {record.summary}" if record.summary else ""
    message = f"{pin.name} {pin.version} was taken back by its authors ({record.id}){why}"
    return LockProblem("yanked", pin.name, message, pin.line)
