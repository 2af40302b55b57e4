"""Which document is which: old lists, new lists and judgments of the same queries, matched by code.

One sort a query puts the rows about one document beside each other, where they learn of each other;
a second sort puts them back. Nothing is looked up row by row.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gates.kernels.blocks import blocks
from gates.kernels.ids import Codes
from gates.kernels.packed import Bools, Floats, Ints
from gates.kernels.similarity import Pairing

_Numbers = NDArray[np.unsignedinteger[Any]]

JUDGED: Final = 0
OLD: Final = 1
NEW: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Document codes of many queries, query by query.

    Attributes:
        starts: int64[Q + 1], offsets of each query's rows.
        codes: uint64[N], in rank order where the rows are a ranking.
    """

    starts: Ints
    codes: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """What the lists of some queries have in common.

    Attributes:
        pairing: Where each document of one ranking stands in the other.
        old_grades: float64[N_old], NaN where nobody judged the document.
        new_grades: float64[N_new].
        twice: int64[D, 2], (source, row) of rows whose document stands there before; source
            `JUDGED`, `OLD` or `NEW`. Where there are any, the rest means nothing.
    """

    pairing: Pairing
    old_grades: Floats
    new_grades: Floats
    twice: Ints


def as_codes(numbers: NDArray[np.integer]) -> Codes:
    """Documents that were numbered, from 0 up to 2^31, as codes that match exactly; uint64[N]."""
    # Matching reads the upper bits, and puts ranks in the lower.
    return numbers.astype(np.uint64) << np.uint64(32)


def pair(old: Lists, new: Lists) -> Pairing:
    """Where each document of one ranking stands in the other, nobody having judged any.

    Args:
        new: The new lists, of the same queries in the same order.
    """
    nothing = Lists(np.zeros_like(old.starts), np.empty(0, np.uint64))
    return match(old, new, nothing, np.empty(0)).pairing


def match(old: Lists, new: Lists, judged: Lists, grades: Floats) -> Matched:
    """Match the documents of both rankings with each other and with their grades.

    Within a query the upper bits of a code decide: 64 less two for the source and those that number
    the longest list. In lists of a thousand, a wrong match has a chance of about 10^-16 a pair.

    Args:
        old: The ranking in production.
        new: The ranking under test, of the same queries in the same order.
        judged: Judged documents of the same queries, in any order.
        grades: float64[N_judged], not NaN.
    """
    sources = (judged, old, new)
    longest = max(int(np.diff(one.starts).max(initial=1)) for one in sources)
    bits = (longest - 1).bit_length()
    total = sum((one.starts for one in sources), np.zeros_like(old.starts))
    ranks = (np.zeros(old.codes.size, np.int64), np.zeros(new.codes.size, np.int64))
    found = (np.empty(old.codes.size), np.empty(new.codes.size))
    known = np.concatenate(([np.nan], grades))
    twice = [np.empty((0, 2), np.int64)]
    for block in blocks(total):
        if block.width:
            cells = _Cells(sources, block.lists, block.width, bits)
            twice.append(cells.sort_and_link())
            for arm in (OLD, NEW):
                cells.take(arm, ranks[arm - 1], found[arm - 1], known)
    return Matched(Pairing(old.starts, new.starts, *ranks), *found, np.concatenate(twice))


