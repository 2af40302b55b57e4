"""Pins that nothing needs: reached by no path from what a person asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gates.domain.lock_report import Distribution, LockProblem
from gates.locks.finding import NO_PIN, LockFinding, counted
from gates.locks.inputs import AskedRequirement
from gates.locks.lock import LockedRequirement

__all__ = ["unneeded"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_Node = tuple[str, str]  # a distribution, and one of its extras or ""


def unneeded(
    asked: Iterable[AskedRequirement],
    pins: Iterable[LockedRequirement],
    installed: Sequence[Distribution],
    environment: Mapping[str, str] | None,
) -> LockFinding:
    """Find the pins that nothing asks for, directly or through what it asks for.

    Follows each distribution's own requirements, with their markers, and with the extras by which
    it was reached: `a[b]` brings what `a` asks for where `extra == "b"`.

    Args:
        asked: What a person asked for, as far as it holds on the lock's Python.
        pins: What the lock pins for that Python.
        installed: What an environment built from the lock holds.
        environment: PEP 508 markers of that Python; None for this one.

    Returns:
        Kind `unneeded`, one thing looked at a pin. Absent when a pin that is needed is not
        installed, since what it asks for is not known then.
    """
    held = {one.name: one for one in installed}
    locked = {pin.name: pin for pin in pins}
    reached = _reached(asked, held, environment)
    if unknown := sorted(name for name in reached if name in locked and name not in held):
        pin = locked[unknown[0]]
        reason = f"{pin.name} {pin.version} is not installed, so what it asks for is not known"
        return LockFinding("unneeded", absent=reason)
    problems = tuple(
        LockProblem(
            "unneeded", name, f"{name} {pin.version} is pinned, but nothing asks for it", pin.line
        )
        for name, pin in locked.items()
        if name not in reached
    )
    return counted("unneeded", len(locked), problems, nothing=NO_PIN)


def _reached(
    asked: Iterable[AskedRequirement],
    held: Mapping[str, Distribution],
    environment: Mapping[str, str] | None,
) -> set[str]:
    base = {name: str(value) for name, value in (environment or default_environment()).items()}
    waiting: list[_Node] = [
        (one.name, extra) for one in asked if not one.constraint for extra in ("", *one.extras)
    ]
    seen: set[_Node] = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        name, extra = node
        if name in held:
            waiting.extend(_asked_by(held[name], extra, base))
    return {name for name, _ in seen}


def _asked_by(one: Distribution, extra: str, base: Mapping[str, str]) -> Iterator[_Node]:
    for text in one.requires:
        try:
            parsed = Requirement(text)
            holds = parsed.marker is None or parsed.marker.evaluate({**base, "extra": extra})
        except (ValueError, KeyError, RecursionError):  # metadata of another age
            if name := _NAME.match(text):
                yield str(canonicalize_name(name.group())), ""
            continue
        if holds:
            name_asked = str(canonicalize_name(parsed.name))
            yield name_asked, ""
            for wanted in parsed.extras:
                yield name_asked, str(canonicalize_name(wanted))
