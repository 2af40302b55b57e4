"""The pictures of docs/statistics.md, drawn from the numbers the text speaks of.

python -m docsite.pictures     draws them anew
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import NormalDist

__all__ = ["FOLDER", "OLD_AND_NEW", "SPREAD", "every"]

FOLDER = Path(__file__).parents[1] / "docs" / "images"
SPREAD = 0.17
"""Standard deviation of one query's nDCG difference, in the examples."""
OLD_AND_NEW = (
    (0.92, 0.90),
    (0.31, 0.28),
    (0.75, 0.76),
    (0.12, 0.09),
    (0.58, 0.55),
    (0.97, 0.95),
    (0.44, 0.41),
    (0.66, 0.66),
)
"""nDCG of eight queries, champion and candidate."""

_MARGIN = -0.01
_WIDTH, _LEFT, _RIGHT, _ROW = 640, 150, 150, 34
_INK, _FAINT = "#333333", "#999999"
_COLOURS = {"PASS": "#2e7d32", "FAIL": "#c62828", "UNDECIDED": "#b26a00"}


def every() -> dict[str, str]:
    """Each picture's file name with its SVG."""
    return {
        "verdicts.svg": _verdicts(),
        "more-queries.svg": _more_queries(),
        "pairs.svg": _pairs(),
    }


def _verdicts() -> str:
    rows = [(-0.034, -0.016), (-0.024, 0.006), (-0.007, 0.013)]
    return _intervals([("180 queries", low, high) for low, high in rows], -0.04, 0.02)


def _more_queries() -> str:
    one_sided = NormalDist().inv_cdf(0.95)
    rows = []
    for n in (50, 200, 800, 2000):
        half = one_sided * SPREAD / n**0.5
        rows.append((f"{n:,} queries", -half, half))
    return _intervals(rows, -0.045, 0.045)


def _intervals(rows: Sequence[tuple[str, float, float]], low: float, high: float) -> str:
    height = _ROW * (len(rows) + 1) + 10

    def x(value: float) -> float:
        return round(_LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    margin = x(_MARGIN)
    parts = [
        _line(margin, 24, margin, height - 8, _INK, dashed=True),
        _text(margin, 16, f"margin {_minus(_MARGIN)}", anchor="middle"),
        _line(x(0), 24, x(0), height - 8, _FAINT),
        _text(x(0) + 4, height - 4, "0", colour=_FAINT),
    ]
    for at, (label, lower, upper) in enumerate(rows):
        y = 24 + _ROW * (at + 0.5)
        verdict = "PASS" if lower > _MARGIN else "FAIL" if upper < _MARGIN else "UNDECIDED"
        colour = _COLOURS[verdict]
        parts += [
            _text(_LEFT - 20, y + 4, label, anchor="end"),
            _line(x(lower), y, x(upper), y, colour, width=5),
            f'<circle cx="{x((lower + upper) / 2)}" cy="{y:g}" r="6" fill="{colour}"/>',
            _text(_WIDTH - _RIGHT + 20, y + 4, verdict, colour=colour),
        ]
    return _svg(height, parts)


def _pairs() -> str:
    height, top, scale, gap = 250, 30, 190, 70

    def y(value: float) -> float:
        return round(top + (1 - value) * scale, 1)

    parts = [_line(50, y(value), 620, y(value), "#dddddd") for value in (0, 0.5, 1)]
    parts += [_text(40, y(value) + 4, f"{value:g}", anchor="end") for value in (0, 0.5, 1)]
    for at, (old, new) in enumerate(OLD_AND_NEW):
        left = 70 + gap * at
        colour = _COLOURS["FAIL"] if new < old else _COLOURS["PASS"] if new > old else _FAINT
        parts += [
            _line(left, y(old), left + 24, y(new), colour, width=2),
            f'<circle cx="{left}" cy="{y(old)}" r="4" fill="{_FAINT}"/>',
            f'<circle cx="{left + 24}" cy="{y(new)}" r="4" fill="{colour}"/>',
            _text(left + 12, height - 8, _minus(round(new - old, 2)), anchor="middle"),
        ]
    parts.append(_text(40, 16, "nDCG of each query, champion to candidate"))
    return _svg(height, parts)


def _svg(height: float, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}" '
        f'width="{_WIDTH}" font-family="sans-serif" font-size="13">'
    )
    ground = f'<rect width="{_WIDTH}" height="{height:g}" fill="#ffffff"/>'
    return "\n".join([head, ground, *parts, "</svg>", ""])


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, *, width: int = 1, dashed: bool = False
) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{colour}" '
        f'stroke-width="{width}"{dashes}/>'
    )


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = _INK) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def _minus(value: float) -> str:
    return f"{value:g}".replace("-", "\u2212")


if __name__ == "__main__":
    for name, picture in every().items():
        (FOLDER / name).write_text(picture, encoding="utf-8")
