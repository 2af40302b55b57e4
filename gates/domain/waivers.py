"""Waivers: what somebody excuses for a while. It still runs, and shows what it would have been."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Waiver"]


@dataclass(frozen=True, slots=True)
class Waiver:
    """An excuse that a card gives one thing.

    Attributes:
        covers: What: a check, a bound, a slice, or a bound and one query.
        reason: Why.
        who: Who answers for it.
        expires: The last day on which it holds, ISO 8601, in UTC.
        query: The golden query whose items are excused; empty where the whole bound is.
    """

    covers: str
    reason: str
    who: str
    expires: str
    query: str = ""
