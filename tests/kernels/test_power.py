"""How many queries a margin needs, by the bound that decides."""

from math import inf

import numpy as np
import pytest

from gates.kernels.design import SampleDesign
from gates.kernels.mean_bounds import mean_bounds
from gates.kernels.packed import Floats
from gates.kernels.planning import Goal, pass_chance
from gates.kernels.power import minimum_detectable_effect, queries_needed, standard_error

WORST, MARGIN = -0.3, 0.01


def even(n: int) -> SampleDesign:
    return SampleDesign(np.ones(n))


def dense(rng: np.random.Generator, n: int) -> Floats:
    return rng.normal(0, 0.17, n).clip(-1, 1)


def sparse(rng: np.random.Generator, n: int) -> Floats:
    return np.where(rng.random(n) < 0.05, rng.choice([-0.3, 0.2, 0.1], n), 0.0)


def tied(rng: np.random.Generator, n: int) -> Floats:
    return np.where(rng.random(n) < 0.5, 0.0, rng.choice([-0.1, 0.1], n))


@pytest.mark.parametrize("n", [200, 500])
@pytest.mark.parametrize("population", [dense, sparse, tied])
def test_an_equal_version_passes_four_times_in_five_with_what_is_said_to_be_needed(
    population: object, n: int
) -> None:
    # By a normal formula it was 15 to 46 %.
    values = population(np.random.default_rng(1), n)  # type: ignore[operator]
    needed = queries_needed(values, even(n), MARGIN, worst=WORST)
    goal = Goal(values, -MARGIN, WORST, effect=0.0)
    found = pass_chance([goal], even(n), times=needed / n, resamples=1_000)
    assert 0.75 <= found.joint <= 0.9
    (bound,) = mean_bounds(values[:, None], even(n), worst=WORST, best=-WORST)
    error = standard_error(values, even(n), worst=WORST)
    effect = minimum_detectable_effect(bound.estimate - bound.lower, error)
    found = pass_chance([Goal(values, -effect, WORST, effect=0.0)], even(n), resamples=1_000)
    assert 0.75 <= found.joint <= 0.9


def test_without_a_change_there_is_still_something_to_see() -> None:
    values = np.zeros(200)
    assert standard_error(values, even(200), worst=WORST) > 0
    assert 80 < queries_needed(values, even(200), MARGIN, worst=WORST) < 200


def test_slices_that_must_all_hold_and_uneven_weights_cost_queries() -> None:
    values = dense(np.random.default_rng(2), 300)
    alone = queries_needed(values, even(300), MARGIN, worst=WORST)
    assert queries_needed(values, even(300), MARGIN, worst=WORST, slices=5) > 1.5 * alone
    uneven = SampleDesign(np.arange(300, dtype=np.float64) % 10 + 1)
    assert queries_needed(values, uneven, MARGIN, worst=WORST) > 1.2 * alone


def test_a_large_sample_is_thinned_and_says_the_same() -> None:
    values = dense(np.random.default_rng(3), 20_000)
    found = queries_needed(values, even(20_000), MARGIN, worst=WORST)
    assert found == pytest.approx(
        queries_needed(values[:2_000], even(2_000), MARGIN, worst=WORST), rel=0.15
    )


def test_no_number_of_queries_is_said_where_none_is_enough() -> None:
    values = dense(np.random.default_rng(4), 50)
    assert queries_needed(values, even(50), 0.0, worst=WORST) == inf
    assert queries_needed(values, even(50), 1e-6, worst=WORST) == inf
    assert queries_needed(np.full(5, np.nan), even(5), MARGIN, worst=WORST) == inf
    census = SampleDesign(np.ones(50), np.ones(50, np.bool_))
    assert queries_needed(values, census, MARGIN, worst=WORST) == 50
    assert standard_error(values, census, worst=WORST) == 0