class _Cells:
    """The rows of some queries, all three sources of a query in one row of cells."""

    def __init__(
        self, sources: tuple[Lists, Lists, Lists], lists: Ints, width: int, bits: int
    ) -> None:
        self._start = [one.starts[lists] for one in sources]
        self._length = [one.starts[lists + 1] - one.starts[lists] for one in sources]
        self._even = all(
            (length == length[0]).all() and (np.diff(start) == length[0]).all()
            for start, length in zip(self._start, self._length, strict=True)
        )
        self._bits = bits
        self._cells: _Numbers = np.full((lists.size, width), np.uint64(2**64 - 1))
        kept = ~np.uint64((1 << (bits + 2)) - 1)
        for source, one in enumerate(sources):
            number = np.arange(self._longest(source), dtype=np.uint64)
            number |= np.uint64(source << bits)
            if self._even:
                codes = one.codes[self._rows(source)].reshape(lists.size, number.size) & kept
                np.bitwise_or(codes, number, out=self._columns(source))
            elif number.size:
                query, place = self._places(source)
                codes = one.codes[self._start[source][query] + place] & kept
                self._cells[query, self._before(source)[query] + place] = codes | number[place]

    def sort_and_link(self) -> Ints:
        """Let rows about one document learn of each other; gives `Matched.twice` for these cells.

        Afterwards each cell holds, from its upper bits: source and number, its document's rank in
        the other ranking, and its judgment's row (both from 1; 0 where there is none).
        """
        keys, bits = self._cells, self._bits
        keys.sort(axis=1)
        low = np.uint64((1 << (bits + 2)) - 1)
        apart = keys[:, 1:] ^ keys[:, :-1]
        same = np.zeros(keys.shape, dtype=np.bool_)
        np.less_equal(apart, low, out=same[:, 1:])
        alike = int(np.count_nonzero(apart < np.uint64(1 << bits)))
        keys &= low
        # Three numbers of a list and its source in one integer; short ones sort twice as fast.
        cells: _Numbers = keys.astype(np.uint32) if 3 * bits + 4 <= 32 else keys
        one = cells.dtype.type(1)
        sources = one << cells.dtype.type(bits)
        # Rows about one document lie in the order judgment, old, new: the one before tells all.
        before = np.zeros_like(cells)
        np.add(cells[:, :-1], one, out=before[:, 1:])
        before *= same
        after_old = before > sources
        judgment = np.where(after_old, 0, before)
        judgment[:, 1:] += judgment[:, :-1] * after_old[:, 1:]
        rank = np.where(after_old, before - sources, 0)
        number = cells & (sources - one)
        rank[:, :-1] += (number[:, 1:] + one) * after_old[:, 1:]
        twice = self._twice(cells, before, same, alike)
        shift = cells.dtype.type(bits + 1)
        self._cells = ((cells << shift | rank) << shift) | judgment
        self._cells.sort(axis=1)
        return twice

    def take(self, source: int, ranks: Ints, grades: Floats, known: Floats) -> None:
        """Write what the rows of one source have learnt into packed arrays.

        Args:
            source: `OLD` or `NEW`.
            ranks: int64[N], the rank in the other ranking, 0 where it is not there.
            grades: float64[N], NaN where nobody judged the document.
            known: float64[1 + N_judged], NaN and then the judgments' grades.
        """
        shift = self._cells.dtype.type(self._bits + 1)
        low = self._cells.dtype.type((1 << (self._bits + 1)) - 1)
        first = self._start[JUDGED]
        rows: slice | Ints
        if self._even:
            cells, rows, first = self._columns(source), self._rows(source), first[:, None]
        else:
            query, place = self._places(source)
            cells = self._cells[query, self._before(source)[query] + place]
            rows, first = self._start[source][query] + place, first[query]
        number = (cells & low).astype(np.int64)
        ranks[rows] = (cells >> shift & low).ravel()
        grades[rows] = known[((number + first) * (number > 0)).ravel()]

    def _twice(self, cells: _Numbers, before: _Numbers, same: Bools, alike: int) -> Ints:
        """Rows of one source about one document; `alike` counts cells like the one before."""
        empty = cells.shape[1] - sum(self._length, np.zeros_like(self._length[0]))
        if alike == np.maximum(empty - 1, 0).sum():
            return np.empty((0, 2), np.int64)
        bits = cells.dtype.type(self._bits)
        source = cells >> bits
        again = same & ((before - same) >> bits == source) & (source <= NEW)
        query, column = np.nonzero(again)
        found = cells[query, column].astype(np.int64)
        whose = found >> self._bits
        row = np.stack(self._start)[whose, query] + (found & ((1 << self._bits) - 1))
        return np.stack((whose, row), axis=1)

    def _longest(self, source: int) -> int:
        return int(self._length[source].max(initial=0))

    def _before(self, source: int) -> Ints:
        """How many cells of each query come before this source's."""
        return sum(self._length[:source], np.zeros_like(self._length[0]))

    def _columns(self, source: int) -> _Numbers:
        at = int(self._before(source)[0])
        return self._cells[:, at : at + self._longest(source)]

    def _rows(self, source: int) -> slice:
        first = int(self._start[source][0])
        return slice(first, first + int(self._length[source].sum()))

    def _places(self, source: int) -> tuple[Ints, Ints]:
        """Query (among these) and place in its list of every row of a source."""
        inside = np.arange(self._longest(source)) < self._length[source][:, None]
        query, place = np.nonzero(inside)
        return query, place
