"""Clopper-Pearson bounds against SciPy's beta distribution."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from tests.kernels.clopper_pearson import clopper_pearson


@given(st.integers(1, 20_000), st.data(), st.sampled_from([0.001, 0.025, 0.05, 0.5]))
def test_bounds_equal_scipys(n: int, data: st.DataObject, alpha: float) -> None:
    k = data.draw(st.integers(0, n))
    lower, upper = clopper_pearson(k, n, alpha)
    assert lower == pytest.approx(beta.ppf(alpha, k, n - k + 1) if k else 0, abs=1e-9)
    assert upper == pytest.approx(beta.ppf(1 - alpha, k + 1, n - k) if k < n else 1, abs=1e-9)


def test_nothing_seen_in_n_follows_the_closed_form() -> None:
    share = 0.05 ** (1 / 100)
    assert list(clopper_pearson(0, 100)) == pytest.approx([0.0, 1 - share], abs=1e-12)
    assert list(clopper_pearson(100, 100)) == pytest.approx([share, 1.0], abs=1e-12)


def test_no_trials_say_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_large_counts_converge() -> None:
    lower, upper = clopper_pearson(300_000, 1_000_000)
    assert lower == pytest.approx(beta.ppf(0.05, 300_000, 700_001), abs=1e-9)
    assert upper == pytest.approx(beta.ppf(0.95, 300_001, 700_000), abs=1e-9)
