"""Pictures as inline SVG: an interval against its bound, and every query's difference.

Coordinates are percentages, so that a picture fills whatever room a page has; words stay outside,
in HTML, where they keep their size. Colours come from the style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gates.domain.exhibits import ReliabilityBin
from gates.domain.judging import Bound, Measurement, Outcome
from gates.report.differences import ShownDifference
from gates.report.text import amount, demand, number

__all__ = [
    "Scale",
    "axis",
    "bar",
    "difference_picture",
    "interval_picture",
    "reliability",
    "scale_of",
]

_COLUMNS = 600  # more bars than a page has pixels for would only make the file larger


@dataclass(frozen=True, slots=True)
class Scale:
    """The stretch of numbers that a picture shows."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value lies, in percent of the width, held inside the picture."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)


def scale_of(pairs: Iterable[tuple[Measurement | None, Bound | None]]) -> Scale:
    """A scale that shows all these measurements and bounds, and zero where it is near."""
    shown: list[float] = []
    for measurement, bound in pairs:
        if measurement:
            ends = (measurement.value, measurement.lower, measurement.upper)
            shown += [end for end in ends if end is not None and math.isfinite(end)]
        if bound:
            shown += [end for end in (bound.minimum, bound.maximum) if end is not None]
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    span = high - low
    if low > 0 and low <= span:
        low = 0.0
    elif high < 0 and -high <= span:
        high = 0.0
    margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return Scale(low - margin, high + margin)


def interval_picture(
    measurement: Measurement | None, bound: Bound | None, outcome: Outcome | None, scale: Scale
) -> Markup:
    """One measurement: its interval, its value, the zero line, and what is acceptable, tinted.

    An exact value has no picture: it and its bound are two numbers that stand side by side.
    """
    if measurement is None or measurement.value is None:
        return Markup("")
    if measurement.lower is None and measurement.upper is None:
        return Markup("")
    parts = []
    if bound and (bound.minimum is not None or bound.maximum is not None):
        left = 0.0 if bound.minimum is None else scale.at(bound.minimum)
        right = 100.0 if bound.maximum is None else scale.at(bound.maximum)
        width = round(right - left, 2)
        parts.append(f'<rect class="ok" x="{left}%" width="{width}%" height="24"/>')
        parts += [
            f'<line class="limit" x1="{edge}%" x2="{edge}%" y2="24"/>'
            for edge, limit in ((left, bound.minimum), (right, bound.maximum))
            if limit is not None
        ]
    if scale.low < 0 < scale.high:
        zero = scale.at(0)
        parts.append(f'<line class="zero" x1="{zero}%" x2="{zero}%" y2="24"/>')
    value = scale.at(measurement.value)
    lower = 0.0 if measurement.lower is None else scale.at(measurement.lower)
    upper = 100.0 if measurement.upper is None else scale.at(measurement.upper)
    parts.append(f'<line class="range" x1="{lower}%" x2="{upper}%" y1="12" y2="12"/>')
    parts += [
        f'<line class="range" x1="{end}%" x2="{end}%" y1="8" y2="16"/>'
        for end, known in ((lower, measurement.lower), (upper, measurement.upper))
        if known is not None and math.isfinite(known)
    ]
    parts.append(f'<circle cx="{value}%" cy="12" r="4"/>')
    words = amount(measurement) + (f", demanded {demand(bound)}" if bound else "")
    tone = (outcome or "plain").lower()
    return Markup('<svg class="plot {}" role="img"><title>{}</title>{}</svg>').format(
        tone, words, _ours(parts)
    )


def axis(scale: Scale) -> Markup:
    """The numbers under a column of interval pictures: both ends of the scale, and zero."""
    ticks = [scale.low + 0.05 * (scale.high - scale.low), scale.high]
    ticks[1] -= 0.05 * (scale.high - scale.low)
    shown = [float(f"{tick:.2g}") for tick in ticks]
    # A zero that would run into its neighbour says nothing the neighbour does not.
    if 25 < scale.at(0) < 75:
        shown.append(0.0)
    return Markup("").join(
        Markup('<span style="left:{}%">{}</span>').format(scale.at(tick), number(tick))
        for tick in sorted(shown)
    )


def bar(value: float, longest: float) -> Markup:
    """A bar as long as its share of the longest one."""
    width = round(100 * value / longest, 1) if longest else 0
    return Markup(
        '<svg class="bar" aria-hidden="true"><rect width="{}%" height="10" rx="2"/></svg>'
    ).format(max(width, 0.3))


