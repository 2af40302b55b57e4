"""Which queries of the synthetic shop stand in its golden sets, and the chance each had."""

from __future__ import annotations

import random
from dataclasses import dataclass

from gates.demo._world import Query

__all__ = ["Sampled", "draw"]

_QUERIES, _HEAD, _TORSO = 180, 40, 200


@dataclass(frozen=True, slots=True)
class Sampled:
    """A query of the golden sets.

    Attributes:
        id: Its query id.
        segment: `head`, `torso` or `tail`.
        sampling: `census` or `pps`.
        inclusion: The chance with which it was drawn.
    """

    id: str
    query: Query
    segment: str
    sampling: str
    inclusion: float


def _step(population: list[Query], head: int) -> float:
    """How much traffic stands behind one drawn query when so many are taken whole."""
    return sum(query.traffic for query in population[head:]) / (_QUERIES - head)


def draw(population: list[Query], rng: random.Random) -> list[Sampled]:
    """180 queries: the head whole, the rest systematically in proportion to traffic.

    Args:
        population: All queries, most searched first.
        rng: What draws them.
    """
    head = _HEAD
    while population[head].traffic > _step(population, head):
        head += 1  # drawn in proportion to traffic it would be certain to come in
    chosen = [Sampled("", query, "head", "census", 1.0) for query in population[:head]]
    rest = list(enumerate(population[head:], start=head))
    rng.shuffle(rest)
    step = _step(population, head)
    reach, mark = 0.0, rng.random() * step
    for rank, query in rest:
        reach += query.traffic
        if reach > mark:
            mark += step
            segment = "torso" if rank < _TORSO else "tail"
            chosen.append(Sampled("", query, segment, "pps", query.traffic / step))
    chosen.sort(key=lambda one: one.query.text)
    return [
        Sampled(f"q{at:03}", one.query, one.segment, one.sampling, one.inclusion)
        for at, one in enumerate(chosen, start=1)
    ]
