"""Other spellings of the same query: letter case, white space, Unicode forms, hyphens, units.

None of them changes a digit, and a model that evens them out first cannot tell them apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from gates.checks.behaviour.edits import Span, TextEdit, words
from gates.checks.behaviour.wordings import is_binding

__all__ = ["case", "hyphens", "unicode_forms", "units", "whitespace"]

_WIDE = {letter: letter + 0xFEE0 for letter in (*range(0x41, 0x5B), *range(0x61, 0x7B))}
_LOOKALIKES = {"ffi": "ﬃ", "ffl": "ﬄ", "ff": "ﬀ", "fi": "ﬁ", "fl": "ﬂ", "'": "’", '"': "”"}
_UNITS = (
    ("in", "inch", "inches", '"'),
    ("ft", "foot", "feet", "'"),
    ("mm", "millimetre", "millimeter"),
    ("cm", "centimetre", "centimeter"),
    ("ml", "millilitre", "milliliter"),
    ("l", "litre", "liter"),
    ("kg", "kilogram"),
    ("lb", "lbs", "pound"),
    ("oz", "ounce"),
    ("w", "watt"),
    ("v", "volt"),
    ("gb", "gigabyte"),
    ("tb", "terabyte"),
)
_OTHERS = {name: group for group in _UNITS for name in group}
_NAMES = "|".join(sorted(map(re.escape, _OTHERS), key=len, reverse=True))
_MEASURE = re.compile(rf"(?<![\w.,/])(\d+(?:\.\d+)?)([ -]?)({_NAMES})(?!\S)", re.IGNORECASE)
_PLAIN_HYPHEN = re.compile(r"(?<!\S)([^\W\d_]+)-([^\W\d_]+)(?!\S)")


def case(text: str) -> list[tuple[TextEdit, ...]]:
    """The query in capitals, in small letters, with capitals in front, and the other way round."""
    ways: list[Callable[[str], str]] = [str.lower, str.capitalize, str.upper, str.swapcase]
    return [
        tuple(
            TextEdit(start, end, way(text[start:end]))
            for start, end in words(text)
            if way(text[start:end]).lower() == text[start:end].lower()
            and way(text[start:end]) != text[start:end]
        )
        for way in ways
    ]


def whitespace(text: str) -> list[tuple[TextEdit, ...]]:
    """The query with white space before, behind, and more of it between words."""
    spans = words(text)
    if not spans:
        return []
    first, last = spans[0][0], spans[-1][1]
    before, behind = TextEdit(first, first, " "), TextEdit(last, last, " ")
    found: list[tuple[TextEdit, ...]] = [(before,), (behind,), (before, behind)]
    for gap in ("  ", "\t"):
        between = _gaps(spans, gap)
        found += [between, (before, *between, behind)]
    return found


def unicode_forms(text: str) -> list[tuple[TextEdit, ...]]:
    """The query in decomposed and composed form, full width, with ligatures, and without breaks.

    All but curly quotation marks are equal to it in Unicode's compatibility form (NFKC). Digits
    stay as they are.
    """
    spans = words(text)
    lookalikes = re.compile("|".join(map(re.escape, _LOOKALIKES)))
    return [
        _each(text, spans, lambda word: unicodedata.normalize("NFD", word)),
        _each(text, spans, lambda word: unicodedata.normalize("NFC", word)),
        _each(text, spans, lambda word: word.translate(_WIDE)),
        tuple(
            TextEdit(*found.span(), _LOOKALIKES[found[0]]) for found in lookalikes.finditer(text)
        ),
        _gaps(spans, "\u00a0"),
    ]


def hyphens(text: str) -> list[tuple[TextEdit, ...]]:
    """Compounds with a hyphen, apart, or as one word: `t-shirt`, `t shirt`, `tshirt`.

    Two words of letters get a hyphen; they are run together only where one is a single letter.
    Words with digits are left alone, and so are English prepositions and stop words.
    """
    found: list[tuple[TextEdit, ...]] = []
    for match in _PLAIN_HYPHEN.finditer(text):
        found += [(TextEdit(*match.span(), match[1] + gap + match[2]),) for gap in (" ", "")]
    for (start, end), (after, last) in pairwise(words(text)):
        pair = text[start:end], text[after:last]
        if all(word.isalpha() and (len(word) == 1 or not is_binding(word)) for word in pair):
            single = min(map(len, pair)) == 1
            found += [(TextEdit(end, after, gap),) for gap in (("-", "") if single else ("-",))]
    return found


def units(text: str) -> list[tuple[TextEdit, ...]]:
    """One measure with its unit written otherwise: `15in`, `15 in`, `15 inch`, `15-inch`, `15"`.

    The number stays. `in` after a space is a unit only at the query's end: not in `2 in 1`.
    """
    found: list[tuple[TextEdit, ...]] = []
    for match in _MEASURE.finditer(text):
        number, gap, unit = match[1], match[2], match[3].lower()
        if unit == "in" and gap == " " and text[match.end() :].strip():
            continue
        for name in _OTHERS[unit]:
            joins = ("",) if not name.isalpha() else ("", " ", "-")
            found += [(TextEdit(*match.span(), number + join + name),) for join in joins]
    return [(edit,) for (edit,) in found if edit.new != text[edit.start : edit.end]]


def _gaps(spans: Sequence[Span], new: str) -> tuple[TextEdit, ...]:
    return tuple(TextEdit(end, start, new) for (_, end), (start, _) in pairwise(spans))


def _each(text: str, spans: Iterable[Span], way: Callable[[str], str]) -> tuple[TextEdit, ...]:
    edits = (TextEdit(start, end, way(text[start:end])) for start, end in spans)
    return tuple(edit for edit in edits if edit.new != text[edit.start : edit.end])
