"""Populations of per-query differences that calibration draws its samples from.

`CHOSEN_BY` helped to choose the bound; `HELD_OUT` was written down before it was tried on it and
changed nothing. `real()` are differences of real rankers, where the data lie beside the project.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gates.kernels.packed import Floats
from gates.kernels.ranking import ndcg

__all__ = ["CHOSEN_BY", "HELD_OUT", "Draw", "Population", "real"]

DATA = Path(__file__).parents[2] / "shared" / "data"
_TRUTH_DRAWS = 4_000_000

Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]


@dataclass(frozen=True)
class Population:
    """A name, and how to draw differences of a shape from it."""

    name: str
    draw: Draw

    def truths(self, severe: float) -> tuple[float, float, float, float]:
        """Mean, mean with losses cut at `severe`, with gains cut, share of severe losses."""
        values = self.draw(np.random.default_rng(0), (_TRUTH_DRAWS,))
        cut = float(np.maximum(values, -severe).mean()), float(np.minimum(values, severe).mean())
        return float(values.mean()), *cut, float((values <= -severe).mean())


def _mixed(share: float, losses: Draw, rest: Draw) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        return np.where(rng.random(shape) < share, losses(rng, shape), rest(rng, shape))

    return draw


def _constant(value: float) -> Draw:
    return lambda _rng, shape: np.full(shape, value)


def _brier(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Squared errors of two classifiers' scores, of which one in thirty differs a lot."""
    old = rng.beta(5, 1, shape)
    new = np.clip(old + rng.normal(0, 0.05, shape), 0, 1)
    new = np.where(rng.random(shape) < 0.03, rng.random(shape), new)
    right = rng.random(shape) < old
    return (old - right) ** 2 - (new - right) ** 2


