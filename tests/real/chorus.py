"""The chorus data as a ranking project: lexical features, a split by query, a card, a model folder.

Everything is computed when a test asks for it; no row of the data is kept in the repository.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = "chorus-ranker"
REPOSITORY = Path(__file__).resolve().parents[2]

FEW = ("bm25_title", "bm25_all", "phrase_in_title", "title_length")
MORE = (
    *FEW,
    "title_overlap",
    "brand_overlap",
    "description_overlap",
    "attribute_overlap",
    "phrase_anywhere",
    "last_word_in_title",
    "first_place_in_title",
    "numbers_matched",
    "release_year",
    "attributes",
    "title_trigrams",
)
VERSIONS: dict[str, dict[str, Any]] = {
    "few": {"features": FEW, "shuffle_seed": None},
    "more": {"features": MORE, "shuffle_seed": None},
    "shuffled": {"features": MORE, "shuffle_seed": 11},
}
"""What each packaged version is like, in the order in which they are registered."""

STRICT = {
    "margin": -0.03,
    "slices": "words: {min: -0.1}, brand: {min: -0.1}",
    "severe": 0.1,
    "prose": "What a team would like to know, of every slice; 54 queries may be too few to tell.",
}
WIDE = {
    "margin": -0.03,
    "slices": "words: {min: -0.1}",
    "severe": 0.15,
    "prose": "As strict as 54 queries can tell: no slice of one brand query, and two severe losses "
    "among 45 queries are let pass, whose upper bound is 0.13.",
}
"""What two cards demand."""

CARD = """\
---
model: chorus-ranker
task: ranking
owners: [search-ranking@example.com]
environment: {memory_mb: 2048, start_seconds: 60, predict_seconds: 30}
checks:
  lockfile: {}
  ranking-diff:
    bounds:
      ndcg@10.delta:
        min: %(margin)s
        slices: {%(slices)s}
      severe-losses: {max: %(severe)s}
      overlap@10: {min: 0.2, advisory: true}
      top1-changed: {max: 0.6, advisory: true}
---
%(prose)s
"""

MANIFEST = """\
name: chorus, held-out half
task: ranking
description: Real queries and product texts of consumer electronics; every product was judged.
synthetic: false
source: [o19s/chorus judgments, Icecat product texts]
sampling: every second query by hash, within kinds of query
grades: {max: 3}
inputs: [%s]
slices: [words, brand]
"""

BUILD = '''\
"""Train on the training queries; `shuffle_seed` in params.json spoils the scores afterwards."""

import json
import sys
import tempfile
from pathlib import Path

import lightgbm
import mlflow.lightgbm
import mlflow.pyfunc
import pandas
from mlflow.models import infer_signature

params = json.loads(Path("params.json").read_text())
log = pandas.read_csv("data/training.csv", dtype={"query_id": str, "doc_id": str})
features = log[params["features"]].astype("float64")
data = lightgbm.Dataset(
    features, label=log["grade"], group=log.groupby("query_id", sort=False).size().to_numpy()
)
settings = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 10,
    "learning_rate": 0.05,
    "num_leaves": 4,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
    "seed": 3,
}
booster = lightgbm.train(settings, data, num_boost_round=60)
signature = infer_signature(features, booster.predict(features))
pins = Path("requirements.in").read_text().split()
if params["shuffle_seed"] is None:
    mlflow.lightgbm.save_model(booster, sys.argv[1], signature=signature, pip_requirements=pins)
else:
    with tempfile.TemporaryDirectory() as folder:
        booster.save_model(Path(folder, "booster.txt"))
        Path(folder, "seed").write_text(str(params["shuffle_seed"]))
        mlflow.pyfunc.save_model(
            sys.argv[1],
            loader_module="shuffled",
            code_paths=["shuffled.py"],
            data_path=folder,
            signature=signature,
            pip_requirements=pins,
        )
'''

SHUFFLED = '''\
"""The better model with its scores dealt out at random."""

from pathlib import Path

import lightgbm
import numpy


class Shuffled:
    def __init__(self, folder):
        self.booster = lightgbm.Booster(model_file=str(folder / "booster.txt"))
        self.seed = int((folder / "seed").read_text())

    def predict(self, frame):
        return numpy.random.default_rng(self.seed).permutation(self.booster.predict(frame))


def _load_pyfunc(path):
    return Shuffled(Path(path))
'''


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers, plural s taken off."""
    found = re.findall(r"[a-z]+|[0-9]+", text.lower())
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found]


