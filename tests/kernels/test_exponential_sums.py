"""The chance that a weighted sum of exponential variables is below zero, against exact answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from gates.kernels._exponential_sums import chance_below_zero
from gates.kernels.packed import Floats


def chance(terms: Floats, constant: float = 0.0, times: Floats | None = None) -> float:
    many = None if times is None else np.asarray(times, np.float64)[None]
    found = chance_below_zero(np.asarray(terms, np.float64)[None], np.array([constant]), many)
    return float(found[0])


@pytest.mark.parametrize(
    ("hits", "rows", "share"),
    [(1, 1, 0.05), (2, 5, 0.08), (50, 50, 0.94), (3, 200, 0.005), (2, 10_000, 5e-5)],
)
def test_a_share_of_equal_terms_is_a_beta_variable(hits: int, rows: int, share: float) -> None:
    values = np.zeros(rows + 1)
    values[:hits] = 1
    exact = beta.cdf(share, hits, rows + 1 - hits)
    assert chance(values - share) == pytest.approx(exact, rel=5e-4)


def partial_fractions(terms: Floats) -> float:
    """P(S <= 0) of distinct terms: the negative ones' part of the hypoexponential density."""
    total = 0.0
    for place in np.flatnonzero(terms < 0):
        others = np.delete(terms, place)
        total += float(np.prod(terms[place] / (terms[place] - others)))
    return total


@given(st.lists(st.floats(0.2, 3.0), min_size=2, max_size=7), st.integers(1, 6))
def test_few_distinct_terms_agree_with_partial_fractions(steps: list[float], negative: int) -> None:
    terms = np.cumsum(steps)
    terms[: min(negative, terms.size - 1)] *= -1
    assert chance(terms) == pytest.approx(partial_fractions(terms), abs=2e-4)


@pytest.mark.parametrize("constant", [-3.0, -0.5, 0.4, 2.0])
@pytest.mark.parametrize("rows", [1, 3, 8, 60])
def test_terms_with_a_constant_agree_with_draws(rows: int, constant: float) -> None:
    rng = np.random.default_rng((rows, round(10 * constant) + 100))
    terms = rng.normal(0.1, 1, rows)
    drawn = rng.exponential(size=(200_000, rows)) @ terms + constant
    assert chance(terms, constant) == pytest.approx(np.mean(drawn <= 0), abs=0.005)


def test_a_term_that_occurs_often_is_as_many_terms() -> None:
    once = chance(np.array([0.003] * 750 + [-0.297] * 8 + [-0.3]), -0.2)
    assert chance(np.array([0.003, -0.297, -0.3]), -0.2, np.array([750.0, 8, 1])) == pytest.approx(
        once, abs=1e-4
    )
    assert chance(np.array([1.0, -5.0]), 0.0, np.array([2.0, 0.0])) == 0


def test_sums_without_chance_are_above_or_below_zero() -> None:
    assert chance(np.array([0.2, 0.4]), 0.1) == 0
    assert chance(np.array([-0.2, -0.4]), -0.1) == 1
    assert chance(np.array([0.0]), 0.1) == 0
    assert chance(np.array([0.0]), 0.0) == 1


def test_near_the_pole_at_zero_both_ways_of_reckoning_agree() -> None:
    # A mean near zero: the saddlepoint stands on the integrand's pole.
    few, many = np.array([-0.29, -0.3]), np.full(743, 0.003)
    for constant in np.linspace(-0.9, -0.3, 13):
        terms = np.concatenate((many, np.repeat(few, (4, 1))))
        below = chance(terms, float(constant))
        assert below == pytest.approx(1 - chance(-terms, -float(constant)), abs=1e-6)
        assert 0.05 < below < 0.95


def test_rows_come_out_alike_alone_and_among_others() -> None:
    rng = np.random.default_rng(3)
    terms = rng.normal(0.02, 0.2, (40, 300))
    together = chance_below_zero(terms, np.zeros(40))
    assert [chance(row) for row in terms] == together.tolist()
