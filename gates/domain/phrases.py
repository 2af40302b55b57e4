"""Templates of queries: from lists of words to every query that they make, each with its label.

A template such as `{brand} {type}` stands for one query for each choice of its words, which is how
a team writes down in two lines what no version may get wrong (minimum functionality tests: Ribeiro
et al., *Beyond Accuracy*, ACL 2020).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

__all__ = ["SLOT", "Expanded", "Nothing", "Template", "Templates"]

SLOT = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
"""A place for a word: `{name}`."""


@dataclass(frozen=True, slots=True)
class Template:
    """A form of queries, and the label that each of them must get.

    Attributes:
        query: The query with slots, such as `{brand} {type}`.
        label: The label; a slot in it gives what its word stands for.
        line: Its line in `templates.yaml`.
    """

    query: str
    label: str
    line: int = 0

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of the query, each once, in order; the same slot takes the same word."""
        return tuple(dict.fromkeys(SLOT.findall(self.query)))


@dataclass(frozen=True, slots=True)
class Expanded:
    """One query of a template.

    Attributes:
        template: The index of its template.
        label: The label it must get.
    """

    template: int
    query: str
    label: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Queries that belong nowhere, and what answers them as such.

    Attributes:
        label: The label that means "no category"; empty where there is none.
        below: A score below this means it too; 0 where no score does.
    """

    queries: tuple[str, ...]
    label: str = ""
    below: float = 0.0

    def is_met(self, label: str, score: float) -> bool:
        """Whether an answer says that a query belongs nowhere.

        Args:
            label: The label a version gave.
        """
        return (bool(self.label) and label == self.label) or score < self.below


@dataclass(frozen=True, slots=True)
class Templates:
    """What a golden set expects of queries that nobody typed yet.

    Attributes:
        words: Slot → word → what the word stands for in a label.
        expect: The templates, in file order.
        nothing: Queries that belong nowhere; None when none are listed.
    """

    words: Mapping[str, Mapping[str, str]]
    expect: tuple[Template, ...]
    nothing: Nothing | None = None

    def size(self, template: Template) -> int:
        """How many queries a template makes."""
        return prod(len(self.words[slot]) for slot in template.slots)

    @property
    def total(self) -> int:
        """How many queries all templates make."""
        return sum(map(self.size, self.expect))

    def expanded(self, most: int, seed: int) -> Iterator[Expanded]:
        """The queries of every template, or an even sample of them.

        Small templates give all they have; what is left of `most` is shared evenly by the others,
        whose queries are drawn without replacement. Nothing depends on the order of calls.

        Args:
            most: How many queries at most; each template gives at least one.
            seed: The same seed draws the same queries.

        Yields:
            The queries, template by template, in the order of the words.
        """
        shares = _shares([self.size(one) for one in self.expect], most)
        for at, (template, share) in enumerate(zip(self.expect, shares, strict=True)):
            for choice in _choices(self.size(template), share, seed + at):
                yield self._filled(at, template, choice)

    def makes(self, query: str, label: str) -> bool:
        """Whether a template makes a query with a label."""
        return any(
            self._spelt(one.label, words) == label
            for one in self.expect
            for words in self._fits(SLOT.split(one.query), query, {})
        )

    def _spelt(self, label: str, words: Mapping[str, str]) -> str:
        return SLOT.sub(lambda slot: self.words[slot[1]][words[slot[1]]], label)

    def _fits(
        self, parts: Sequence[str], query: str, words: Mapping[str, str]
    ) -> Iterator[Mapping[str, str]]:
        """Every choice of words that makes a query of parts, text and slot in turn."""
        text, *rest = parts
        if not query.startswith(text):
            return
        left = query[len(text) :]
        if not rest:
            if not left:
                yield words
            return
        slot = rest[0]
        for word in (words[slot],) if slot in words else self.words[slot]:
            if left.startswith(word):
                yield from self._fits(rest[1:], left[len(word) :], {**words, slot: word})

    def _filled(self, at: int, template: Template, choice: int) -> Expanded:
        words: dict[str, str] = {}
        for slot in reversed(template.slots):  # the last slot turns fastest
            choice, place = divmod(choice, len(self.words[slot]))
            words[slot] = list(self.words[slot])[place]
        query = SLOT.sub(lambda found: words[found[1]], template.query)
        return Expanded(at, query, self._spelt(template.label, words))


def _shares(sizes: list[int], most: int) -> list[int]:
    """How many queries each template gives: all, or an even share of what smaller ones leave."""
    shares = [0] * len(sizes)
    left = most
    by_size = sorted(range(len(sizes)), key=lambda at: sizes[at])
    for done, at in enumerate(by_size):
        shares[at] = min(sizes[at], max(1, left // (len(sizes) - done)))
        left -= shares[at]
    return shares


def _choices(size: int, share: int, seed: int) -> list[int]:
    if share >= size:
        return list(range(size))
    import numpy as np

    drawn = np.random.default_rng(seed).choice(size, share, replace=False, shuffle=False)
    return sorted(map(int, drawn))
