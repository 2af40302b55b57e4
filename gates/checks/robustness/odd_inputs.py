"""Text that shoppers and broken clients also send: a fixed list, so that counts can be compared.

A list that changes gets another `VERSION`, which reports show beside the count.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

__all__ = ["FAMILIES", "VERSION", "made_up_words"]

VERSION = 1

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "empty": ("", " ", "\t", "\n", "\u00a0", "\u200b", "   \t \n  "),
    "very long": (
        "a" * 10_000,
        "chair " * 5_000,
        "\u6905\u5b50" * 5_000,
        " " * 10_000,
        "0" * 10_000,
        "\U0001f6cb" * 5_000,
    ),
    "emoji": (
        "\U0001f600",
        "red \u2764\ufe0f lamp",
        "\U0001f6cb\ufe0f sofa",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
        "\U0001f1e9\U0001f1ea flag",
        "\U0001f44d\U0001f3fd",
        "1\ufe0f\u20e3",
    ),
    "other scripts": (
        "\u6905\u5b50",
        "\u30aa\u30d5\u30a3\u30b9\u30c1\u30a7\u30a2",
        "\uc758\uc790",
        "\u0441\u0442\u0443\u043b",
        "\u03ba\u03b1\u03c1\u03ad\u03ba\u03bb\u03b1",
        "\u0643\u0631\u0633\u064a \u0645\u0643\u062a\u0628",
        "\u05db\u05d9\u05e1\u05d0",
        "\u0915\u0941\u0930\u094d\u0938\u0940",
        "\u0e40\u0e01\u0e49\u0e32\u0e2d\u0e35\u0e49",
        "\u0130stanbul \u0131\u015f\u0131k \u00df \ufb01",
        "cafe\u0301 no\u0308e\u0308l",
        "z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031ea\u0361",
    ),
    "control characters": (
        "\x00",
        "lamp\x00shade",
        "lamp\x1b[31mred\x1b[0m",
        "lamp\r\nshade",
        "\x07\x08\x0b\x0c",
        "\x7f\x85",
        "\ufeffchair",
        "\u202echair\u202c",
        "\ufffd\ufffe\uffff",
    ),
    "markup": (
        "<b>chair</b>",
        "<script>alert(1)</script>",
        "&lt;chair&gt; &amp; table",
        "<!-- chair -->",
        "<",
        "<a href='x'>" * 200,
    ),
    "signs": (
        "?",
        "!!!",
        "...",
        "-",
        '"',
        "'; DROP TABLE products; --",
        "${x} {{x}} %s %n {0}",
        "\\",
        "(((((",
        "*+?[",
        "../../x",
        "a:b AND -c~2^",
    ),
    "numbers and words of code": (
        "0",
        "-1",
        "1e309",
        "nan",
        "null",
        "None",
        "true",
        "2\u00bd x 4\u2033",
        "B07XJ8C8F5",
        "9780306406157",
    ),
}
"""Family → texts, none of them with a lone surrogate, which no frame can carry."""

_CONSONANTS, _VOWELS, _SYLLABLES = "bdfgklmnprstvz", "aeiou", 4


def made_up_words(texts: Sequence[str], *, seed: int) -> list[str]:
    """A word for each text that looks like a new product's name and stands in none of the texts.

    Args:
        texts: The golden queries.
        seed: The same seed makes the same words.
    """
    known = {word for text in texts for word in text.casefold().split()}
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    found: list[str] = []
    while len(found) < len(texts):
        word = "".join(
            chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(_SYLLABLES)
        )
        if word not in known:
            found.append(word)
    return found
