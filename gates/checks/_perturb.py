"""Queries as shoppers also type them: other letter case, stray white space, one typing mistake.

The strategies are Hypothesis's; `draw` takes one example per query, all at once, so that a model
is asked in batches and never example by example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

__all__ = ["STRATEGIES", "draw"]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _ROWS
    for place, letter in enumerate(row)
}
_SHORTEST = 4
_BATCH = 50  # Hypothesis bounds how much one example may draw


def _case(text: str) -> st.SearchStrategy[str]:
    def mixed(flags: list[bool]) -> str:
        pairs = zip(text, flags, strict=True)
        return "".join(letter.upper() if up else letter.lower() for letter, up in pairs)

    flags = st.lists(st.booleans(), min_size=len(text), max_size=len(text)).map(mixed)
    return st.one_of(st.sampled_from([text.upper(), text.lower(), text.title()]), flags)


def _whitespace(text: str) -> st.SearchStrategy[str]:
    gap = st.sampled_from([" ", "  ", "   ", "\t", " \t "])
    edge = st.sampled_from(["", " ", "  ", "\t"])
    words = text.split()

    def joined(parts: tuple[str, list[str], str]) -> str:
        first, gaps, last = parts
        body = "".join(
            word + space for word, space in zip(words, [*gaps, ""][: len(words)], strict=True)
        )
        return f"{first}{body}{last}"

    inner = st.lists(gap, min_size=max(len(words) - 1, 0), max_size=max(len(words) - 1, 0))
    return st.tuples(edge, inner, edge).map(joined)


def _typo(text: str) -> st.SearchStrategy[str]:
    """One letter swapped, dropped, doubled or hit beside its key, never the first of a word.

    Words under four letters and words with digits keep their spelling: there one letter makes
    another word.
    """
    places: list[int] = []
    at = 0
    for word in text.split(" "):
        if len(word) >= _SHORTEST and word.isalpha():
            places += range(at + 1, at + len(word))
        at += len(word) + 1
    if not places:
        return st.nothing()

    def edits(place: int) -> list[str]:
        letter, before, after = text[place], text[:place], text[place + 1 :]
        found = [before + after, before + letter + letter + after]
        found += [before + near + after for near in _NEIGHBOURS.get(letter.lower(), "")]
        if place - 1 in places:
            found.append(text[: place - 1] + letter + text[place - 1] + after)
        return [one for one in found if one != text]

    return st.sampled_from(places).flatmap(lambda place: st.sampled_from(edits(place)))


STRATEGIES: dict[str, Callable[[str], st.SearchStrategy[str]]] = {
    "case": _case,
    "whitespace": _whitespace,
    "typo": _typo,
}
"""Kind of change → from a query to the strategy of its variants."""


def draw(kind: str, texts: Sequence[str], *, seed_value: int) -> list[tuple[int, str]]:
    """One variant of each query that has one.

    Args:
        kind: A key of `STRATEGIES`.
        texts: The queries.
        seed_value: The same seed draws the same variants.

    Returns:
        (index into `texts`, variant that differs from it), in the order of `texts`.
    """
    make = STRATEGIES[kind]
    strategies = [(at, make(text)) for at, text in enumerate(texts)]
    usable = [(at, strategy) for at, strategy in strategies if not strategy.is_empty]
    drawn: dict[int, str] = {}
    for first in range(0, len(usable), _BATCH):
        drawn |= _draw_batch(usable[first : first + _BATCH], seed_value + first)
    return [(at, variant) for at, variant in drawn.items() if variant != texts[at]]


def _draw_batch(
    usable: list[tuple[int, st.SearchStrategy[str]]], seed_value: int
) -> dict[int, str]:
    drawn: dict[int, str] = {}

    # Hypothesis's first example is always the simplest one; the second, and last, is random.
    @seed(seed_value)
    @settings(
        max_examples=2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        for at, strategy in usable:
            drawn[at] = data.draw(strategy)

    collect()
    return drawn
