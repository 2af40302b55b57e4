"""Changes of a lock in words: in which order, under which headings, and summed up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from gates.domain.lock_report import LockChange

__all__ = ["GROUPS", "as_rows", "grouped", "licence_words", "relicensed", "summary"]

GROUPS = (
    "files swapped",
    "major",
    "minor",
    "patch",
    "other",
    "added",
    "removed",
    "files",
    "licence",
)
"""The headings, in order; `files` are those of a version that has some more or fewer."""

_GROUP_OF_KIND = {"files": "files swapped", "hashes": "files"}
_FILLERS = frozenset(
    {"license", "licence", "the", "software", "approved", "osi", "version", "only"}
)
_DETAILS = frozenset({"clause"})
_NAMED = 3


def grouped(changes: Iterable[LockChange]) -> dict[str, tuple[LockChange, ...]]:
    """Changes by heading, in the order in which they are read; empty headings are left out.

    Under a heading come first those that requirements.in asks for by name, then by name.
    """
    ordered = sorted(changes, key=lambda one: (not one.direct, one.name))
    groups = {name: tuple(one for one in ordered if _group(one) == name) for name in GROUPS}
    return {name: members for name, members in groups.items() if members}


def _group(change: LockChange) -> str:
    return change.level or _GROUP_OF_KIND.get(change.kind, change.kind)


def relicensed(change: LockChange) -> Literal["", "reworded", "changed"]:
    """Whether a change brings another licence, as far as both are known.

    `reworded` is the same licence in other words, such as `MIT License` and `MIT`. Where that is
    not plain it is `changed`.
    """
    old, new = change.old_licence, change.new_licence
    if not old or not new or old == new:
        return ""
    before, after = _words(old), _words(new)
    more = before ^ after
    nested = before <= after or after <= before
    plain = all(word.isdigit() or word in _DETAILS for word in more)
    return "reworded" if before and after and nested and plain else "changed"


def _words(licence: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+|\d+", licence.lower())) - _FILLERS


def licence_words(change: LockChange) -> str:
    """The licence of a change, such as `MIT → GPL-3.0`; empty when nothing is to be said of it."""
    how = relicensed(change)
    if how:
        same = " (the same in other words)" if how == "reworded" else ""
        return f"{change.old_licence} → {change.new_licence}{same}"
    return change.new_licence if change.kind == "added" else ""


def as_rows(changes: Iterable[LockChange]) -> tuple[list[str], list[list[str]]]:
    """Changes as a table: its columns, and a row each in the order in which they are read."""
    columns = ["change", "distribution", "old", "new", "asked for by", "licence"]
    rows = []
    for name, members in grouped(changes).items():
        for one in members:
            what = f"{name}, downgraded" if one.kind == "downgraded" else name
            why = "requirements.in" if one.direct else " → ".join(one.chain[:-1])
            rows.append([what, one.name, one.old, one.new, why, licence_words(one)])
    return columns, rows


def summary(changes: Sequence[LockChange]) -> str:
    """All changes in one line, such as `2 changes: 1 major (numpy 1.26.4 → 2.0.1), …`."""
    groups = grouped(changes)
    swapped = groups.pop("files swapped", ())
    downgraded = [one for one in changes if one.kind == "downgraded"]
    licences = [one for one in changes if relicensed(one) == "changed"]
    parts = [_counted(groups.get("major", ()), "major")]
    parts += [f"{len(groups.get(name, ()))} {name}" for name in ("minor", "patch")]
    parts += [
        "1 other move" if n == 1 else f"{n} other moves"
        for n in [len(groups.get("other", ()))]
        if n
    ]
    parts += [f"{len(groups.get(name, ()))} {name}" for name in ("added", "removed")]
    if more := groups.get("files"):
        parts.append(f"{len(more)} with files more or fewer")
    total = f"{len(changes)} {'change' if len(changes) == 1 else 'changes'}"
    said = [f"{total}: {', '.join(parts)}" if changes else "no changes"]
    if downgraded:
        said.append(_counted(downgraded, "downgraded"))
    if licences:
        shown = ", ".join(f"{one.name} {licence_words(one)}" for one in licences[:_NAMED])
        more_of_them = ", …" if len(licences) > _NAMED else ""
        said.append(f"{len(licences)} of another licence ({shown}{more_of_them})")
    said.append(_counted(swapped, "FILES SWAPPED") if swapped else "no files swapped")
    return "; ".join(said)


def _counted(members: Sequence[LockChange], what: str) -> str:
    if not members:
        return f"0 {what}"
    shown = ", ".join(one.moved for one in members[:_NAMED])
    return f"{len(members)} {what} ({shown}{', …' if len(members) > _NAMED else ''})"
