"""The synthetic shop's products and queries, and how well each product truly fits each query."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from gates.demo._vocabulary import BRANDS, KINDS, MODELS, UNIT_WORDS, Kind

__all__ = ["Product", "Query", "make_products", "make_queries", "measure", "slip", "usefulness"]

_PER_KIND = 7


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    Attributes:
        id: Its document id.
        kind: Index into `KINDS`.
        model: Its model name.
        attribute: Its main quality.
        size: Its size, in its kind's unit.
        price: In euros.
        appeal: How much shoppers like it, standard normal; no model ever sees this.
    """

    id: str
    kind: int
    brand: str
    model: str
    attribute: str
    size: str
    price: float
    appeal: float

    @property
    def title(self) -> str:
        """The title on the product's page."""
        kind = KINDS[self.kind]
        return f"{self.brand} {self.model} {self.attribute} {kind.noun} {measure(kind, self.size)}"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of the population, and what its shoppers mean by it.

    Attributes:
        text: What they type.
        kind: Index into `KINDS`.
        traffic: Searches a month.
        brand: The brand they want, or empty.
        model: The model they want, or empty.
        attribute: The quality they want, or empty.
        size: The size they want, or empty.
        cheap: True when a low price matters.
    """

    text: str
    kind: int
    traffic: float
    brand: str = ""
    model: str = ""
    attribute: str = ""
    size: str = ""
    cheap: bool = False

    @property
    def category(self) -> str:
        """The category it belongs to."""
        return KINDS[self.kind].category


def measure(kind: Kind, size: str, unit: str = "") -> str:
    """A size with its unit: `1.7 l`, but `size 9`."""
    unit = unit or kind.unit
    return f"{unit} {size}" if unit in ("size", "eu") else f"{size} {unit}"


def make_products(rng: random.Random) -> list[Product]:
    """All products of the shop: 7 of each kind."""
    products: list[Product] = []
    for at, kind in enumerate(KINDS):
        brands, models = rng.sample(BRANDS, 4), rng.sample(MODELS, _PER_KIND)
        for nth in range(_PER_KIND):
            price = kind.price * math.exp(rng.gauss(0.0, 0.35))
            products.append(
                Product(
                    id=f"p{len(products) + 1001}",
                    kind=at,
                    brand=brands[nth % 4],
                    model=models[nth],
                    attribute=rng.choice(kind.attributes),
                    size=kind.sizes[nth % len(kind.sizes)],
                    price=round(price) - 0.05,
                    appeal=rng.gauss(0.0, 1.0),
                )
            )
    return products


def slip(text: str, rng: random.Random) -> str:
    """One slip of the finger inside a word: a letter left out, doubled, or two swapped.

    Args:
        text: At least three characters; as it is where the place drawn is not inside a word.
        rng: What draws the place and the slip.
    """
    at = rng.randrange(1, len(text) - 1)
    if not (text[at].isalpha() and text[at + 1].isalpha()):
        return text
    slips = (
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    )
    return rng.choice(slips)


def _of_kind(at: int, kind: Kind, products: list[Product], rng: random.Random) -> list[Query]:
    """The queries shoppers have for one kind; `traffic` holds what the form of a query is worth."""
    sold = [product for product in products if product.kind == at]
    queries = [Query(kind.noun, at, 40.0)]
    queries += [Query(name, at, 14.0) for name in kind.synonyms]
    for name in (kind.noun, kind.synonyms[0]):
        queries.append(Query(f"cheap {name}", at, 5.0, cheap=True))
        queries.append(Query(f"{name} for {kind.use}", at, 5.0))
    for attribute in kind.attributes:
        name = rng.choice((kind.noun, kind.noun, *kind.synonyms))
        queries.append(Query(f"{attribute} {name}", at, 8.0, attribute=attribute))
    for size in kind.sizes:
        unit = rng.choice(UNIT_WORDS[kind.unit])
        sized = measure(kind, size, unit)
        if len(unit) < 3 and unit != "eu" and rng.random() < 0.5:
            sized = f"{size}{unit}"
        order = f"{kind.noun} {sized}" if rng.random() < 0.6 else f"{sized} {kind.noun}"
        queries.append(Query(order, at, 7.0, size=size))
    for brand in sorted({product.brand for product in sold}):
        name = rng.choice((kind.noun, *kind.synonyms))
        queries.append(Query(f"{brand.lower()} {name}", at, 6.0, brand=brand))
    for product in rng.sample(sold, 3):
        text = f"{product.brand} {product.model} {kind.noun}".lower()
        queries.append(Query(text, at, 4.0, brand=product.brand, model=product.model))
    return queries


def make_queries(products: list[Product], rng: random.Random) -> list[Query]:
    """The whole population of queries, most searched first; about one in eight has a typo."""
    found: dict[str, Query] = {}
    for at, kind in enumerate(KINDS):
        for query in _of_kind(at, kind, products, rng):
            traffic = query.traffic * math.exp(rng.gauss(0.0, 1.2))
            text = query.text
            if traffic < 12 and rng.random() < 0.2:
                text = slip(text, rng)
            if text not in found:
                found[text] = Query(
                    text,
                    at,
                    round(10 * traffic, 1),
                    query.brand,
                    query.model,
                    query.attribute,
                    query.size,
                    query.cheap,
                )
    return sorted(found.values(), key=lambda query: (-query.traffic, query.text))


def usefulness(query: Query, product: Product) -> float:
    """How well a product truly serves a query, on the scale of the grades (0 to 3, unrounded)."""
    if product.kind != query.kind:
        substitute = product.kind == query.kind ^ 1
        return 0.8 + 0.15 * product.appeal if substitute else -0.4
    fit = 2.0 + 0.6 * product.appeal
    for wanted, given, penalty in (
        (query.brand, product.brand, 1.1),
        (query.model, product.model, 1.0),
        (query.size, product.size, 1.0),
        (query.attribute, product.attribute, 0.7),
    ):
        if wanted:
            fit += 0.5 if wanted == given else -penalty
    if query.cheap:
        fit -= 1.2 * math.log(product.price / KINDS[product.kind].price)
    return fit
