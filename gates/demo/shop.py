"""A small synthetic home-and-outdoor shop: golden sets and training logs for the demo's models.

Nothing here was ever typed, clicked or judged by a person: brands, queries, behaviour and the
three annotators are simulated from a seed. `python -m gates.demo.shop .` writes the same bytes
again, into `golden/` and `models/*/data/`.

Queries are sampled as a golden set should be: the head of the traffic taken whole (`census`), the
rest drawn in proportion to traffic (`pps`). Every golden query is held out of the training logs.

One thing is wrong on purpose. `fresh_click_rate` comes from a new pipeline that is sound in the
training window. When the golden set's features were taken it joined the lighting category on old
product numbers, so that each product there carries another one's clicks.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from gates.demo._features import FEATURES, Features
from gates.demo._sampling import Sampled, draw
from gates.demo._titles import expected_titles, golden_titles
from gates.demo._vocabulary import KINDS
from gates.demo._world import Product, Query, make_products, make_queries, usefulness

__all__ = ["SEED", "write_shop"]

SEED = 1
"""The seed of the committed files, chosen among eight so that the demo shows every verdict."""

_TRAINING = 270
_DISLIKED = 6
_MISJOINED = "lighting"
_ANNOTATORS = (("ana", 0.0, 0.3), ("ben-strict", -0.45, 0.3), ("cleo-noisy", 0.0, 0.8))


def _retrieve(
    query: Query, products: list[Product], rng: random.Random, size: int
) -> list[Product]:
    """The candidates of a query: its kind, the substitutes, its brand, and what happens along."""
    near, branded, same, others = [], [], [], []
    for product in products:
        if product.kind in (query.kind, query.kind ^ 1):
            near.append(product)
        elif product.brand == query.brand:
            branded.append(product)
        elif KINDS[product.kind].category == query.category:
            same.append(product)
        else:
            others.append(product)
    found = near + rng.sample(branded, min(2, len(branded)))
    found += rng.sample(same, 3)
    found += rng.sample(others, size - len(found))
    return sorted(found, key=lambda p: p.id)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _grade(useful: float, rng: random.Random, shift: float, noise: float) -> int:
    return min(3, max(0, round(useful + shift + rng.gauss(0, noise))))


def _misjoin(rows: list[list[str]], products: list[Product]) -> None:
    """Give each product of the misjoined category the fresh clicks of another, in place."""
    column = FEATURES.index("fresh_click_rate")
    hit = [
        at
        for at, product in enumerate(products)
        if KINDS[product.kind].category == _MISJOINED and int(product.id[1:]) % 2
    ]
    values = [rows[at][column] for at in hit]
    for at, value in zip(hit, values[len(values) // 2 :] + values, strict=False):
        rows[at][column] = value


def _queries(folder: Path, sample: list[Sampled]) -> None:
    header = ["query_id", "query", "weight", "sampling", "inclusion_probability"]
    rows = (
        [
            one.id,
            one.query.text,
            f"{one.query.traffic:.1f}",
            one.sampling,
            f"{one.inclusion:.6f}",
            one.query.category,
            one.segment,
        ]
        for one in sample
    )
    _write(folder / "queries.csv", [*header, "category", "segment"], rows)


def _embedding_golden(
    folder: Path, sample: list[Sampled], products: list[Product], rng: random.Random
) -> None:
    texts = golden_titles(sample, products, rng)
    header = ["query_id", "query", "weight", "sampling", "inclusion_probability"]
    _write(
        folder / "queries.csv",
        [*header, "category", "written"],
        (
            [
                one.id,
                one.text,
                f"{one.weight:.1f}",
                one.sampling,
                f"{one.inclusion:.6f}",
                one.category,
                one.written,
            ]
            for one in texts
        ),
    )
    header = ["query_id", "expect", "target", "than"]
    _write(folder / "expectations.csv", header, expected_titles(texts, sample, products))


def _expect(one: Sampled, shown: list[Product]) -> tuple[str, str, int | str] | None:
    """What the shop's team would not see broken for a query: kind, product, depth."""
    query, noun = one.query, KINDS[one.query.kind].noun
    if query.category == _MISJOINED:  # nobody wrote any down here, so only the slice can tell
        return None
    fits = [p for p in shown if p.kind == query.kind and p.brand == query.brand]
    if query.model and query.text == f"{query.brand} {query.model} {noun}".lower():
        return "must-be-first", next(p.id for p in fits if p.model == query.model), ""
    if query.brand and not query.model and noun in query.text:
        return "in-top", max(fits, key=lambda p: usefulness(query, p)).id, 5
    if one.segment == "head" and query.text == noun:
        strange = [p for p in shown if KINDS[p.kind].category != query.category]
        return "never-in-top", strange[0].id, 5
    return None


