"""Changes of a query that mean another product: negation, size, model number and brand.

Each is a pure function from a query to the sets of edits it knows, as those of invariances are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gates.checks.behaviour.edits import Span, TextEdit, words
from gates.checks.behaviour.wordings import phrase

__all__ = ["brand", "model_number", "negation", "size"]

_OPPOSITE = {"without": "with", "w/o": "w/", "excluding": "including", "no": "with"}
_NOT = re.compile(r"not\s+|non[\s-]+", re.IGNORECASE)
_UNIT = (
    r"in|inch|inches|ft|foot|feet|yd|yds|yard|yards|m|mm|cm|km|(?:milli|centi)?met(?:er|re)s?|"
    r"ml|cl|l|(?:milli)?lit(?:er|re)s?|gal|gallons?|quarts?|g|mg|kg|(?:kilo)?grams?|lbs?|pounds?|"
    r"oz|ounces?|w|watts?|v|volts?|mah|gb|tb|(?:giga|tera)bytes?"
)
_DIGITS = r"\d{1,6}(?:\.\d{1,3})?"
_NUMBER = re.compile(_DIGITS)
_MEASURE = re.compile(rf"(?<![\w.,/])({_DIGITS})(?:\"|'|[ -]?({_UNIT})(?![\w/]))", re.IGNORECASE)
_ACROSS = re.compile(rf"(?<![\w.,/]){_DIGITS}(?:\s?x\s?{_DIGITS})+(?![\w.,/])", re.IGNORECASE)
_NAMED = re.compile(rf"\bsize\s+({_DIGITS}|[sml])(?![\w/.])", re.IGNORECASE)
_LETTERS = {"xs": "xl", "xl": "xs", "xxl": "xs", "2xl": "xs", "3xl": "xs", "4xl": "xs"}
_LETTERS |= {"s": "l", "m": "l", "l": "s"}
_WORDS = {"small": "large", "medium": "large", "large": "small"}
_BEDS = {"twin": "queen", "single": "double", "double": "single", "full": "king"}
_BEDS |= {"queen": "twin", "king": "twin"}
_PLAIN = re.compile(
    rf"(?<![\w'’-])(?:[234]?xl|xs|xxl|{'|'.join(_WORDS)})(?![\w'’-])", re.IGNORECASE
)
_BED = re.compile(
    rf"(?<![\w'’-])({'|'.join(_BEDS)})(?=[ -](?:sized?|beds?|mattress|sheets?|duvet|comforter|"
    r"quilt|headboard|bedding)(?!\w))",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)", re.IGNORECASE)


def negation(text: str) -> list[tuple[TextEdit, ...]]:
    """The query with one negation (English) turned round or left out: `without lid`, `with lid`.

    `no` before a number is none: it is short for one.
    """
    found: list[tuple[TextEdit, ...]] = []
    for at, (start, end) in enumerate(spans := words(text)):
        word = text[start:end].lower()
        following = text[slice(*spans[at + 1])] if at + 1 < len(spans) else ""
        if word in _OPPOSITE and following and not (word == "no" and following[0].isdigit()):
            found.append((TextEdit(start, end, _OPPOSITE[word]),))
        elif (less := _NOT.match(text, start)) and less.end() < len(text):
            found.append((TextEdit(start, less.end(), ""),))
    return found


def size(text: str) -> list[tuple[TextEdit, ...]]:
    """The query with one size changed: twice and half the number, or another size by name.

    A number is a size with a unit (`15in`), with another across (`8x10`) and after `size`; `in`
    after a space is a unit only at the query's end: not in `2 in 1`. Sizes by name are `xs` to
    `4xl`, small to large, and those of beds before `bed`, `size` and the like (English).
    """
    return [(edit,) for edit in sorted({edit for _, edit in _sizes(text)})]


def model_number(text: str) -> list[tuple[TextEdit, ...]]:
    """The query with one digit changed in a model number.

    That is a word that mixes letters and digits, or holds three digits or more. Sizes and ordinals
    are none. It is a digit that changes, not a letter, which might be read as a slip of the hand.
    """
    sizes = [span for span, _ in _sizes(text)]
    found: list[tuple[TextEdit, ...]] = []
    for start, end in words(text):
        word = text[start:end]
        digits = [at for at in range(start, end) if text[at] in "0123456789"]
        mixed = bool(digits) and any(letter.isalpha() for letter in word)
        if not mixed and len(digits) < 3:
            continue
        if _ORDINAL.fullmatch(word) or any(start < last and first < end for first, last in sizes):
            continue
        found += [(TextEdit(at, at + 1, str((int(text[at]) + 1) % 10)),) for at in digits]
    return found


def brand(text: str, own: str, other: str) -> tuple[TextEdit, ...]:
    """The query with its brand replaced wherever it stands; empty where it does not.

    Args:
        own: The brand, found as whole words in any letter case; blank for none.
        other: What to put there.
    """
    if not own.strip():
        return ()
    return tuple(TextEdit(*found.span(), other) for found in phrase(own).finditer(text))


def _sizes(text: str) -> Iterator[tuple[Span, TextEdit]]:
    """Every size: where all of it stands, and an edit that makes it another."""
    for found in _MEASURE.finditer(text):
        spaced = found[2] is not None and found[0].lower().endswith(" in")
        if not (spaced and text[found.end() :].strip()):
            yield from ((found.span(), edit) for edit in _scaled(text, found.span(1)))
    for found in _ACROSS.finditer(text):
        for one in _NUMBER.finditer(found[0]):
            place = found.start() + one.start(), found.start() + one.end()
            yield from ((found.span(), edit) for edit in _scaled(text, place))
    for found in _NAMED.finditer(text):
        if found[1][0].isdigit():
            yield from ((found.span(), edit) for edit in _scaled(text, found.span(1)))
        elif other := _LETTERS.get(found[1].lower()):
            yield found.span(), TextEdit(*found.span(1), other)
    for pattern, others in ((_PLAIN, _LETTERS | _WORDS), (_BED, _BEDS)):
        for found in pattern.finditer(text):
            # Ignoring case, patterns also find letters such as ſ, which are of no known size.
            if other := others.get(found[0].lower()):
                yield found.span(), TextEdit(*found.span(), other)


def _scaled(text: str, span: Span) -> Iterator[TextEdit]:
    old = text[slice(*span)]
    number = float(old)
    halved = number / 2 if "." in old else number // 2
    for new in (f"{2 * number:.10g}", f"{halved:.10g}"):
        if float(new) > 0:
            yield TextEdit(*span, new)