def _ndcg_like(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.clip(rng.normal(0, 0.17, shape), -1, 1)


def _win(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.random(shape) * 0.04


def _jitter(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.normal(0, 0.003, shape)


def _beta(a: float, b: float) -> Draw:
    return lambda rng, shape: -rng.beta(a, b, shape)


def _one_of(values: list[float], shares: list[float]) -> Draw:
    return lambda rng, shape: rng.choice(values, shape, p=shares)


def _wide_losses(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return -rng.uniform(0.3, 1, shape)


def _student(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.clip(rng.standard_t(3, shape) / 50, -0.3, 0.3)


def _lognormal_losses(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return -np.minimum(rng.lognormal(-3, 1, shape), 1)


def _heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return 0.05 - rng.beta(0.05, 1, shape)


def _faint_jitter(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.normal(0, 0.001, shape)


CHOSEN_BY = (
    Population("dense, scatter .17", _ndcg_like),
    Population("small gains, 5 % lose a lot", _mixed(0.05, _beta(2, 3), _win)),
    Population("jitter .003, 1 % lose .3", _mixed(0.01, _constant(-0.3), _jitter)),
    Population("zeros, 1 % lose .3", _mixed(0.01, _constant(-0.3), _constant(0.0))),
    Population("zeros, 1 % lose .3 to 1", _mixed(0.01, _wide_losses, _constant(0.0))),
    Population("zeros, 1 % lose 1", _mixed(0.01, _constant(-1.0), _constant(0.0))),
    Population("bimodal, ±.2", _mixed(0.5, _constant(-0.2), _constant(0.2))),
    Population("all equal", _constant(-0.004)),
    Population("Brier differences", _brier),
    Population("95 % gain .01, 5 % lose .3", _mixed(0.05, _constant(-0.3), _constant(0.01))),
)
"""What the bound was chosen by."""

HELD_OUT = (
    Population("heavy left tail, .05 − Beta(.05, 1)", _heavy),
    Population("90 % 0, 7 % +.1, 3 % −.25", _one_of([0.0, 0.1, -0.25], [0.9, 0.07, 0.03])),
    Population("2 % lose Beta(5, 2), rest t₃ / 50", _mixed(0.02, _beta(5, 2), _student)),
    Population("10 % lognormal losses", _mixed(0.1, _lognormal_losses, _constant(0.005))),
    Population("jitter .001, .5 % lose .3", _mixed(0.005, _constant(-0.3), _faint_jitter)),
    Population("3 % lose .3, 10 % lose .05", _one_of([0.0, -0.05, -0.3], [0.87, 0.1, 0.03])),
)
"""What it was then tried on, unchanged."""


def real() -> tuple[Population, ...]:
    """Differences of nDCG@10 of two rankers, plain and with 1.7 % of the new lists upside down."""
    found = []
    for name, read in (("chorus", _chorus), ("esci", _esci), ("ltr", _ltr)):
        if not (DATA / name).is_dir():
            continue
        old, new, turned = _scores(read())
        plain, upside = new - old, turned - old
        found.append(Population(f"{name}, two rankers", _resampled(plain, plain, 0.0)))
        found.append(Population(f"{name}, 1.7 % upside down", _resampled(plain, upside, 0.017)))
    return tuple(found)


def _resampled(plain: Floats, upside: Floats, share: float) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        row = rng.integers(0, plain.size, shape)
        return np.where(rng.random(shape) < share, upside[row], plain[row])

    return draw


Query = tuple[Floats, Floats, Floats]
"""Grades of its documents, and their old and new scores."""


def _scores(queries: Iterable[Query]) -> tuple[Floats, Floats, Floats]:
    """nDCG@10 of each query under the old ranking, the new, and the new upside down."""
    kept = [one for one in queries if one[0].max(initial=0) > 0]
    grades = [one[0] for one in kept]
    starts = np.cumsum([0, *(one.size for one in grades)])
    every = np.concatenate(grades)

    def of(rankings: Iterable[Floats]) -> Floats:
        lists = [g[np.argsort(-s, kind="stable")] for g, s in zip(grades, rankings, strict=True)]
        return ndcg(starts, np.concatenate(lists), starts, every, 10)

    return of(q[1] for q in kept), of(q[2] for q in kept), of(-q[2] for q in kept)


def _chorus() -> Iterable[Query]:
    """Words of the query in the title, against words in all that is said of the product."""
    folder = DATA / "chorus"
    texts = {}
    for line in (folder / "products.jsonl").read_text("utf-8").splitlines():
        product = json.loads(line)
        fields = [str(product.get(f, "")).lower() for f in ("title", "brand", "description")]
        words = [re.findall(r"\w+", field) for field in fields]
        texts[str(product["id"])] = words
    judged: dict[str, list[tuple[str, float]]] = defaultdict(list)
    with (folder / "judgments.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            judged[row["query"]].append((row["product_id"], float(row["grade"])))
    for query, documents in judged.items():
        asked = set(query.lower().split())
        parts = [texts.get(one, [[], [], []]) for one, _ in documents]
        title = np.array([len(asked & set(p[0])) / (5 + len(p[0])) for p in parts])
        rest = np.array([len(asked & set(p[1] + p[2])) / (50 + len(p[2])) for p in parts])
        yield np.array([grade for _, grade in documents]), title, title + rest


def _esci() -> Iterable[Query]:
    """Two rankers that know the grade to within a scatter of their own."""
    rng = np.random.default_rng(1)
    for one in json.loads((DATA / "esci" / "esci_us_judgments.json").read_text("utf-8"))[
        "judgmentRatings"
    ]:
        grade = np.array([float(rating["rating"]) for rating in one["ratings"]]) / 100
        shared = grade + rng.normal(0, 0.5, grade.size)
        yield grade, shared, shared + rng.normal(0, 0.15, grade.size)


def _ltr() -> Iterable[Query]:
    """Least squares on half of the features, against all; each half of the queries tests."""
    folder = DATA / "ltr"
    rows = [line.split() for line in (folder / "rank.train").read_text("utf-8").splitlines()]
    features = np.zeros((len(rows), 301))
    for place, row in enumerate(rows):
        for pair in row[1:]:
            column, value = pair.split(":")
            features[place, int(column) % 301] = float(value)
    grade = np.array([float(row[0]) for row in rows])
    sizes = [int(n) for n in (folder / "rank.train.query").read_text("utf-8").split()]
    query = np.repeat(np.arange(len(sizes)), sizes)
    scores = np.zeros((2, grade.size))
    for half in (0, 1):
        train = query % 2 == half
        for arm, columns in enumerate((slice(0, 150), slice(0, 301))):
            x = features[:, columns]
            square = x[train].T @ x[train] + 30 * np.eye(x.shape[1])
            scores[arm, ~train] = (x @ np.linalg.solve(square, x[train].T @ grade[train]))[~train]
    for number in range(len(sizes)):
        rows_ = query == number
        yield grade[rows_], scores[0, rows_], scores[1, rows_]
