"""The one order a file of scores has, against a plain sort."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.comparison.files.arrow import text_buffers
from gates.kernels.canonical import order_lists, order_numbered
from gates.kernels.ids import id_words
from gates.kernels.packed import Floats

scores = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1.0 + 1e-9, -1.0, 1e300, -1e300, float("inf"), 5e-324]),
    st.floats(allow_nan=False),
)
lists = st.lists(st.lists(scores, max_size=9), min_size=1, max_size=6)


def ordered(values: list[list[float]], docs: list[str]) -> tuple[list[int], list[bool]]:
    starts = np.cumsum([0, *map(len, values)], dtype=np.int64)
    flat: Floats = np.array([one for row in values for one in row], dtype=np.float64)
    text = text_buffers(pa.array(docs, pa.string()))
    found = order_lists(starts, flat, lambda rows: id_words(*text, rows))
    return found.row.tolist(), found.tied.tolist()


@given(lists, st.integers(0, 10**6))
def test_score_descending_then_document_id_descending(values: list[list[float]], seed: int) -> None:
    number = np.random.default_rng(seed).permutation(sum(map(len, values)))
    docs = [f"d{one}" for one in number]
    expected: list[int] = []
    first = 0
    for row in values:
        place = sorted(range(len(row)), key=lambda at: docs[first + at], reverse=True)
        place.sort(key=lambda at: -row[at])
        expected += [first + at for at in place]
        first += len(row)
    assert ordered(values, docs)[0] == expected


def test_scores_alike_in_single_precision_are_told_apart() -> None:
    assert ordered([[0.5, 0.5 + 1e-12]], ["b", "a"]) == ([1, 0], [False, False])


def test_zero_and_minus_zero_tie() -> None:
    assert ordered([[-0.0, 0.0]], ["a", "b"]) == ([1, 0], [False, True])


def test_a_tie_does_not_reach_across_queries() -> None:
    assert ordered([[1.0], [1.0, 1.0]], ["a", "b", "c"]) == ([0, 2, 1], [False, False, True])


def test_long_lists_of_one_length_and_ragged_ones_agree() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(700, 90)).round(2)
    docs = [f"{at:06}" for at in range(rows.size)]
    even, _ = ordered(rows.tolist(), docs)
    ragged, _ = ordered(
        [*rows.tolist(), *[[1.0] * n for n in range(60)]], [*docs, *map(str, range(1770))]
    )
    assert ragged[: rows.size] == even


def test_numbered_documents_stand_by_query_then_score_then_number() -> None:
    score = np.array([0.0, -0.0, 1e-300, 0.1, 0.2])
    order = order_numbered(np.array([0, 3, 5]), score, np.array([1, 2, 0, 5, 0]))
    assert order.tolist() == [2, 1, 0, 4, 3]


def test_numbered_documents_are_kept_apart_where_single_precision_would_tie_them() -> None:
    score = np.array([0.5, 0.5 + 1e-9])
    assert order_numbered(np.array([0, 2]), score, np.array([1, 0])).tolist() == [1, 0]


def test_the_smallest_and_the_largest_number_have_their_places() -> None:
    extremes = np.array([0, np.iinfo(np.int64).max])
    assert order_numbered(np.array([0, 2]), np.zeros(2), extremes).tolist() == [1, 0]


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="1 scores are NaN"):
        order_numbered(np.array([0, 2]), np.array([1.0, np.nan]), np.arange(2))
