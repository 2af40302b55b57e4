"""Numbers, sentences and untrusted text as every report writes them."""

from __future__ import annotations

import math
import re

from gates.domain.judging import Bound, EnvironmentFacts, Measurement

__all__ = [
    "amount",
    "clean",
    "clip",
    "count",
    "demand",
    "duration",
    "installation",
    "interval",
    "number",
    "roughly",
    "signed",
    "with_signs",
]

# What XML 1.0 can hold, without the C1 controls and without the marks that reverse text:
# a query may not drive a terminal, end an XML file early or make a number read backwards.
_UNSAFE = re.compile(
    "[^\t\n\r\u0020-\u007e\u00a0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_HYPHEN_MINUS = re.compile(r"(?<![\w.@:/=-])-(?=[\d∞])")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def clean(text: str) -> str:
    """Text that is safe to show anywhere: control and direction marks become `�`."""
    return _UNSAFE.sub("�", text)


def clip(text: str, limit: int = 300) -> str:
    """Text of at most `limit` characters, ending in `…` when something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def number(value: float | None) -> str:
    """A number in four significant digits with a proper minus; `?` when there is none."""
    if value is None:
        return "?"
    if float(value).is_integer() and abs(value) < 1e15:
        text = f"{value:,.0f}"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.4g}"
    else:
        text = f"{value:.4g}"
    mantissa, exponential, exponent = text.partition("e")
    if exponential:
        text = f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    return "0" if text == "-0" else text.replace("-", "−")


def roughly(value: float) -> str:
    """An estimate in two significant digits; more would pretend to know it better."""
    return number(float(f"{value:.2g}"))


def installation(facts: EnvironmentFacts) -> str:
    """What an environment was installed from: wheels, and what was built from source, by name."""
    if not facts.installer:  # what earlier versions wrote does not tell
        return ""
    built = [f"{one.name} {one.version}" for one in facts.distributions if one.source]
    wheels = len(facts.distributions) - len(built)
    sources = f"; built from source: {', '.join(built)}" if built else ""
    return f"{count(wheels, 'wheel')} by {facts.installer}{sources}"


def signed(value: float | None) -> str:
    """A difference: as `number`, with `+` before a gain."""
    return f"+{number(value)}" if value is not None and value > 0 else number(value)


def interval(measurement: Measurement) -> str:
    """The interval as `[a, b]`, open ends as ∞; empty when the value is exact."""
    lower, upper = measurement.lower, measurement.upper
    if lower is None and upper is None:
        return ""
    left = "(−∞" if lower is None or math.isinf(lower) else f"[{number(lower)}"
    right = "∞)" if upper is None or math.isinf(upper) else f"{number(upper)}]"
    return f"{left}, {right}"


def amount(measurement: Measurement | None) -> str:
    """The value with its interval, such as `−0.0312 [−0.0581, −0.0043]`."""
    if measurement is None:
        return "?"
    return f"{number(measurement.value)} {interval(measurement)}".rstrip()


def demand(bound: Bound) -> str:
    """What is demanded, such as `≥ −0.01`."""
    parts = []
    if bound.minimum is not None:
        parts.append(f"≥ {number(bound.minimum)}")
    if bound.maximum is not None:
        parts.append(f"≤ {number(bound.maximum)}")
    return " and ".join(parts)


def with_signs(sentence: str) -> str:
    """A sentence whose negative numbers have a proper minus; names keep their hyphens."""
    return _HYPHEN_MINUS.sub("−", sentence)


def duration(seconds: float) -> str:
    """A time in the unit people read it in: `12 ms`, `3.4 s`, `2 min 5 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def count(n: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 query`, `1,204 queries`."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
