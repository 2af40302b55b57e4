"""p-values adjusted for how many were looked at, against published examples and SciPy."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from gates.kernels.multiplicity import benjamini_hochberg, holm
from gates.kernels.packed import Floats

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)

# Benjamini and Hochberg 1995, section 4: fifteen hypotheses on thrombolysis after a heart attack.
THROMBOLYSIS = np.array(
    [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
)


def test_the_four_hypotheses_that_benjamini_and_hochberg_reject() -> None:
    assert (benjamini_hochberg(THROMBOLYSIS) <= 0.05).tolist() == [True] * 4 + [False] * 11


def test_the_three_hypotheses_that_holm_rejects_on_the_same_data() -> None:
    assert (holm(THROMBOLYSIS) <= 0.05).tolist() == [True] * 3 + [False] * 12


def test_four_hypotheses_by_holm_in_the_order_given() -> None:
    # 4 × .005 = .02, 3 × .01 = .03, 2 × .03 = .06, and the last is no smaller than the one before.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(p_values)
def test_benjamini_hochberg_equals_scipys(p: Floats) -> None:
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p), abs=1e-15)


@given(p_values)
def test_holm_equals_its_definition(p: Floats) -> None:
    # The i-th smallest is the largest of (m - j + 1) p_j over all j up to i.
    place = {int(row): j for j, row in enumerate(np.argsort(p, kind="stable"))}
    for row, adjusted in enumerate(holm(p)):
        smaller = [(p.size - place[r]) * p[r] for r in place if place[r] <= place[row]]
        assert adjusted == pytest.approx(min(1.0, max(smaller)), abs=1e-15)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@given(p=p_values, seed=st.integers(0, 99))
def test_adjusting_keeps_the_order_and_never_makes_a_claim_surer(
    adjust: Callable[[Floats], Floats], p: Floats, seed: int
) -> None:
    found = adjust(p)
    assert (found >= p * (1 - 1e-15)).all()
    assert (found <= 1).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()
    shuffled = np.random.default_rng(seed).permutation(p.size)
    assert adjust(p[shuffled]) == pytest.approx(found[shuffled])


@given(p_values)
def test_a_claim_that_stands_by_holm_stands_by_benjamini_and_hochberg(p: Floats) -> None:
    assert (benjamini_hochberg(p) <= holm(p) + 1e-15).all()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_one_p_value_stays_and_none_gives_none(adjust: Callable[[Floats], Floats]) -> None:
    assert adjust(np.array([0.03])).tolist() == [0.03]
    assert adjust(np.zeros(0)).tolist() == []
