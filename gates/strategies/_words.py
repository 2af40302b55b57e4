"""Queries with one word more, which no query of the set holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import lru_cache

from gates.strategies.variants import Edit

__all__ = ["invented", "with_words"]

_ONSETS = ("b", "br", "d", "dr", "f", "g", "k", "l", "m", "n", "p", "s", "st", "t", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u")
_COUNT = 8


def invented(seen: Collection[str], seed: int) -> tuple[str, ...]:
    """Words that can be said but stand in no query, such as `zubrako`.

    Args:
        seen: The words of the queries, in small letters.
        seed: The same seed invents the same words.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    words: list[str] = []
    while len(words) < _COUNT:
        word = "".join(
            _ONSETS[rng.integers(len(_ONSETS))] + _VOWELS[rng.integers(len(_VOWELS))]
            for _ in range(3)
        )
        if word not in seen and word not in words:
            words.append(word)
    return tuple(words)


@lru_cache(maxsize=32)
def with_words(words: tuple[str, ...]) -> Callable[[str], Iterator[Edit[str]]]:
    """From a query to the same with each word: behind it, before it, then between its own."""

    def edits(text: str) -> Iterator[Edit[str]]:
        own = text.split()
        for place in (len(own), *range(len(own))):
            for word in words:
                after = " ".join((*own[:place], word, *own[place:]))
                yield Edit(after, f"'{word}' added")

    return edits
