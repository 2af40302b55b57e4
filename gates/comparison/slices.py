"""Cutting a set of queries by the slices that a card or a command names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gates.kernels.packed import Bools

__all__ = ["Slice", "cuts", "margin_of"]

Slice = tuple[str, Bools]
"""A slice's name (`column=value`, empty for the whole) and its rows, bool[n]."""


def cuts(values: Mapping[str, Sequence[str]], slices: Sequence[str], n: int) -> Iterator[Slice]:
    """The whole set first, then each named slice; a column stands for all its values.

    Args:
        values: column → n values; empty string where there is none.
        slices: Columns, or `column=value`.
        n: How many rows there are.
    """
    yield "", np.ones(n, dtype=bool)
    for name in slices:
        column, equals, value = name.partition("=")
        held = np.array(values[column], dtype=object)
        wanted = (value,) if equals else sorted({one for one in values[column] if one})
        for one in wanted:
            yield f"{column}={one}", held == one


def margin_of(margins: Mapping[str, float], name: str) -> float | None:
    """What a slice may lose: its value's own margin goes before its column's.

    Args:
        margins: Slice key as the card writes it → margin; the empty key is the whole set's.
        name: The slice's name (`column=value`, empty for the whole).
    """
    return margins.get(name, margins.get(name.partition("=")[0]))
