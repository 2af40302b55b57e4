"""The same quantity, written otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from gates.strategies.variants import Edit

__all__ = ["other_units"]

_KINDS: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "0.001": ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
        "0.01": ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
        "1": ("m", "metre", "metres", "meter", "meters"),
    },
    {
        "0.001": ("ml", "millilitre", "millilitres", "milliliter", "milliliters"),
        "1": ("l", "litre", "litres", "liter", "liters"),
    },
    {
        "0.001": ("g", "gram", "grams", "gramme", "grammes"),
        "1": ("kg", "kilogram", "kilograms", "kilo", "kilos"),
    },
    {"1": ("w", "watt", "watts"), "1000": ("kw", "kilowatt", "kilowatts")},
    {"1": ("in", "inch", "inches"), "12": ("ft", "foot", "feet")},
    {"1": ("oz", "ounce", "ounces"), "16": ("lb", "pound", "pounds", "lbs")},
)
"""Kinds of quantity: size in the kind's own measure → names, the short one first."""

_SIZES = {
    name: (kind, Decimal(size)) for kind in _KINDS for size, names in kind.items() for name in names
}
# `4 in 1` is no length, and the 2 of `x2m` is no quantity of its own.
_QUANTITY = re.compile(
    rf"(?<![\w.,])(\d+(?:\.\d+)?)( ?)({'|'.join(sorted(_SIZES, key=len, reverse=True))})"
    r"(?![\w.]|\s+\d)",
    re.IGNORECASE,
)


def other_units(text: str) -> Iterator[Edit[str]]:
    """The query's quantities in other words: spacing first, then names, then other units."""
    seen = {text}
    edits = [(found, *one) for found in _QUANTITY.finditer(text) for one in _written(found)]
    for found, _, quantity in sorted(edits, key=lambda edit: edit[1]):
        after = text[: found.start()] + quantity + text[found.end() :]
        if after not in seen:
            seen.add(after)
            yield Edit(after, f"'{found[0]}' written '{quantity}'")


def _written(found: re.Match[str]) -> Iterator[tuple[int, str]]:
    """(How far it is from what stands there, the quantity in other words)."""
    number, gap, unit = found.groups()
    kind, size = _SIZES[unit.lower()]
    yield 0, f"{number}{'' if gap else ' '}{unit}"
    for other, names in kind.items():
        if Decimal(other) == size:
            for name in names:
                yield 1, f"{number}{gap if name == names[0] else ' '}{name}"
            continue
        amount = Decimal(number) * size / Decimal(other)
        if amount == round(amount, 3):  # nobody types `0.00667 ft`
            yield 2, f"{_plain(amount)}{gap}{names[0]}"


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
