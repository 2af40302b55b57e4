"""What a metric is worth without any model: the same documents in random order, and in the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking

_SHUFFLES = 32  # an order of one query scatters by 0.15 or so: its mean by a fiftieth
_SEED = 0


def random_order(metric: Callable[[Ranking], Floats], lists: Ranking) -> Floats:
    """The mean of a metric over random orders of each query's documents, float64[Q].

    The same lists give the same orders.

    Args:
        metric: Its value for each query, float64[Q], NaN where it does not exist.
        lists: All documents that there are to rank.
    """
    total = np.zeros(lists.starts.size - 1)
    for one in _shuffled(lists):
        total += metric(one)
    return total / _SHUFFLES


def best_order(metric: Callable[[Ranking], Floats], lists: Ranking) -> Floats:
    """A metric of each query's documents in the order of their grades, unjudged last, float64[Q].

    Args:
        metric: As in `random_order`.
        lists: Likewise.
    """
    grade = np.where(np.isnan(lists.grades), -np.inf, lists.grades)
    return metric(_ordered(lists, -grade))


def _shuffled(lists: Ranking) -> Iterator[Ranking]:
    rng = np.random.default_rng(_SEED)
    for _ in range(_SHUFFLES):
        yield _ordered(lists, rng.random(lists.grades.size))


def _ordered(lists: Ranking, key: Floats) -> Ranking:
    query = np.repeat(np.arange(lists.starts.size - 1), np.diff(lists.starts))
    order = np.lexsort((key, query))
    return Ranking(lists.starts, lists.docs[order], lists.grades[order])
