"""What a ranker can know about a query and a product of the synthetic shop.

Text features are computed from the words; behaviour features are noisy looks at how useful a
product truly is, as clicks and carts are in a real shop.
"""

from __future__ import annotations

import math
import random
from collections import Counter

from gates.demo._vocabulary import KINDS
from gates.demo._world import Product, Query, usefulness

__all__ = ["FEATURES", "Features"]

FEATURES = (
    "bm25",
    "title_overlap",
    "embedding_similarity",
    "brand_match",
    "model_match",
    "size_match",
    "attribute_match",
    "price",
    "popularity",
    "rating",
    "click_rate",
    "cart_rate",
    "fresh_click_rate",
)
"""The feature columns, in the order of the files."""

_CLICK_NOISE = 0.8
_CART_NOISE = 0.9
_FRESH_NOISE = 0.4


def _match(wanted: str, given: str) -> int:
    """1 when a wish is met, −1 when it is not, 0 without a wish."""
    return 0 if not wanted else (1 if wanted == given else -1)


class Features:
    """The feature pipeline of the shop.

    Args:
        rng: Where its noise comes from.
    """

    def __init__(self, products: list[Product], rng: random.Random) -> None:
        self._rng = rng
        self._words = {product.id: product.title.lower().split() for product in products}
        held = Counter(word for words in self._words.values() for word in set(words))
        total = len(products)
        self._idf = {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in held.items()}
        self._popularity = {
            p.id: math.exp(4 + 0.6 * p.appeal + rng.gauss(0, 0.9)) for p in products
        }
        self._rating = {p.id: 4.1 + 0.3 * p.appeal + rng.gauss(0, 0.35) for p in products}

    def _bm25(self, query: Query, product: Product) -> float:
        """Okapi BM25; titles are of nearly one length, so that is left out."""
        counts = Counter(self._words[product.id])
        return sum(
            self._idf[word] * 2.2 * counts[word] / (counts[word] + 1.2)
            for word in set(query.text.split())
            if counts[word]
        )

    def _similarity(self, query: Query, product: Product) -> float:
        base = 0.2
        if KINDS[product.kind].category == query.category:
            base = 0.4
        if product.kind == query.kind ^ 1:
            base = 0.55
        if product.kind == query.kind:
            base = 0.75
        return base + self._rng.gauss(0, 0.08)

    def _rate(self, query: Query, product: Product, noise: float) -> float:
        logit = usefulness(query, product) + self._rng.gauss(0, noise) - 3.5
        return 1 / (1 + math.exp(-logit))

    def rows(self, query: Query, products: list[Product]) -> list[list[str]]:
        """The features of some products for one query, as the text of CSV cells."""
        words = query.text.split()
        table = []
        for product in products:
            overlap = sum(word in self._words[product.id] for word in words) / len(words)
            table.append(
                [
                    f"{self._bm25(query, product):.2f}",
                    f"{overlap:.2f}",
                    f"{self._similarity(query, product):.2f}",
                    f"{_match(query.brand, product.brand)}",
                    f"{_match(query.model, product.model)}",
                    f"{_match(query.size, product.size)}",
                    f"{_match(query.attribute, product.attribute)}",
                    f"{product.price:.2f}",
                    f"{self._popularity[product.id]:.0f}",
                    f"{min(5.0, max(1.0, self._rating[product.id])):.1f}",
                    f"{self._rate(query, product, _CLICK_NOISE):.3f}",
                    f"{self._rate(query, product, _CART_NOISE):.3f}",
                    f"{self._rate(query, product, _FRESH_NOISE):.3f}",
                ]
            )
        return table
