"""How many queries a margin needs."""

import numpy as np
import pytest

from gates.kernels.power import design_effect, minimum_detectable_effect, queries_needed


def test_the_worked_example_needs_about_1790_queries() -> None:
    assert queries_needed(0.17, 0.01) == 1787
    assert minimum_detectable_effect(0.17, 1787) == pytest.approx(0.01, abs=1e-5)
    assert minimum_detectable_effect(0.17, 1787) <= 0.01 < minimum_detectable_effect(0.17, 1786)


def test_uneven_weights_cost_queries() -> None:
    weights = np.array([1.0, 1.0, 2.0])
    assert design_effect(weights) == pytest.approx(3 * 6 / 16)
    assert design_effect(None) == pytest.approx(design_effect(np.full(7, 0.1))) == 1
    even, uneven = (minimum_detectable_effect(0.2, 100, w) for w in (None, weights))
    assert uneven == pytest.approx(even * np.sqrt(18 / 16))
    assert queries_needed(0.17, 0.01, weights) == 2011


def test_slices_that_must_all_pass_cost_power() -> None:
    # z(.95) + z(1 - .2/5) = 1.644854 + 1.750686
    assert minimum_detectable_effect(1.0, 1, slices=5) == pytest.approx(3.395540, abs=1e-6)


def test_a_larger_sample_a_looser_level_or_less_power_sees_more() -> None:
    base = minimum_detectable_effect(0.2, 100)
    assert minimum_detectable_effect(0.2, 400) == pytest.approx(base / 2)
    assert minimum_detectable_effect(0.2, 100, alpha=0.1) < base
    assert minimum_detectable_effect(0.2, 100, power=0.9) > base
