"""The texts that the synthetic shop's title embedding is judged on.

All titles of the shop, the queries of the other golden sets, and the most searched of these written
in other ways. What must be nearer to what follows from what a text means, never from a model.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from gates.demo._sampling import Sampled
from gates.demo._vocabulary import KINDS
from gates.demo._world import Product, slip

__all__ = ["Text", "expected_titles", "golden_titles"]

_REWRITTEN = 24


@dataclass(frozen=True, slots=True)
class Text:
    """A golden text.

    Attributes:
        id: Its query id; a product's id for a title.
        text: What it reads.
        weight: Searches, or views of the product, a month.
        sampling: `census` or `pps`.
        inclusion: The chance with which it was drawn.
        category: The category of what it means.
        written: `title`, `query`, `capitals` or `slip`.
        of: The id of the query that it is another way to write; otherwise empty.
    """

    id: str
    text: str
    weight: float
    sampling: str
    inclusion: float
    category: str
    written: str
    of: str = ""


def golden_titles(sample: list[Sampled], products: list[Product], rng: random.Random) -> list[Text]:
    """Every title, every sampled query, and 24 of the head in capitals or with a slip.

    Args:
        sample: The golden queries.
        rng: What draws the slips.
    """
    texts = [
        Text(
            product.id,
            product.title,
            math.exp(4 + 0.6 * product.appeal),
            "census",
            1.0,
            KINDS[product.kind].category,
            "title",
        )
        for product in products
    ]
    queries = [
        Text(
            one.id,
            one.query.text,
            one.query.traffic,
            one.sampling,
            one.inclusion,
            one.query.category,
            "query",
        )
        for one in sample
    ]
    taken = {one.text for one in queries}
    head = sorted((one for one in queries if one.sampling == "census"), key=lambda one: -one.weight)
    others = []
    for at, one in enumerate(head[:_REWRITTEN], start=1):
        text, written = one.text.upper(), "capitals"
        if at % 2 == 0:
            text, written = one.text, "slip"
            while text in taken:
                text = slip(one.text, rng)
        others.append(Text(f"w{at:02}", text, 1.0, "census", 1.0, one.category, written, one.id))
    return texts + queries + others


def expected_titles(
    texts: list[Text], sample: list[Sampled], products: list[Product]
) -> Iterator[list[str]]:
    """Rows of `closer` expectations: text, `closer`, what is nearer, what it is nearer than.

    A query in capitals or with a slip is nearer to the query than to any of another category; the
    name of a product to its title than to another product of that brand; the name of a kind to a
    title of that kind than to one of another category.

    Args:
        texts: As `golden_titles` gave them.
        sample: The golden queries.
    """
    queries = [one for one in texts if one.written == "query"]
    for at, one in enumerate(one for one in texts if one.of):
        other = [query.id for query in queries if query.category != one.category]
        yield [one.id, "closer", one.of, other[at * 7 % len(other)]]
    for at, drawn in enumerate(sample):
        query, noun = drawn.query, KINDS[drawn.query.kind].noun
        sold = [product for product in products if product.kind == query.kind]
        if query.model and query.text == f"{query.brand} {query.model} {noun}".lower():
            near = next(p for p in sold if (p.brand, p.model) == (query.brand, query.model))
            far = [p for p in products if p.brand == query.brand and p.kind != query.kind]
        elif query.text == noun:
            near = sold[at % len(sold)]
            far = [p for p in products if KINDS[p.kind].category != query.category]
        else:
            continue
        yield [drawn.id, "closer", near.id, far[at * 7 % len(far)].id]
