"""One record of the Open Source Vulnerability format, and whether it affects a version.

Follows the OSV schema 1.x (https://ossf.github.io/osv-schema/), its evaluation algorithm above all.
Versions are ordered as PEP 440 has it; an event's version of an age before PEP 440 sorts before all
others, and local labels (`+cpu`) are left out of comparisons, since no advisory names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from gates.locks._lines import one_line

__all__ = ["Affected", "Record", "read_record"]

_Event = tuple[str, str]  # introduced, fixed, last_affected or limit; and its version
_EVENTS = ("introduced", "fixed", "last_affected", "limit")
_Key = tuple[int, Version]
_FIRST: _Key = (0, Version("0"))


@dataclass(frozen=True, slots=True)
class Affected:
    """The versions of one PyPI package that a record is about.

    Attributes:
        name: The package's canonical name.
        versions: Versions it names one by one.
        ranges: Ranges, each a list of events.
        severity: How bad it is for this package, as the record has it.
        yanked: True when the record says that these releases were taken back, False when it says
            that they were not, None when it does not speak of it.
    """

    name: str
    versions: frozenset[str]
    ranges: tuple[tuple[_Event, ...], ...]
    severity: str
    yanked: bool | None

    @property
    def can_tell(self) -> bool:
        """Whether it names versions at all."""
        return bool(self.versions or self.ranges)

    @property
    def fixes(self) -> tuple[str, ...]:
        """The versions that fixed it, in the record's order."""
        return tuple(v for events in self.ranges for kind, v in events if kind == "fixed")

    def includes(self, version: str) -> bool:
        """Whether it is about a version (PEP 440)."""
        key = _key(version)
        return any(_key(one) == key for one in self.versions) or any(
            _in_range(key, events) for events in self.ranges
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as far as it is about PyPI.

    Attributes:
        id: Its name, such as `GHSA-…`, `PYSEC-…` or `CVE-…`.
        modified: When it was last changed.
        withdrawn: True when it no longer stands.
        aliases: Names of the same thing in other databases.
        summary: What it is, in a line; may be empty.
        affected: The PyPI packages it is about.
    """

    id: str
    modified: datetime
    withdrawn: bool = False
    aliases: tuple[str, ...] = ()
    summary: str = ""
    affected: tuple[Affected, ...] = field(default=())


def read_record(raw: object) -> Record:
    """Read a record from its JSON.

    Raises:
        ValueError: It is no record of the schema's major version 1.
    """
    record = _mapping(raw, "a record")
    name = _text(record.get("id"), "id")
    schema = _text(record.get("schema_version", "1.0.0"), f"schema_version of {name}")
    if schema.partition(".")[0] != "1":
        raise ValueError(f"{name} is of schema version {one_line(schema)}, and only 1 is known")
    try:
        return Record(
            id=one_line(name),
            modified=_time(record.get("modified"), "modified"),
            withdrawn=record.get("withdrawn") is not None,
            aliases=tuple(one_line(_text(one, "an alias")) for one in _list(record, "aliases")),
            summary=one_line(_text(record.get("summary") or "", "summary")),
            affected=tuple(
                _affected(_mapping(one, "affected"), record)
                for one in _list(record, "affected")
                if _is_pypi(_mapping(one, "affected"))
            ),
        )
    except ValueError as error:
        raise ValueError(f"{one_line(name)}: {error}") from None


def _is_pypi(affected: Mapping[str, Any]) -> bool:
    package = affected.get("package")
    return isinstance(package, Mapping) and package.get("ecosystem") == "PyPI"


def _affected(raw: Mapping[str, Any], record: Mapping[str, Any]) -> Affected:
    versions = [_text(one, "a version") for one in _list(raw, "versions")]
    return Affected(
        name=str(canonicalize_name(_text(raw["package"].get("name"), "package.name"))),
        versions=frozenset(versions),
        ranges=tuple(
            tuple(_event(one) for one in _list(found, "events"))
            for found in (_mapping(one, "a range") for one in _list(raw, "ranges"))
            if found.get("type") in ("ECOSYSTEM", "SEMVER")
        ),
        severity=_severity(raw) or _severity(record),
        yanked=_first(_yanked(raw), _yanked(record)),
    )


def _event(raw: object) -> _Event:
    event = _mapping(raw, "an event")
    found = [(kind, _text(event[kind], kind)) for kind in _EVENTS if kind in event]
    if len(found) != 1:
        raise ValueError("an event must be one of introduced, fixed, last_affected and limit")
    return found[0]


def _severity(raw: Mapping[str, Any]) -> str:
    specific = raw.get("database_specific")
    word = specific.get("severity") if isinstance(specific, Mapping) else None
    scores = [one for one in _list(raw, "severity") if isinstance(one, Mapping)]
    score = str(scores[-1].get("score", "")) if scores else ""
    return one_line(", ".join(filter(None, [word if isinstance(word, str) else "", score])))


def _yanked(raw: Mapping[str, Any]) -> bool | None:
    specific = raw.get("database_specific")
    said = specific.get("yanked") if isinstance(specific, Mapping) else None
    return said if isinstance(said, bool) else None


def _first(one: bool | None, other: bool | None) -> bool | None:
    return other if one is None else one


def _in_range(version: _Key, events: Sequence[_Event]) -> bool:
    limits = [limit for kind, limit in events if kind == "limit"]
    if limits and not any("*" in limit or version < _key(limit) for limit in limits):
        return False
    vulnerable = False
    for kind, text in sorted(events, key=lambda event: _event_key(*event)):
        at = _event_key(kind, text)
        if kind == "introduced" and version >= at:
            vulnerable = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            vulnerable = False
    return vulnerable


def _event_key(kind: str, text: str) -> _Key:
    # "0" is before any version, also before 0.dev0; limits play no part in the order.
    return _FIRST if (kind == "introduced" and text == "0") or kind == "limit" else _key(text)


def _key(text: str) -> _Key:
    try:
        return 1, Version(Version(text).public)
    except InvalidVersion:
        return _FIRST


def _mapping(raw: object, what: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{what} must be an object")
    return raw


def _list(raw: Mapping[str, Any], key: str) -> Sequence[object]:
    value = raw.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"{key} must be a list")
    return value


def _text(raw: object, what: str) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"{what} must be text")
    return raw


def _time(raw: object, what: str) -> datetime:
    found = datetime.fromisoformat(_text(raw, what))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
