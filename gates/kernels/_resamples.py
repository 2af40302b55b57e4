"""How often each unit is drawn in each bootstrap resample: made once, shared by every column.

A unit is a row, or in a large sample a block of rows put together at random.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gates.kernels.packed import Floats, Ints

UNITS = (256, 512, 1024)
"""Into how many blocks a larger sample is cut, whose blocks are then resampled.

A few sizes, so that slices of nearly one size share their resamples: drawing them is what takes
the time.
"""

_ROWS_A_BLOCK = 1.875  # at least, on average: blocks of one row and of two would be too uneven

_CELLS = 1 << 17  # counts drawn at a time: as floats they stay in cache


def counts(units: int, resamples: int, seed: int, stratum: int) -> Iterator[NDArray[np.uint8]]:
    """Chunks of the counts, uint8[some, units], `resamples` rows in all, each summing to `units`.

    They depend on nothing but the arguments, so columns and calls that share these share the
    resamples; the last chunks used are kept (16 MB).
    """
    size = max(1, _CELLS // units)
    full, rest = divmod(resamples, size)
    for chunk, rows in enumerate([size] * full + ([rest] if rest else [])):
        yield _draw(units, rows, seed, stratum, chunk)


@lru_cache(maxsize=128)
def _draw(units: int, rows: int, seed: int, stratum: int, chunk: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng((seed, stratum, chunk))
    cell = rng.integers(0, units, (rows, units), dtype=np.int32)
    cell += np.arange(rows, dtype=np.int32)[:, None] * np.int32(units)
    # A unit drawn more than 255 times in one resample has a probability below 1e-500.
    times = np.bincount(cell.ravel(), minlength=rows * units).astype(np.uint8)
    times.flags.writeable = False
    return times.reshape(rows, units)


def units_of(rows: int) -> int:
    """How many units a sample of this many rows is resampled in."""
    return max((size for size in UNITS if size * _ROWS_A_BLOCK <= rows), default=rows)


@lru_cache(maxsize=32)
def grouping(rows: int, seed: int) -> Ints | None:
    """A random order of the rows in which consecutive runs are blocks; None when rows are units.

    Blocks put together at random keep the variance and the third cumulant of the sum, which are
    what a studentised bootstrap works with, and cost a thousandth of the draws.
    """
    if rows == units_of(rows):
        return None
    order = np.random.default_rng((seed, rows)).permutation(rows)
    order.flags.writeable = False
    return order


def unit_sums(values: Floats, order: Ints | None) -> Floats:
    """Sum of the values in each unit, float64[units]; block sizes differ by one row at most."""
    if order is None:
        return values
    units = units_of(order.size)
    starts = np.arange(units) * order.size // units
    return np.add.reduceat(values[order], starts)