def _ranking_golden(
    folder: Path, sample: list[Sampled], products: list[Product], rng: random.Random
) -> None:
    pipeline = Features(products, rng)
    candidates: list[list[str]] = []
    annotations: list[list[object]] = []
    expectations: list[list[object]] = []
    for one in sample:
        shown = _retrieve(one.query, products, rng, 22)
        rows = pipeline.rows(one.query, shown)
        if one.query.category == _MISJOINED:
            _misjoin(rows, shown)
        expected = _expect(one, shown)
        if expected:
            expectations.append([one.id, *expected])
        for product, row in zip(shown, rows, strict=True):
            candidates.append([one.id, product.id, product.title, *row])
            useful = usefulness(one.query, product)
            annotations += [
                [one.id, product.id, name, _grade(useful, rng, shift, noise)]
                for name, shift, noise in _ANNOTATORS
            ]
    _write(folder / "candidates.csv", ["query_id", "doc_id", "title", *FEATURES], candidates)
    _write(folder / "annotations.csv", ["query_id", "doc_id", "annotator", "grade"], annotations)
    _write(folder / "expectations.csv", ["query_id", "expect", "target", "k"], expectations)


def _never_show(folder: Path, products: list[Product]) -> None:
    """The products that shoppers like least: none of them may stand first, whatever is asked."""
    worst = sorted(products, key=lambda product: product.appeal)[:_DISLIKED]
    _write(folder / "never-show.csv", ["doc_id", "k"], ([one.id, 1] for one in worst))


def _synonyms(folder: Path) -> None:
    """What shoppers call each kind besides its noun, in both directions."""
    pairs = [(kind.noun, name) for kind in KINDS for name in kind.synonyms]
    rows = (pair for one, other in pairs for pair in ((one, other), (other, one)))
    _write(folder / "synonyms.csv", ["word", "synonym"], rows)


def _training(
    models: Path, queries: list[Query], products: list[Product], rng: random.Random
) -> None:
    pipeline = Features(products, rng)
    rows: list[list[object]] = []
    for at, query in enumerate(queries[:_TRAINING], start=1):
        shown = _retrieve(query, products, rng, 20)
        for product, row in zip(shown, pipeline.rows(query, shown), strict=True):
            label = _grade(usefulness(query, product), rng, 0.0, 0.5)
            rows.append([f"t{at:03}", product.id, label, *row])
    header = ["query_id", "doc_id", "label", *FEATURES]
    _write(models / "product-ranker" / "data" / "training.csv", header, rows)
    categories = sorted({kind.category for kind in KINDS})
    texts = [
        [query.text, query.category if rng.random() < 0.96 else rng.choice(categories)]
        for query in queries
    ]
    _write(models / "query-category" / "data" / "training.csv", ["query", "category"], texts)
    corpus = [[product.title] for product in products] + [[query.text] for query in queries]
    _write(models / "title-embedding" / "data" / "training.csv", ["text"], corpus)


def write_shop(project: Path, *, seed: int = SEED) -> None:
    """Write the synthetic shop's tables: golden sets and training logs.

    Args:
        project: The folder that holds `golden/` and `models/`; files of the same names are
            replaced.
        seed: The same seed gives the same bytes.
    """
    rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    products = make_products(rng)
    population = make_queries(products, rng)
    sample = draw(population, rng)
    held_out = {one.query.text for one in sample}
    others = [query for query in population if query.text not in held_out]
    rng.shuffle(others)
    golden = project / "golden"
    _queries(golden / "product-ranker", sample)
    _queries(golden / "query-category", sample)
    _ranking_golden(golden / "product-ranker", sample, products, rng)
    _never_show(golden / "product-ranker", products)
    _synonyms(golden / "query-category")
    _write(
        golden / "query-category" / "expectations.csv",
        ["query_id", "expect", "target", "low", "high"],
        ([one.id, "label", one.query.category, "0.20", "1.00"] for one in sample),
    )
    _training(project / "models", others, products, rng)
    _embedding_golden(golden / "title-embedding", sample, products, rng)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the synthetic shop's tables.")
    parser.add_argument("project", type=Path, help="the folder that holds golden/ and models/")
    write_shop(parser.parse_args().project)
