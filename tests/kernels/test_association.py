"""Rank correlation, against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gates.kernels.association import spearman


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_it_agrees_with_scipy_with_and_without_ties(decimals: int) -> None:
    random = np.random.default_rng(decimals)
    x = random.normal(size=200).round(decimals)
    y = (x + random.normal(size=200)).round(decimals)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_any_rising_function_is_one_and_any_falling_one_minus_one() -> None:
    x = np.array([3.0, 1.0, 2.0, 8.0])
    assert spearman(x, np.exp(x)) == 1
    assert spearman(x, -(x**3)) == -1


def test_what_does_not_vary_has_none() -> None:
    assert math.isnan(spearman(np.ones(3), np.arange(3.0)))
    assert math.isnan(spearman(np.ones(1), np.ones(1)))
