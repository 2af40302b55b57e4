"""Queries as shoppers also type them: the invariances there are, and which variants are drawn.

Each invariance is a pure function from a query to all the variants it knows; a seed chooses among
them. What is drawn for a query depends on nothing but the query, the invariance and the seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gates.checks.behaviour import spellings, typos, wordings
from gates.checks.behaviour.edits import EditedQuery, TextEdit
from gates.checks.behaviour.wordings import Pairs

__all__ = ["INVARIANCES", "SYNONYMS", "Drawn", "Invariance", "chance_of", "draw", "variants"]

SYNONYMS = "synonyms"
"""The invariance whose variants are those of the golden set's own list."""


@dataclass(frozen=True, slots=True)
class Invariance:
    """A change of a query that should not change its answer.

    Attributes:
        words: What it is, in words, as in "queries whose label changes with ...".
        one: What a single edit of it is, as in "one letter from".
        many: The same of several edits.
        of: From a query to the sets of edits that make its variants; for synonyms, those of an
            empty list, which `variants` replaces.
        sampled: Whether the variants stand for others that shoppers type as well. If not, they
            are other spellings of the same, which hold or do not.
    """

    words: str
    one: str
    many: str
    of: Callable[[str], list[tuple[TextEdit, ...]]]
    sampled: bool = True


INVARIANCES: Mapping[str, Invariance] = {
    "case": Invariance(
        "other letter case",
        "one word in other case from",
        "in other case than",
        spellings.case,
        sampled=False,
    ),
    "whitespace": Invariance(
        "stray white space",
        "one stray space from",
        "stray spaces from",
        spellings.whitespace,
        sampled=False,
    ),
    "unicode": Invariance(
        "other Unicode forms of the same letters",
        "one Unicode form from",
        "other Unicode than",
        spellings.unicode_forms,
        sampled=False,
    ),
    "hyphens": Invariance(
        "a hyphen put in, left out or replaced by a space",
        "one hyphen from",
        "hyphens from",
        spellings.hyphens,
        sampled=False,
    ),
    "units": Invariance(
        "a measure's unit written otherwise",
        "one unit from",
        "units from",
        spellings.units,
        sampled=False,
    ),
    "typo": Invariance(
        "one typing mistake in a word of four letters or more",
        "one letter from",
        "letters from",
        typos.typo,
    ),
    "two-typos": Invariance(
        "two typing mistakes", "one letter from", "two letters from", typos.two_typos
    ),
    "doubled-letters": Invariance(
        "a letter doubled, or a double one typed once",
        "one letter from",
        "letters from",
        typos.doubled_letters,
    ),
    "plural": Invariance(
        "plural for singular, or the reverse (English)",
        "one ending from",
        "endings from",
        wordings.plural,
    ),
    "word-order": Invariance(
        "two neighbouring words swapped (English)",
        "two words swapped from",
        "words swapped from",
        wordings.word_order,
    ),
    "stop-words": Invariance(
        "stop words left out (English)",
        "one stop word less than",
        "stop words less than",
        wordings.stop_words,
    ),
    SYNONYMS: Invariance(
        "a synonym that the golden set lists",
        "one synonym from",
        "synonyms from",
        partial(wordings.synonyms, pairs=()),
    ),
}
"""Invariance → what it does. Only a synonym can change a digit."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Variants of the queries of one golden set.

    Attributes:
        rows: (index of the query, variant), in the order of queries.
        without: How many queries have no variant that differs from them.
    """

    rows: tuple[tuple[int, EditedQuery], ...]
    without: int


def variants(kind: str, text: str, synonyms: Pairs = ()) -> list[EditedQuery]:
    """Every variant of a query, each typed text once, never the query itself.

    Args:
        kind: A key of `INVARIANCES`.
        synonyms: (word, synonym), for that invariance.
    """
    found: dict[str, EditedQuery] = {}
    of = partial(wordings.synonyms, pairs=synonyms) if kind == SYNONYMS else INVARIANCES[kind].of
    for edits in of(text):
        one = EditedQuery(text, edits)
        if one.typed != text:
            found.setdefault(one.typed, one)
    return list(found.values())


def draw(
    kind: str, texts: Sequence[str], *, seed: int, count: int = 1, synonyms: Pairs = ()
) -> Drawn:
    """Some variants of each query.

    Args:
        kind: A key of `INVARIANCES`.
        texts: The queries.
        seed: Not negative; the same seed draws the same variants.
        count: How many variants of a query to draw at the most.
        synonyms: (word, synonym), for that invariance.
    """
    rows: list[tuple[int, EditedQuery]] = []
    without = 0
    for at, text in enumerate(texts):
        known = variants(kind, text, synonyms)
        without += not known
        chance = chance_of(kind, text, seed)
        places = chance.permutation(len(known))[:count]
        rows += [(at, known[place]) for place in sorted(places.tolist())]
    return Drawn(tuple(rows), without)


def chance_of(kind: str, text: str, seed: int) -> np.random.Generator:
    """The random numbers of one change of one query, whatever else is drawn.

    Args:
        kind: The change.
        seed: Not negative.
    """
    return np.random.default_rng([seed, zlib.crc32(f"{kind}\0{text}".encode())])
