"""Cutting a set of queries by the slices a card names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gates.kernels.packed import Bools

__all__ = ["cuts", "margin_of"]


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


def margin_of(margins: Mapping[str, float], name: str) -> float | None:
    """What a slice may lose: its value's own margin goes before its column's.

    Args:
        margins: Slice key as the card writes it → margin; the empty key is the whole set's.
        name: The slice's name (`column=value`, empty for the whole).
    """
    return margins.get(name, margins.get(name.partition("=")[0]))
