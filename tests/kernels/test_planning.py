"""What a plan promises is what the bound then does."""

from collections.abc import Callable

import numpy as np
import pytest

from gates.kernels.design import SampleDesign, units
from gates.kernels.mean_bounds import chance_mean_below
from gates.kernels.packed import Floats
from gates.kernels.planning import Goal, pass_chance, rows_needed

SEVERE = 0.3

Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]


def passes(values: Floats, margin: float) -> float:
    """How often the bound of each column clears the margin."""
    found = units(values, SampleDesign(np.ones(len(values))))
    at = np.full(values.shape[1], margin)
    return float(np.mean(chance_mean_below(found, at, found.worst(-SEVERE)) < 0.05))


def dense(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.clip(rng.normal(0, 0.17, shape), -1, 1)


def sparse(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.where(rng.random(shape) < 0.03, rng.choice([-0.3, -0.1, 0.1, 0.3], shape), 0.0)


def tied(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.where(rng.random(shape) < 0.3, rng.choice([-0.2, -0.1, 0.1, 0.2], shape), 0.0)


@pytest.mark.parametrize(
    ("population", "margin"), [(dense, -0.03), (sparse, -0.01), (tied, -0.015)]
)
def test_at_the_printed_number_of_queries_four_in_five_pass(
    population: Draw, margin: float
) -> None:
    # One pilot may mislead; what counts is how those who plan by pilots fare.
    rng = np.random.default_rng(1)
    rates = []
    for seed in range(8):
        pilot = population(rng, (300,))
        goal = Goal(pilot, margin, -SEVERE, effect=0.0)
        n = rows_needed(goal, SampleDesign(np.ones(300)), resamples=120, seed=seed)
        assert n is not None
        rates.append(passes(population(rng, (n, 200)), margin))
    assert 0.72 <= np.mean(rates) <= 0.9


def test_the_chance_of_a_pass_is_the_one_that_samples_have() -> None:
    rng = np.random.default_rng(2)
    pilot = dense(rng, (5_000,))
    found = pass_chance(
        [Goal(pilot, -0.015, -SEVERE, effect=0.0)], SampleDesign(np.ones(5_000)), times=0.1
    )
    truth = passes(dense(rng, (500, 2_000)), -0.015)
    assert found.each == (found.joint,)
    assert found.joint == pytest.approx(truth, abs=0.07)
    assert found.error == pytest.approx(0.02, abs=0.01)


def test_goals_that_share_queries_are_met_together_more_often_than_by_chance() -> None:
    rng = np.random.default_rng(3)
    values = dense(rng, (400,))
    half = np.where(np.arange(400) < 200, values, np.nan)
    goals = [Goal(values, -0.02, -SEVERE, 0.0), Goal(half, -0.02, -SEVERE, 0.0)]
    found = pass_chance(goals, SampleDesign(np.ones(400)))
    assert found.each[1] < found.each[0]
    assert found.each[0] * found.each[1] + 0.02 < found.joint <= min(found.each)


def test_more_queries_a_wider_margin_and_a_better_version_help() -> None:
    values = tied(np.random.default_rng(4), (200,))
    design = SampleDesign(np.ones(200))

    def chance(margin: float, effect: float, times: float = 1.0) -> float:
        return pass_chance([Goal(values, margin, -SEVERE, effect)], design, times=times).joint

    base = chance(-0.01, 0.0)
    assert chance(-0.01, 0.0, times=4) > base + 0.1
    assert chance(-0.03, 0.0) > base + 0.1
    assert chance(-0.01, 0.01) > base + 0.1
    assert chance(-0.01, -0.01) < 0.1


def test_a_pilot_without_a_change_still_needs_the_queries_that_rule_out_rare_losses() -> None:
    # The normal formula says that a scatter of 0 needs no queries at all.
    n = rows_needed(Goal(np.zeros(50), -0.005, -SEVERE, 0.0), SampleDesign(np.ones(50)))
    assert n is not None
    assert n >= np.log(0.05) / np.log(1 - 0.005 / SEVERE)


def test_no_number_of_queries_helps_a_version_at_the_margin_or_a_goal_without_rows() -> None:
    design, values = SampleDesign(np.ones(50)), dense(np.random.default_rng(5), (50,))
    assert rows_needed(Goal(values, -0.01, -SEVERE, effect=-0.01), design) is None
    assert rows_needed(Goal(np.full(50, np.nan), -0.01, -SEVERE, 0.0), design) is None


def test_clusters_cost_queries_and_census_rows_are_certain() -> None:
    rng = np.random.default_rng(6)
    values = np.repeat(dense(rng, (100,)), 4)
    goal = Goal(values, -0.03, -SEVERE, effect=0.0)
    alone = rows_needed(goal, SampleDesign(np.ones(400)), resamples=200)
    together = rows_needed(
        goal, SampleDesign(np.ones(400), cluster=np.repeat(np.arange(100), 4)), resamples=200
    )
    assert alone is not None
    assert together is not None
    assert together > 2.5 * alone
    census = SampleDesign(np.ones(400), census=np.ones(400, np.bool_))
    assert pass_chance([goal], census).joint == 1
    assert pass_chance([Goal(values, 0.03, -SEVERE, effect=0.0)], census).joint == 0
