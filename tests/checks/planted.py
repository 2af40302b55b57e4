"""One honest model for each task, from which planted defects are made, and the subject it is in."""

from __future__ import annotations

import math
import unicodedata
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from gates.domain.judging import Role
from gates.domain.subject import Columns, Contributions, Expectation, GoldenSet
from gates.kernels.packed import Floats
from tests.checks.subjects import FakeArm, FakeSubject, golden_set

__all__ = [
    "HONEST",
    "category",
    "evened",
    "ranker",
    "subject",
    "summed",
    "timed",
    "vector",
    "write_training",
]

CLASSES = {
    "Furniture": ("wardrobe", "bookcase", "armchair", "sideboard"),
    "Lighting": ("chandelier", "lampshade", "floodlight", "candlestick"),
    "Clothes": ("sweatshirt", "waistcoat", "cardigan", "dungarees"),
    "Tools": ("screwdriver", "wheelbarrow"),
}
WAYS = ("grey", "vintage", "yellow", "folding", "luxury", "cheap", "hobby", "scandinavian", "mini")
QUERIES = tuple(
    f"{way} {noun}{end}"
    for name, nouns in CLASSES.items()
    for way, noun, end in product(
        WAYS[: 3 if name == "Tools" else None], nouns, ("", " 15in", " for kids")
    )
)
TEXTS = tuple(
    " ".join(words)
    for words in product(
        ("red", "green", "blue", "white"), ("wooden", "metal"), ("desk", "lamp", "chair", "bench")
    )
)
LISTS, DEPTH = 80, 12
WEIGHTS = {"bm25": 3.0, "title": 2.0, "clicks": 1.0, "stock": 0.8, "price": -0.5, "shipped": 0.3}


def evened(text: str) -> str:
    """A query without what is only another spelling of it."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("-", " ").split())


def category(text: str, even: Callable[[str], str] = evened) -> tuple[str, float]:
    """The class whose nouns share most runs of three letters with the query, three times in four.

    Args:
        text: The query.
        even: What evens out spellings.
    """
    grams = _grams(even(text))
    likeness = {
        name: max(len(grams & _grams(noun)) for noun in nouns) for name, nouns in CLASSES.items()
    }
    return max(likeness, key=lambda name: likeness[name]), 0.75


def _grams(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(len(text) - 2)}


def ranker(arm: FakeArm, **weights: float) -> FakeArm:
    """An arm made to add up weighted features, missing ones as 0, and to tell what each adds.

    Args:
        arm: The arm.
        weights: Feature → its weight where it is not the honest one.
    """
    chosen = {**WEIGHTS, **weights}

    def explain(columns: Columns) -> Contributions:
        parts = [w * np.nan_to_num(np.asarray(columns[n], float)) for n, w in chosen.items()]
        return Contributions(tuple(chosen), np.stack(parts, 1), np.zeros(len(parts[0])))

    arm.explain, arm.inputs = explain, tuple(chosen)
    arm.score = lambda columns: explain(columns).values.sum(axis=1)
    return arm


def vector(text: str) -> Floats:
    """Each distinct word adds a direction of its own: repeating one changes nothing."""
    return summed(sorted(set(text.lower().split())))


def summed(words: Sequence[str]) -> Floats:
    """The sum of the directions of words, of length 1."""
    drawn = [np.random.default_rng(zlib.crc32(word.encode())).normal(size=16) for word in words]
    total: Floats = np.sum(drawn, axis=0)
    unit: Floats = total / np.linalg.norm(total)
    return unit


def timed(columns: Columns) -> float:
    """Ten milliseconds a request."""
    return 0.010


def _honest_ranker(arm: FakeArm) -> FakeArm:
    return ranker(arm)


def _honest_classifier(arm: FakeArm) -> FakeArm:
    arm.label = category
    return arm


def _honest_embedding(arm: FakeArm) -> FakeArm:
    arm.embed = vector
    return arm


HONEST: Mapping[str, Callable[[FakeArm], FakeArm]] = {
    "ranking": _honest_ranker,
    "classification": _honest_classifier,
    "embedding": _honest_embedding,
}
"""Task → what makes an arm an honest model of it."""


def subject(task: str, project: Path) -> FakeSubject:
    """An honest candidate beside an honest champion, on a golden set where nothing is wrong.

    Args:
        task: The task.
        project: Where the training snapshot of a ranker lies.
    """

    def arm(role: Role, key: str) -> FakeArm:
        return HONEST[task](FakeArm(role, time=timed, peak=100 << 20, key=key))

    guests: dict[Role, FakeArm] = {"champion": arm("champion", "new")}
    new, old = arm("candidate", "new"), arm("champion", "old")
    return FakeSubject(_golden(task), new, old, guests=guests, project=project)


def _golden(task: str) -> GoldenSet:
    if task == "ranking":
        return _lists()
    if task == "embedding":
        expected = [Expectation(0, "closer", "q1", line=2, than="q31")]
        return golden_set(task=task, texts=TEXTS, expectations=expected)
    names = list(CLASSES)
    expected = []
    for at, text in enumerate(QUERIES):
        mistaken = at % 4 == 3
        name = category(text)[0]
        target = names[(names.index(name) + 1) % 3] if mistaken else name
        expected.append(Expectation(at, "label", target, low=0.5, high=1.0, line=at + 2))
    return golden_set(task=task, texts=QUERIES, expectations=expected)


def _drawn(seed: int) -> dict[str, Floats]:
    random = np.random.default_rng(seed)
    rows = LISTS * DEPTH
    drawn = {name: random.permutation(rows) / (rows - 1) for name in WEIGHTS}
    return {**drawn, "shipped": (drawn["shipped"] > 0.5).astype(np.float64)}


def _lists() -> GoldenSet:
    features = _drawn(1)
    worth = (3 * features["bm25"] + 2 * features["title"]).reshape(LISTS, DEPTH)
    lists: list[dict[str, float | None]] = [
        {f"d{at:02}": float(min(3, math.floor(worth[query, at]))) for at in range(DEPTH)}
        for query in range(LISTS)
    ]
    scores = sum(w * features[name] for name, w in WEIGHTS.items())
    placed = np.argsort(-np.asarray(scores).reshape(LISTS, DEPTH), axis=1)
    surest = int(np.argmax(np.sort(np.asarray(scores).reshape(LISTS, DEPTH), axis=1)[:, -1]))
    best, worst = (f"d{placed[surest, place]:02}" for place in (0, -1))
    expected = [
        Expectation(surest, "must-be-first", best, line=2),
        Expectation(surest, "in-top", best, k=3, line=3),
        Expectation(surest, "never-in-top", worst, k=3, line=4),
    ]
    columns: dict[str, list[float]] = {name: list(values) for name, values in features.items()}
    return golden_set(lists=lists, features=columns, expectations=expected)


def write_training(folder: Path) -> None:
    """Write the rows that a ranker was trained on, which look like the golden ones."""
    features = _drawn(7)
    lines = [",".join(["query_id", *features])]
    for row, values in enumerate(zip(*features.values(), strict=True)):
        lines.append(",".join([f"q{row}", *(repr(float(value)) for value in values)]))
    (folder / "training.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
