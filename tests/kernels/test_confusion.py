"""The weighted matrix of two labels, against adding up by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.kernels.confusion import cells

Row = tuple[int, int, float]
ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.floats(0.1, 9)), min_size=1)


@given(ROWS)
def test_cells_add_up_to_what_a_loop_gives(rows: list[Row]) -> None:
    first, second, weight = (np.array(column) for column in zip(*rows, strict=True))
    found = cells(first, second, weight)
    count: Counter[tuple[int, int]] = Counter((a, b) for a, b, _ in rows)
    mass: Counter[tuple[int, int]] = Counter()
    for a, b, one in rows:
        mass[a, b] += one  # type: ignore[assignment]  # a Counter of floats
    keys = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert dict(zip(keys, found.count.tolist(), strict=True)) == dict(count)
    assert found.share.tolist() == pytest.approx([mass[key] / weight.sum() for key in keys])
    assert [keys[at] for at in found.cell] == [(a, b) for a, b, _ in rows]


def test_the_heaviest_cell_comes_first() -> None:
    found = cells(np.array([0, 1, 1]), np.array([1, 0, 0]), np.array([5.0, 1.0, 1.0]))
    assert found.first.tolist() == [0, 1]
    assert found.share.tolist() == pytest.approx([5 / 7, 2 / 7])
