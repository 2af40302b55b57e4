"""Other wordings of the same query: plural and singular, word order, stop words, synonyms.

All but synonyms are in English. Other languages need rules of their own; a query without words
these rules know has no variant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise, takewhile

from gates.checks.behaviour.edits import TextEdit, words

__all__ = ["Pairs", "is_binding", "phrase", "plural", "stop_words", "synonyms", "word_order"]

Pairs = Sequence[tuple[str, str]]
"""(word or phrase, what shoppers also call it)."""

_STOP = re.compile(r"a|an|and|for|of|the|with", re.IGNORECASE)
_BINDING = re.compile(
    r"above|against|around|as|at|below|behind|beside|between|by|for|from|in|inside|into|less|"
    r"like|near|no|non|not|of|off|on|or|out|outside|over|per|than|to|under|up|versus|vs|with|"
    r"without|minus|except|never",
    re.IGNORECASE,
)
_ONE_FORM = re.compile(
    r"bedding|clothing|equipment|furniture|glasses|headphones|jeans|jewellery|jewelry|"
    r"leggings|lighting|lingerie|luggage|pants|pliers|pyjamas|pajamas|scissors|series|shorts|"
    r"sunglasses|tights|trousers|tweezers|underwear|beige|black|blue|bronze|brown|chrome|"
    r"cotton|cream|gold|gray|green|grey|large|leather|linen|medium|metal|oak|orange|pink|"
    r"purple|queen|red|round|silver|single|small|square|steel|twin|velvet|walnut|white|wood|"
    r"wooden|yellow|cheap|modern|new|outdoor|indoor|women|men|kids",
    re.IGNORECASE,
)
_IRREGULAR = {
    "bookshelf": "bookshelves",
    "child": "children",
    "knife": "knives",
    "leaf": "leaves",
    "loaf": "loaves",
    "scarf": "scarves",
    "shelf": "shelves",
}
_SINGULAR = {many: one for one, many in _IRREGULAR.items()}


def is_binding(word: str) -> bool:
    """Whether an English word binds others by its place: a preposition, negation or stop word."""
    return bool(_BINDING.fullmatch(word) or _STOP.fullmatch(word))


def plural(text: str) -> list[tuple[TextEdit, ...]]:
    """The query with its noun in the other number: the last word before a preposition.

    Names of colours, materials and sizes, and nouns of one form (`scissors`) are left alone, and so
    is what follows a number, which is mostly a unit.
    """
    before = list(takewhile(lambda one: not _BINDING.fullmatch(text[slice(*one)]), words(text)))
    if not before or any(re.search(r"\d", text[slice(*one)]) for one in before[-2:]):
        return []
    new = _other_number(text[slice(*before[-1])])
    return [(TextEdit(*before[-1], new),)] if new else []


def word_order(text: str) -> list[tuple[TextEdit, ...]]:
    """Every query with two neighbouring words swapped.

    None for a query with a negation or a preposition, whose order has a meaning; words that hold a
    digit, and what stands beside them, stay where they are.
    """
    spans = words(text)
    if any(_BINDING.fullmatch(text[start:end]) for start, end in spans):
        return []
    found: list[tuple[TextEdit, ...]] = []
    digits = [bool(re.search(r"\d", text[start:end])) for start, end in spans]
    for at, ((start, end), (after, last)) in enumerate(pairwise(spans)):
        if not any(digits[max(0, at - 1) : at + 3]) and text[start:end] != text[after:last]:
            new = text[after:last] + text[end:after] + text[start:end]
            found.append((TextEdit(start, last, new),))
    return found


def stop_words(text: str) -> list[tuple[TextEdit, ...]]:
    """The query without its stop words, all of them, and each of them.

    A negation is no stop word, and neither is `in`, which may be inches.
    """
    spans = words(text)
    edits = []
    for (start, end), (after, _) in pairwise(spans):
        if _STOP.fullmatch(text[start:end]):
            edits.append(TextEdit(start, after, ""))
    return [tuple(edits), *((edit,) for edit in edits if len(edits) > 1)]


def synonyms(text: str, pairs: Pairs) -> list[tuple[TextEdit, ...]]:
    """The query with a word or phrase replaced by its synonym, wherever it stands.

    Only whole words are, not the parts of a compound with a hyphen. Letter case makes no
    difference; words in capitals get a synonym in capitals, and likewise a capital in front.

    Args:
        pairs: The synonyms, one variant each.
    """
    return [
        tuple(TextEdit(*one.span(), _cased(new, one[0])) for one in phrase(word).finditer(text))
        for word, new in pairs
        if word.split()[0].lower() in text.lower() and phrase(word).search(text)
    ]


@cache
def phrase(words: str) -> re.Pattern[str]:
    """What finds words as whole words of a query, in any letter case and with any white space.

    Args:
        words: A word or phrase.
    """
    parts = r"\s+".join(map(re.escape, words.split()))
    return re.compile(rf"(?<![\w'’-]){parts}(?![\w'’-])", re.IGNORECASE)


def _cased(new: str, old: str) -> str:
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _other_number(word: str) -> str:
    lower = word.lower()
    if not (word.isascii() and word.isalpha()) or len(word) < 3 or _ONE_FORM.fullmatch(word):
        return ""
    if lower in _IRREGULAR or lower in _SINGULAR:
        return _IRREGULAR.get(lower) or _SINGULAR[lower]
    if re.search(r"[^aeiou]ies$", lower) and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(ch|sh|ss|x)es$", lower):
        return word[:-2]
    if re.search(r"[^sui]s$", lower):
        return word[:-1]
    if lower.endswith(("ing", "less", "us", "is")):
        return ""
    if re.search(r"[^aeiou]y$", lower):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", lower) else "s")
