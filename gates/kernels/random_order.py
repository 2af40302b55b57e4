"""What a metric is worth without any model: the same documents in random order, and in the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gates.kernels.ids import Codes, mix_bits
from gates.kernels.packed import Floats
from gates.kernels.ranking import Ranking

_SHUFFLES = 32  # an order of one query scatters by 0.15 or so: its mean by a fiftieth
# Odd, as SplitMix64 steps: another place and another shuffle are another word.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_NEXT = np.uint64(0xD1B54A32D192ED03)


def random_order(metric: Callable[[Ranking], Floats], lists: Ranking) -> Floats:
    """The mean of a metric over random orders of each query's documents, float64[Q].

    A query has the same orders whichever others it is measured beside.

    Args:
        metric: Its value for each query, float64[Q], NaN where it does not exist.
        lists: All documents that there are to rank.
    """
    total = np.zeros(lists.starts.size - 1)
    for one in random_orders(lists):
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


def random_orders(lists: Ranking) -> Iterator[Ranking]:
    """Some random orders of each query's documents, always the same ones."""
    sizes = np.diff(lists.starts)
    places = np.arange(lists.docs.size) - np.repeat(lists.starts[:-1], sizes)
    own = mix_bits(lists.docs.astype(np.uint64) + places.astype(np.uint64) * _STEP)
    # A word for each list: queries that share documents are not to share their orders.
    whole = np.concatenate((np.zeros(1, np.uint64), np.cumsum(own)))
    own ^= np.repeat(mix_bits(whole[lists.starts[1:]] - whole[lists.starts[:-1]]), sizes)
    for _ in range(_SHUFFLES):
        own += _NEXT
        yield _ordered(lists, mix_bits(own.copy()))


def _ordered(lists: Ranking, key: Floats | Codes) -> Ranking:
    query = np.repeat(np.arange(lists.starts.size - 1), np.diff(lists.starts))
    order = np.lexsort((key, query))
    return Ranking(lists.starts, lists.docs[order], lists.grades[order])
