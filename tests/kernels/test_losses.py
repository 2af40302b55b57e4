"""What a bound on the mean loss guarantees: in two parts, and together."""

import numpy as np
import pytest

from gates.kernels.design import SampleDesign
from gates.kernels.losses import LossBounds, loss_bounds
from gates.kernels.packed import Floats

SEVERE = 0.3


def losses(values: Floats, **options: object) -> LossBounds:
    design = SampleDesign(np.ones(values.size))
    (found,) = loss_bounds(values[:, None], design, severe=SEVERE, **options)  # type: ignore[arg-type]
    return found


def test_two_hundred_queries_without_a_change_leave_room_for_losses_that_nobody_saw() -> None:
    found, unseen = losses(np.zeros(200)), 1 - 0.05 ** (1 / 200)
    assert found.mean_loss == pytest.approx(SEVERE * unseen)
    assert found.severe_share == pytest.approx(unseen)
    # Here the sum of the parts is the bound of the whole, to the digit.
    assert found.together == pytest.approx(found.mean_loss + found.severe_share * (1 - SEVERE))
    assert found.confidence == pytest.approx(0.9)


def test_together_is_no_more_than_the_sum_of_the_parts() -> None:
    rng = np.random.default_rng(1)
    for n, share in ((50, 0.05), (200, 0.01), (1000, 0.03)):
        values = np.where(rng.random(n) < share, -rng.uniform(0.3, 1, n), rng.normal(0, 0.05, n))
        found = losses(values)
        assert found.mean_loss <= found.together
        assert found.together <= found.mean_loss + found.severe_share * (1 - SEVERE) + 1e-3


def test_a_loss_counts_as_severe_from_the_stated_size_on() -> None:
    values = np.zeros(100)
    values[:10] = -0.3
    assert losses(values).severe_share > 0.1
    values[:10] = -0.29
    assert losses(values).severe_share == pytest.approx(1 - 0.05 ** (1 / 100))


def test_what_grades_still_to_come_may_take_away_counts_as_lost() -> None:
    values = np.zeros(100)
    least = np.where(np.arange(100) < 4, -0.5, 0.0)
    found = losses(values, least=least[:, None])
    assert found.severe_share == pytest.approx(losses(least).severe_share)
    assert found.mean_loss == losses(least).mean_loss


def test_every_part_holds_for_zeros_with_rare_losses_up_to_one() -> None:
    # Read as the mean of losses in full, a bound at worst -.3 accepts one version in ten here.
    rng = np.random.default_rng(2)
    values = np.where(rng.random((200, 250)) < 0.01, -rng.uniform(0.3, 1, (200, 250)), 0.0)
    found = loss_bounds(values, SampleDesign(np.ones(200)), severe=SEVERE)
    assert np.mean([one.mean_loss < 0.003 for one in found]) <= 0.08
    assert np.mean([one.severe_share < 0.01 for one in found]) <= 0.08
    assert np.mean([one.together < 0.0065 for one in found]) <= 0.08
    assert np.mean([one.mean_loss < 0.0065 for one in found]) > 0.08
