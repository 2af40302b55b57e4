"""Sizes and spans of time as people write them: `20GB`, `30d`."""

from __future__ import annotations

import re
from datetime import timedelta

__all__ = ["as_bytes", "as_span", "shown_bytes"]

_BYTES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_LONGEST_DAYS = 36_500


def as_bytes(text: str) -> int | None:
    """The bytes of a size such as `500MB`, `20 GB` or `1.5GiB`; None when it is none."""
    value, unit = _split(text)
    units = {name.lower(): factor for name, factor in _BYTES.items()}
    factor = units.get(unit.lower())
    return None if value is None or factor is None else round(value * factor)


def as_span(text: str) -> timedelta | None:
    """The span of a time such as `90s`, `5m`, `12h`, `30d` or `4w`; None when it is none."""
    value, unit = _split(text)
    seconds = _SECONDS.get(unit.lower())
    if value is None or seconds is None or value * seconds > _LONGEST_DAYS * 86_400:
        return None
    return timedelta(seconds=value * seconds)


def shown_bytes(count: int) -> str:
    """A size in the largest decimal unit that leaves a whole number before the point."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if round(size) < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if unit in {"GB", "TB"} else f"{size:.0f} {unit}"


def _split(text: str) -> tuple[float | None, str]:
    found = re.fullmatch(r"\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([A-Za-z]+)\s*", text)
    return (float(found[1]), found[2]) if found else (None, "")