def difference_picture(shown: ShownDifference) -> Markup:
    """All queries from the greatest loss to the greatest gain, a bar each."""
    difference, deltas = shown.difference, shown.deltas
    if not deltas:
        return Markup("")
    step = max(1.0, len(deltas) / _COLUMNS)
    columns = min(len(deltas), _COLUMNS)
    # The last one is always drawn, so that the greatest gain shows as the greatest loss does.
    drawn = [deltas[int(i * step)] for i in range(columns - 1)] + [deltas[-1]]
    top, bottom = (
        max(0.05, deltas[-1]) * 1.05,
        min(-0.05, deltas[0], difference.severe) * 1.05,
    )

    def y(value: float) -> float:
        return round(100 * (top - value) / (top - bottom), 1)

    paths = {"severe": "", "loss": "", "win": ""}
    for i, delta in enumerate(drawn):
        if delta:
            kind = "win" if delta > 0 else "severe" if delta <= difference.severe else "loss"
            paths[kind] += f"M{i} {y(0)}h.82V{y(delta)}h-.82z"
    bars = _ours(f'<path class="{kind}" d="{path}"/>' for kind, path in paths.items() if path)
    lines = _ours(
        f'<line class="{kind}" x2="100%" y1="{y(at)}%" y2="{y(at)}%"/>'
        for kind, at in (("zero", 0.0), ("threshold", difference.severe))
    )
    labels = _ours(
        f'<span style="top:{y(at)}%">{number(at)}</span>'
        for at in _spread((deltas[-1], 0.0, difference.severe, deltas[0]), gap=(top - bottom) / 14)
    )
    found = shown.counts
    words = (
        f"{found.queries - found.undefined:,} queries sorted by their difference in "
        f"{difference.metric}, from {number(deltas[0])} to {number(deltas[-1])}: "
        f"{found.losses:,} worse, {found.ties:,} the same, {found.wins:,} better"
    )
    return Markup(
        '<div class="differences"><div class="labels" aria-hidden="true">{}</div>'
        '<svg role="img"><title>{}</title><svg viewBox="0 0 {} 100" preserveAspectRatio="none" '
        'width="100%" height="100%">{}</svg>{}</svg></div>'
    ).format(labels, words, columns, bars, lines)


def reliability(bins: Sequence[ReliabilityBin]) -> Markup:
    """A reliability diagram (Niculescu-Mizil and Caruana, ICML 2005): said against true.

    Args:
        bins: Of answers of like scores, everything in [0, 1].
    """
    drawn = []
    for said, right, share in bins:
        x, y = round(100 * said, 2), round(100 - 100 * right, 2)
        kind = "loss" if right < said else "win"
        radius = round(1.2 + 5 * math.sqrt(share), 2)
        drawn.append(f'<path class="{kind}" d="M{x} {round(100 - x, 2)}V{y}"/>')
        drawn.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="{radius}"/>')
    up, across = (
        _ours(f'<span style="{side}:{at}%">{at} %</span>' for at in (0, 50, 100))
        for side in ("bottom", "left")
    )
    words = "; ".join(
        f"score {number(said)}, right {number(right)}, {number(share)} of traffic"
        for said, right, share in bins
    )
    return Markup(
        '<figure class="reliability"><div><div class="right" aria-hidden="true">{}</div>'
        '<svg role="img" viewBox="0 0 100 100"><title>{}</title>'
        '<path class="even" d="M0 100L100 0"/>{}</svg>'
        '<div class="scored" aria-hidden="true">{}</div></div>'
        "<figcaption>Across: what the candidate's scores say, the mean of each bin. Up: how often "
        "its labels are right. On the line both are the same; below it, it is too sure. The larger "
        "a dot, the more traffic.</figcaption></figure>"
    ).format(up, words, _ours(drawn), across)


def _spread(values: Iterable[float], *, gap: float) -> list[float]:
    """Those values that are at least `gap` from every value kept before them; zero always is."""
    kept = [0.0]
    for value in values:
        if all(abs(value - other) >= gap for other in kept):
            kept.append(value)
    return kept


def _ours(parts: Iterable[str]) -> Markup:
    """Markup made of our own tags and numbers; text from evidence never passes here."""
    return Markup("".join(parts))  # noqa: S704 - see above
