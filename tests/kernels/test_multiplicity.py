"""p-values adjusted for how many were looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from gates.kernels.multiplicity import benjamini_hochberg, holm

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_holm_on_a_worked_example() -> None:
    """Four hypotheses at 0.01, 0.04, 0.03, 0.005: times 4, 3, 2, 1 from the smallest on."""
    adjusted = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_and_hochberg_on_the_example_of_their_paper() -> None:
    """Fifteen p-values of their section 4: at 0.05 the first four stand, and by Holm three."""
    told = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    told += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert (benjamini_hochberg(np.array(told)) <= 0.05).sum() == 4
    assert (holm(np.array(told)) <= 0.05).sum() == 3


@given(p_values)
def test_benjamini_hochberg_is_scipys(values: list[float]) -> None:
    p = np.array(values)
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p, method="bh"))


@given(p_values)
def test_adjusting_never_lowers_a_p_and_keeps_their_order(values: list[float]) -> None:
    p = np.array(values)
    for adjusted in (holm(p), benjamini_hochberg(p)):
        assert (adjusted >= p - 1e-15).all()
        assert (adjusted <= 1).all()
        order = np.argsort(p, kind="stable")
        assert (np.diff(adjusted[order]) >= 0).all()
    assert (holm(p) >= benjamini_hochberg(p) - 1e-12).all()


def test_nothing_to_adjust() -> None:
    assert holm(np.empty(0)).size == 0
    assert benjamini_hochberg(np.empty(0)).size == 0