@dataclass(frozen=True)
class Product:
    """A product's texts as words."""

    id: str
    title: str
    released: str
    title_words: list[str]
    brand_words: list[str]
    description_words: list[str]
    attribute_words: list[str]
    attributes: int

    @property
    def all_words(self) -> list[str]:
        """Title, brand, description and attributes."""
        return [
            *self.title_words,
            *self.brand_words,
            *self.description_words,
            *self.attribute_words,
        ]


class Bm25:
    """Okapi BM25 over one field (Robertson and Zaragoza, 2009), k1 = 1.2, b = 0.75."""

    def __init__(self, documents: Iterable[list[str]]) -> None:
        every = list(documents)
        self._n = len(every)
        self._mean = sum(map(len, every)) / self._n
        self._holding = Counter(word for words in every for word in set(words))

    def score(self, query: Sequence[str], words: Sequence[str]) -> float:
        """The score of one document."""
        counts = Counter(words)
        norm = 1.2 * (0.25 + 0.75 * len(words) / self._mean)
        total = 0.0
        for word in query:
            holding = self._holding[word]
            idf = math.log1p((self._n - holding + 0.5) / (holding + 0.5))
            total += idf * counts[word] * 2.2 / (counts[word] + norm)
        return total


class Features:
    """Lexical features of (query, product) pairs."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._title = Bm25(one.title_words for one in products)
        self._all = Bm25(one.all_words for one in products)

    def of(self, query: str, product: Product) -> dict[str, float]:
        """All features of `MORE` for one pair."""
        words, title = tokens(query), product.title_words
        numbers = [word for word in words if word.isdigit()]
        places = [place for place, word in enumerate(title) if word in words]
        return {
            "title_overlap": _overlap(words, title),
            "brand_overlap": _overlap(words, product.brand_words),
            "description_overlap": _overlap(words, product.description_words),
            "attribute_overlap": _overlap(words, product.attribute_words),
            "bm25_title": self._title.score(words, title),
            "bm25_all": self._all.score(words, product.all_words),
            "phrase_in_title": float(_holds_phrase(words, title)),
            "phrase_anywhere": float(_holds_phrase(words, product.all_words)),
            "last_word_in_title": float(words[-1] in title),
            "first_place_in_title": float(places[0] if places else 99),
            "numbers_matched": float(sum(word in product.all_words for word in numbers)),
            "title_length": float(len(title)),
            "release_year": float(product.released[:4] or 0),
            "attributes": float(product.attributes),
            "title_trigrams": _trigram_overlap(" ".join(words), " ".join(title)),
        }


def _overlap(words: Sequence[str], field: Sequence[str]) -> float:
    return sum(word in field for word in words) / len(words)


def _holds_phrase(words: list[str], field: list[str]) -> bool:
    size = len(words)
    return any(field[at : at + size] == words for at in range(len(field) - size + 1))


def _trigram_overlap(query: str, title: str) -> float:
    asked = {query[at : at + 3] for at in range(max(len(query) - 2, 1))}
    held = {title[at : at + 3] for at in range(max(len(title) - 2, 1))}
    return len(asked & held) / len(asked)


def read_products(data: Path) -> dict[str, Product]:
    """The products by id."""
    found = {}
    with (data / "chorus" / "products.jsonl").open(encoding="utf-8") as stream:
        for line in stream:
            raw = json.loads(line)
            found[raw["id"]] = Product(
                id=raw["id"],
                title=raw["title"],
                released=raw["released"] or "",
                title_words=tokens(raw["title"]),
                brand_words=tokens(raw["brand"]),
                description_words=tokens(raw["description"] or ""),
                attribute_words=tokens(" ".join(map(str, raw["attrs"].values()))),
                attributes=len(raw["attrs"]),
            )
    return found


def read_rows(path: Path) -> list[dict[str, str]]:
    """A CSV file's rows."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A CSV file of some columns of some rows."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def held_out(grades: dict[str, list[int]]) -> set[str]:
    """Half of the queries, to judge on: every second one by hash, kind of query by kind.

    Three kinds: several grades, one grade, no relevant document. So both halves are alike, and
    the choice has seen no model.
    """

    def kind(query: str) -> int:
        given = grades[query]
        return 0 if max(given) == 0 else min(len(set(given)), 2)

    found: set[str] = set()
    for one in range(3):
        members = [query for query in grades if kind(query) == one]
        members.sort(key=lambda query: hashlib.sha256(query.encode()).hexdigest())
        found |= set(members[1::2])
    return found


