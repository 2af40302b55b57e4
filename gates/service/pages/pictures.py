"""Trends as SVG, each with what it says in words; without style attributes, which we forbid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from gates.report.text import count, number
from gates.service.store.values import Job

__all__ = ["Point", "sparkline", "trend", "trend_points"]

_WIDTH, _HEIGHT = 720.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 14.0, 14.0, 30.0


@dataclass(frozen=True, slots=True)
class Point:
    """A metric of one version.

    Attributes:
        version: The version's number.
        job_id: The gate that measured it.
        champion: What it was compared with; empty for nothing.
        when: When the gate came to its end.
        value: The metric's value.
        low: The lower end of its interval; None when it is open or the value is exact.
        high: The upper end.
        n: How many queries it rests on; None when that is not known.
        verdict: The verdict on the version.
    """

    version: str
    job_id: str
    champion: str
    when: datetime | None
    value: float
    low: float | None
    high: float | None
    n: int | None
    verdict: str


def trend_points(jobs: Sequence[Job]) -> tuple[str, tuple[Point, ...]]:
    """The main metric of the newest of some jobs, and its value in all that measured it.

    Args:
        jobs: Jobs that are done, oldest first.

    Returns:
        The metric's name, empty when none was measured, and its points, oldest first.
    """
    name = next((str(m[0].get("name", "")) for one in reversed(jobs) if (m := _metrics(one))), "")
    points = []
    for job in jobs:
        found = next((one for one in _metrics(job) if one.get("name") == name), None)
        value = _finite(found.get("value")) if found else None
        if found is None or value is None:
            continue
        n = found.get("n")
        points.append(
            Point(
                job.version,
                job.id,
                job.champion,
                job.finished_at,
                value,
                _finite(found.get("low")),
                _finite(found.get("high")),
                n if isinstance(n, int) else None,
                job.verdict,
            )
        )
    return name, tuple(points)


def sparkline(name: str, points: Sequence[Point]) -> Markup:
    """A small line of a metric over versions, with zero; empty for fewer than two points."""
    if len(points) < 2:
        return Markup("")
    low, high = _range([one.value for one in points])
    xs = [4 + 112 * place / (len(points) - 1) for place in range(len(points))]
    ys = [4 + 20 * (high - one.value) / (high - low) for one in points]
    zero = 4 + 20 * high / (high - low)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    words = (
        f"{name} over {count(len(points), 'version')}: from {number(points[0].value)} "
        f"(version {points[0].version}) to {number(points[-1].value)} (version "
        f"{points[-1].version})"
    )
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 120 28" width="120" '
        'height="28"><line class="zero" x1="0" x2="120" y1="{z}" y2="{z}"/>'
        '<polyline points="{}"/><circle class="{}" cx="{}" cy="{}" r="3"/></svg>'
    ).format(
        words, line, points[-1].verdict.lower(), f"{xs[-1]:.1f}", f"{ys[-1]:.1f}", z=f"{zero:.1f}"
    )


def trend(name: str, points: Sequence[Point]) -> Markup:
    """A plot of a metric over versions: axis, intervals, and a sign for each verdict."""
    ends = [one for p in points for one in (p.low, p.high, p.value) if one is not None]
    low, high = _range(ends)
    plot_w, plot_h = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(place: int) -> float:
        return _LEFT + plot_w * (place + 0.5) / len(points)

    def y(value: float) -> float:
        return _TOP + plot_h * (high - value) / (high - low)

    parts = [
        Markup('<svg class="trend" role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}">').format(
            f"{name} by version; the table below has the numbers", _WIDTH, _HEIGHT
        )
    ]
    for tick in _ticks(low, high):
        css = "zero" if tick == 0 else "grid"
        parts.append(
            Markup(
                '<line class="{}" x1="{:.0f}" x2="{:.0f}" y1="{h:.1f}" y2="{h:.1f}"/>'
                '<text class="tick" x="{:.0f}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(
                css,
                _LEFT,
                _WIDTH - _RIGHT,
                _LEFT - 8,
                y(tick) + 4,
                number(round(tick, 10)),
                h=y(tick),
            )
        )
    every = math.ceil(len(points) / 15)
    line = " ".join(f"{x(i):.1f},{y(p.value):.1f}" for i, p in enumerate(points))
    parts.append(Markup('<polyline points="{}"/>').format(line))
    for place, point in enumerate(points):
        parts.append(_mark(point, x(place), y))
        if (len(points) - 1 - place) % every == 0:
            parts.append(
                Markup(
                    '<text class="tick" x="{:.1f}" y="{:.0f}" text-anchor="middle">{}</text>'
                ).format(x(place), _HEIGHT - 10, f"v{point.version}")
            )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _mark(point: Point, x: float, y: Any) -> Markup:  # noqa: ANN401 - a function of numbers
    at, css = y(point.value), point.verdict.lower()
    parts = []
    if point.low is not None or point.high is not None:
        top = y(point.high) if point.high is not None else _TOP
        bottom = y(point.low) if point.low is not None else _HEIGHT - _BOTTOM
        parts.append(
            Markup(
                '<line class="range" x1="{x:.1f}" x2="{x:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
            ).format(top, bottom, x=x)
        )
    if point.verdict == "PASS":
        parts.append(Markup('<circle cx="{:.1f}" cy="{:.1f}" r="5"/>').format(x, at))
    elif point.verdict == "FAIL":
        path = f"M{x - 5:.1f} {at - 5:.1f}l10 10m0 -10l-10 10"
        parts.append(Markup('<path class="cross" d="{}"/>').format(path))
    else:
        path = f"M{x:.1f} {at - 6:.1f}l6 6l-6 6l-6 -6z"
        parts.append(Markup('<path d="{}"/>').format(path))
    words = f"version {point.version}: {number(point.value)}, {point.verdict}"
    return Markup('<g class="{}"><title>{}</title>{}</g>').format(
        css, words, Markup("").join(parts)
    )


def _metrics(job: Job) -> list[Mapping[str, Any]]:
    found = job.summary.get("metrics", [])
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _range(values: Sequence[float]) -> tuple[float, float]:
    """What an axis spans: the values, and zero, where no difference is."""
    low, high = min(0.0, *values), max(0.0, *values)
    if low == high:
        return -1.0, 1.0
    edge = 0.06 * (high - low)
    return (low - edge if low < 0 else low), (high + edge if high > 0 else high)


def _ticks(low: float, high: float) -> list[float]:
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next(one for one in (1, 2, 5, 10) if (high - low) / (step * one) <= 5)
    return [step * one for one in range(math.ceil(low / step), math.floor(high / step) + 1)]
