"""The one ranking that a file of scores has: by score, ties by document id descending.

That is trec_eval's rule, at the speed of one sort of integers: the sort sees single precision, and
only lists in which two scores look alike there are ordered again in full.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gates.kernels.blocks import Block, blocks
from gates.kernels.ids import Codes
from gates.kernels.packed import Bools, Floats, Ints

TieKeys = Callable[[Ints], Codes]
"""From packed rows to words that order as their document ids do; uint64[W, rows]."""


@dataclass(frozen=True, slots=True, eq=False)
class RankOrder:
    """Lists in rank order.

    Attributes:
        row: int64[N], the packed row at each place, list by list.
        tied: bool[N], places whose score equals that of the place above.
    """

    row: Ints
    tied: Bools


def order_lists(starts: Ints, scores: Floats, tie_keys: TieKeys) -> RankOrder:
    """Order each list by score descending, ties by document id descending.

    Scores are compared in full double precision; -0.0 equals 0.0.

    Args:
        starts: int64[Q + 1], packed offsets of the lists.
        scores: float64[N], finite or infinite.
        tie_keys: Called with the rows of lists in which scores tie, or nearly do.

    Raises:
        ValueError: a score is NaN, which has no place in an order.
    """
    if np.isnan(scores).any():
        raise ValueError(
            f"{int(np.isnan(scores).sum())} scores are NaN; reject them before ranking"
        )
    row = np.empty(scores.size, dtype=np.int64)
    doubtful = np.zeros(starts.size - 1, dtype=np.bool_)
    for block in blocks(starts):
        if block.width:
            _order_block(block, scores, row, doubtful)
    tied = np.zeros(scores.size, dtype=np.bool_)
    if doubtful.any():
        _order_again(starts, scores, tie_keys, np.flatnonzero(doubtful), row)
        ordered = scores[row]
        tied[1:] = ordered[1:] == ordered[:-1]
        tied[starts[:-1][np.diff(starts) > 0]] = False
    return RankOrder(row, tied)


def order_numbered(starts: Ints, scores: Floats, numbers: Ints) -> Ints:
    """`order_lists` of documents that were numbered: the row at each place, int64[N].

    Args:
        starts: int64[Q + 1], packed offsets of the lists.
        scores: float64[N], finite or infinite.
        numbers: int64[N], integers, 0 or more, that order as the document id strings do.
    """
    return order_lists(starts, scores, lambda rows: numbers[rows].astype(np.uint64)[None]).row


def _order_block(block: Block, scores: Floats, row: Ints, doubtful: Bools) -> None:
    if block.even:
        first = int(block.start[0])
        part = scores[first : first + block.lists.size * block.width]
        keys = _descending(part).reshape(block.lists.size, block.width)
        keys |= np.arange(block.width)
        keys.sort(axis=1)
        at = keys & 0xFFFFFFFF
        at += block.start[:, None]
        row[first : first + part.size] = at.ravel()
        alike = _alike(keys)
    else:
        inside = block.inside
        rows = block.rows(inside)
        keys = np.full(inside.shape, np.iinfo(np.int64).max)
        keys[inside] = _descending(scores[rows]) | np.nonzero(inside)[1]
        keys.sort(axis=1)
        row[rows] = (block.start[:, None] + (keys & 0xFFFFFFFF))[inside]
        alike = _alike(keys) & inside[:, 1:]
    doubtful[block.lists] = alike.any(axis=1)


def _alike(keys: Ints) -> Bools:
    """Whether a key shares its upper half with the one before it, bool[L, width - 1]."""
    return (keys[:, 1:] ^ keys[:, :-1]).view(np.uint64) <= np.uint64(0xFFFFFFFF)


def _descending(scores: Floats) -> Ints:
    """Integers that ascend as scores in single precision descend, in the upper half of 64 bits."""
    with np.errstate(over="ignore"):
        bits = (scores + 0.0).astype(np.float32).view(np.int32)
    return (~(bits ^ ((bits >> 31) & 0x7FFFFFFF))).astype(np.int64) << 32


def _order_again(starts: Ints, scores: Floats, tie_keys: TieKeys, lists: Ints, row: Ints) -> None:
    length = np.diff(starts)[lists]
    number = np.repeat(np.arange(lists.size), length)
    begin = np.cumsum(length) - length
    place = np.arange(number.size) - begin[number] + starts[lists][number]
    words = tie_keys(place)
    # The last key weighs most; ~ reverses the order of words and cannot overflow.
    order = np.lexsort((*(~word for word in words[::-1]), -scores[place], number))
    row[place] = place[order]
