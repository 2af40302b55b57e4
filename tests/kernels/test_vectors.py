"""Neighbours, duplicates and collapse of vectors, against brute force and values done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.kernels import vectors as kernel
from gates.kernels.packed import Floats


def random_vectors(n: int, d: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, d))


def by_hand(asked: Floats, vectors: Floats, k: int) -> list[list[int]]:
    def cosine(a: Floats, b: Floats) -> float:
        return round(float(a @ b / max(math.sqrt(a @ a) * math.sqrt(b @ b), 1e-300)), 12)

    return [
        sorted((j for j in range(len(vectors)) if j != i), key=lambda j: -cosine(one, vectors[j]))[
            :k
        ]
        for i, one in enumerate(asked)
    ]


@settings(max_examples=60)
@given(st.integers(2, 12), st.integers(2, 4), st.integers(1, 14), st.integers(0, 10**6))
def test_neighbours_are_those_of_brute_force_ties_by_index(
    n: int, d: int, k: int, seed: int
) -> None:
    # Few whole numbers: many ties, and vectors of zeros.
    drawn = np.random.default_rng(seed).integers(-1, 2, size=(2, n, d)).astype(float)
    asked, vectors = drawn
    assert kernel.nearest(asked, vectors, k).tolist() == by_hand(asked, vectors, k)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = random_vectors(50, 5)
    whole = kernel.nearest(vectors, vectors, 7)
    monkeypatch.setattr(kernel, "_CELLS", 150)
    assert (kernel.nearest(vectors, vectors, 7) == whole).all()


def test_neighbours_do_not_depend_on_length_however_large_or_small() -> None:
    vectors = random_vectors(20, 4)
    scale = np.logspace(-200, 200, 20)[:, None]
    expected = kernel.nearest(vectors, vectors, 5)
    assert (kernel.nearest(vectors * scale, vectors * scale, 5) == expected).all()
    assert kernel.norms(vectors * scale) == pytest.approx(kernel.norms(vectors) * scale[:, 0])


def test_one_text_has_no_neighbour() -> None:
    one = np.array([[1.0, 2.0]])
    assert kernel.nearest(one, one, 3).shape == (1, 0)
    assert np.isnan(kernel.overlap(np.empty((1, 0), int), np.empty((1, 0), int))).all()
    assert not kernel.duplicated(one, 1e-6).any()


def test_overlap_and_change_by_hand() -> None:
    old, new = np.array([[1, 2], [0, 2], [0, 1]]), np.array([[2, 1], [0, 3], [3, 4]])
    assert kernel.overlap(old, new).tolist() == [1.0, 0.5, 0.0]
    assert kernel.changed(old, new).tolist() == [False, True, True]


def test_norms_and_cosines_by_hand() -> None:
    assert kernel.norms(np.full((1, 4), 1.7e308)).tolist() == [np.finfo(float).max]
    first, second = np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[4.0, 3.0], [1.0, 0.0]])
    assert kernel.norms(first).tolist() == [5.0, 0.0]
    assert kernel.cosines(first, second).tolist() == pytest.approx([0.96, 0.0])


def test_vectors_of_one_direction_are_duplicates_and_near_ones_are_not() -> None:
    vectors = np.array([[1.0, 0.0], [5.0, 0.0], [1.0, 1e-3], [0.0, 1.0], [-1.0, 0.0]])
    assert kernel.duplicated(vectors, 1e-6).tolist() == [True, True, False, False, False]
    assert kernel.duplicated(vectors, 1e-2).tolist() == [True, True, True, False, False]


def test_collapse_by_hand() -> None:
    line = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    assert kernel.first_share(line) == pytest.approx(1.0)
    assert kernel.effective_rank(line) == pytest.approx(1.0)
    cross = np.eye(4)
    assert kernel.first_share(cross) == pytest.approx(0.25)
    assert kernel.effective_rank(cross) == pytest.approx(4.0)
    # Singular values √2 and 1.
    share = np.array([math.sqrt(2), 1.0]) / (math.sqrt(2) + 1)
    expected = math.exp(-(share * np.log(share)).sum())
    assert kernel.effective_rank(np.array([[1.0, 0], [1, 0], [0, 1]])) == pytest.approx(expected)
    assert kernel.first_share(np.array([[1.0, 0], [1, 0], [0, 1]])) == pytest.approx(2 / 3)


def test_of_vectors_of_zeros_no_collapse_can_be_told() -> None:
    assert math.isnan(kernel.first_share(np.zeros((3, 2))))
    assert math.isnan(kernel.effective_rank(np.zeros((3, 2))))


@pytest.mark.parametrize("shape", [(40, 6), (6, 40)])
def test_the_rank_is_that_of_the_singular_values(shape: tuple[int, int]) -> None:
    vectors = random_vectors(*shape)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    singular = np.linalg.svd(unit, compute_uv=False)
    share = singular / singular.sum()
    expected = math.exp(-(share * np.log(share)).sum())
    assert kernel.effective_rank(vectors) == pytest.approx(expected)
    assert kernel.first_share(vectors) == pytest.approx(singular[0] ** 2 / (singular**2).sum())
