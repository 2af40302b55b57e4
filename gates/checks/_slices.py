"""Cutting a set of queries by the slices a card names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gates.kernels.packed import Bools

__all__ = ["cuts"]


def cuts(
    values: Mapping[str, Sequence[str]], columns: Sequence[str], n: int
) -> Iterator[tuple[str, Bools]]:
    """The whole set first, then each value of each named column.

    Args:
        values: column → n values; empty string where there is none.
        columns: The columns to cut by.
        n: How many rows there are.

    Yields:
        The slice's name (`column=value`, empty for the whole) and bool[n], its rows.
    """
    yield "", np.ones(n, dtype=bool)
    for column in columns:
        held = np.array(values[column], dtype=object)
        for value in sorted({one for one in values[column] if one}):
            yield f"{column}={value}", held == value