def lay_out(project: Path, data: Path) -> None:
    """Write card, golden set and model folder, with training data of the other queries only."""
    products = read_products(data)
    features = Features(list(products.values()))
    judgments = read_rows(data / "chorus" / "judgments.csv")
    grades: dict[str, list[int]] = {}
    for row in judgments:
        grades.setdefault(row["query"], []).append(int(row["grade"]))
    golden_queries = held_out(grades)
    ids = {query: f"q{at:03}" for at, query in enumerate(grades)}
    pairs = []
    for row in judgments:
        product = products[row["product_id"]]
        values = features.of(row["query"], product)
        pairs.append(
            {
                "query": row["query"],
                "query_id": ids[row["query"]],
                "doc_id": product.id,
                "title": product.title,
                "grade": row["grade"],
                **values,
            }
        )
    model = project / "models" / MODEL
    write_model(model)
    training = [one for one in pairs if one["query"] not in golden_queries]
    columns = ("query_id", "doc_id", "grade", *MORE)
    write_rows(model / "data" / "training.csv", columns, training)
    write_card(project, STRICT)
    golden = project / "golden" / MODEL
    golden.mkdir(parents=True)
    kept = [one for one in pairs if one["query"] in golden_queries]
    _write_golden(golden, kept, {w for one in products.values() for w in one.brand_words})
    raters = read_rows(data / "chorus" / "annotator_ratings.csv")
    opinions = [
        {
            "query_id": ids[row["query"]],
            "doc_id": row["product_id"],
            "annotator": who,
            "grade": row[who],
        }
        for row in raters
        if row["query"] in golden_queries
        for who in ("rater_1", "rater_2", "rater_3")
    ]
    write_rows(golden / "annotations.csv", ("query_id", "doc_id", "annotator", "grade"), opinions)


def _write_golden(folder: Path, pairs: list[dict[str, Any]], brands: set[str]) -> None:
    (folder / "manifest.yaml").write_text(MANIFEST % ", ".join(MORE), encoding="utf-8")
    queries = {}
    for one in pairs:
        words = tokens(one["query"])
        queries[one["query_id"]] = {
            "query_id": one["query_id"],
            "query": one["query"],
            "words": "one" if len(words) == 1 else "more",
            "brand": "yes" if brands & set(words) else "no",
        }
    write_rows(folder / "queries.csv", ("query_id", "query", "words", "brand"), queries.values())
    write_rows(folder / "candidates.csv", ("query_id", "doc_id", "title", *MORE), pairs)
    write_rows(folder / "judgments.csv", ("query_id", "doc_id", "grade"), pairs)


def write_model(folder: Path) -> None:
    """The model folder, locked like the repository's own ranker."""
    (folder / "data").mkdir(parents=True)
    for name in ("requirements.in", "requirements.txt"):
        shutil.copyfile(REPOSITORY / "models" / "product-ranker" / name, folder / name)
    (folder / "build.py").write_text(BUILD, encoding="utf-8")
    (folder / "shuffled.py").write_text(SHUFFLED, encoding="utf-8")
    window = "training_window: {start: 2021-01-01, end: 2021-12-31}\n"
    (folder / "package.yaml").write_text(window, encoding="utf-8")


def write_card(project: Path, demands: dict[str, Any]) -> None:
    """The model card with these demands: `STRICT` or `WIDE`."""
    path = project / "model_cards" / f"{MODEL}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(CARD % demands, encoding="utf-8")


def set_version(project: Path, name: str) -> None:
    """Say what the next packaged version is like: a key of `VERSIONS`."""
    path = project / "models" / MODEL / "params.json"
    path.write_text(json.dumps(VERSIONS[name]), encoding="utf-8")
