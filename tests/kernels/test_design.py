"""What weights stand for."""

import numpy as np
import pytest

from gates.kernels.design import design_weights, effective_n


def test_effective_n() -> None:
    assert effective_n(np.ones(8)) == 8
    assert effective_n(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective_n(np.zeros(3)) == 0


def test_queries_drawn_in_proportion_to_traffic_weigh_the_same() -> None:
    traffic = np.array([50.0, 2.0, 4.0])
    weights = design_weights(traffic, np.array([1.0, 0.1, 0.2]))
    assert weights.tolist() == pytest.approx([50, 20, 20])
