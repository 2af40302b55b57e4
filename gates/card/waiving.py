"""Waivers of a card: each of one thing that it asks, for a while, leaving something required."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gates.card.policy import BoundPolicy, CheckPolicy, Policy, WaiverPolicy
from gates.domain.judging import Bound
from gates.domain.subject import GoldenSet
from gates.domain.waivers import Waiver
from gates.errors import CardError
from gates.system.strict_yaml import Lines, nearest

__all__ = ["check_waivers", "in_force", "waived_queries", "with_waivers"]

_LONGEST = timedelta(days=90)

Limits = Mapping[str, Mapping[str, BoundPolicy]]


def check_waivers(
    policy: Policy,
    limits: Limits,
    by_query: Callable[[str, str], bool],
    path: Path,
    lines: Lines,
) -> None:
    """See that each waiver is of something that the card asks, and that not all is waived.

    Args:
        limits: check → metric → what is demanded of it.
        by_query: Whether a check's metric counts items of single queries.
        path: The card.

    Raises:
        CardError: With the line, and the nearest name.
    """
    seen = set[str]()
    for at, one in enumerate(policy.waivers):
        fault, key, advice = _fault(one, policy, limits, by_query)
        if one.covers in seen:
            fault, key, advice = f"'{one.covers}' is waived twice", "check", "keep one of them"
        if fault:
            raise CardError(fault, path=path, line=lines.of("waivers", at, key), advice=advice)
        seen.add(one.covers)
    if policy.waivers and not any(_required(policy, limits, seen)):
        raise CardError(
            "the waivers leave nothing required",
            path=path,
            line=lines.of("waivers"),
            advice="a gate that asks nothing would pass anything: waive single bounds, or queries",
        )


def _fault(
    one: WaiverPolicy, policy: Policy, limits: Limits, by_query: Callable[[str, str], bool]
) -> tuple[str, str, str]:
    """What is wrong with a waiver, at which of its keys, and what to do; empty for nothing."""
    if one.check not in limits:
        return f"the card asks no check '{one.check}' to waive", "check", nearest(one.check, limits)
    metrics = limits[one.check]
    if one.bound is None:
        return "", "", ""
    if one.bound not in metrics:
        fault = f"check '{one.check}' has no bound '{one.bound}' to waive"
        return fault, "bound", nearest(one.bound, metrics)
    if metrics[one.bound].advisory or (policy.checks[one.check] or CheckPolicy()).advisory:
        fault = f"'{one.check}::{one.bound}' is advisory: it blocks nothing"
        return fault, "bound", "take the waiver out"
    slices = metrics[one.bound].slices
    if one.slice and not {one.slice, one.slice.partition("=")[0]} & set(slices):
        fault = f"the card demands nothing of '{one.check}::{one.bound}' for '{one.slice}'"
        return fault, "slice", nearest(one.slice, slices)
    if one.query and not by_query(one.check, one.bound):
        fault = f"'{one.check}::{one.bound}' counts no items of single queries"
        return fault, "query", "a query cannot be left out of a mean: waive the bound or a slice"
    return "", "", ""


def _required(policy: Policy, limits: Limits, waived: AbstractSet[str]) -> Iterable[bool]:
    for check, metrics in limits.items():
        entry = policy.checks[check] or CheckPolicy()
        for metric, limit in metrics.items():
            advisory = entry.advisory or limit.advisory
            yield not advisory and not {check, f"{check}::{metric}"} & waived


def in_force(
    waivers: Sequence[WaiverPolicy], path: Path, lines: Lines, today: date | None
) -> Mapping[WaiverPolicy, Waiver]:
    """Waivers as values, all of which hold.

    Args:
        path: The card.
        today: The day, in UTC; today when None.

    Raises:
        CardError: One expired, or would hold for longer than waivers may.
    """
    today = today or datetime.now(UTC).date()
    for at, one in enumerate(waivers):
        fault = advice = ""
        if one.expires < today:
            fault = f"the waiver of '{one.covers}' expired on {one.expires}"
            advice = "take it out, and see whether the bound holds; or have its owner renew it"
        elif one.expires > today + _LONGEST:
            fault = f"the waiver of '{one.covers}' would hold until {one.expires}"
            last = today + _LONGEST
            advice = f"none may for longer than {_LONGEST.days} days: {last} at the latest"
        if fault:
            line = lines.of("waivers", at, "expires")
            raise CardError(fault, path=path, line=line, advice=advice)
    return {
        one: Waiver(one.covers, one.reason, one.who, one.expires.isoformat(), one.query or "")
        for one in waivers
    }


def with_waivers(
    bounds: Sequence[Bound],
    waivers: Mapping[WaiverPolicy, Waiver],
    golden: GoldenSet,
    path: Path,
    lines: Lines,
) -> tuple[Bound, ...]:
    """Bounds with what is excused of each.

    Args:
        bounds: All of the card, slices spelled out.
        waivers: Those that hold.
        golden: The golden set whose slices and queries are meant.
        path: The card.

    Raises:
        CardError: The golden set has no such slice value or query.
    """
    slices, queries = {one.slice for one in bounds}, set(golden.query_id)
    for at, one in enumerate(waivers):
        for key, named, known in (("slice", one.slice, slices), ("query", one.query, queries)):
            if named and named not in known:
                raise CardError(
                    f"the waiver of '{one.covers}': the golden set has no {key} '{named}'",
                    path=path,
                    line=lines.of("waivers", at, key),
                    advice=nearest(named, sorted(known - {""})[:200]),
                )
    return tuple(
        replace(bound, waivers=tuple(made for one, made in waivers.items() if _covers(one, bound)))
        for bound in bounds
    )


def _covers(waiver: WaiverPolicy, bound: Bound) -> bool:
    if waiver.bound is None:
        return waiver.check == bound.check
    named = (waiver.check, waiver.bound, waiver.slice or "")
    return named == (bound.check, bound.metric, bound.slice)


def waived_queries(waivers: Iterable[WaiverPolicy], check: str) -> Mapping[str, AbstractSet[str]]:
    """The queries that waivers name for a check, by metric."""
    found: dict[str, set[str]] = {}
    for one in waivers:
        if one.check == check and one.bound and one.query:
            found.setdefault(one.bound, set()).add(one.query)
    return found
