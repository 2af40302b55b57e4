"""What a bound asks of samples to come: the measured differences, moved to what is planned for."""

import numpy as np
import pytest

from gates.comparison.goals import goals_of, limit_of
from gates.comparison.measure import MeasuredQueries
from gates.comparison.measures import RankingMeasures
from gates.comparison.metrics import quality
from gates.comparison.per_query import PerQuery
from gates.comparison.population import Population
from gates.domain.judging import Bound
from gates.kernels.informative import TELLS

NAN = float("nan")
OLD = np.array([0.5, 0.6, 0.9, 0.4, NAN])
NEW = np.array([0.6, 0.6, 0.5, 0.5, NAN])
WEIGHT = np.array([1.0, 2.0, 1.0, 4.0, 5.0])
COLUMN = ("a", "a", "b", "b", "b")
METRIC = "ndcg@10"


@pytest.fixture
def queries() -> MeasuredQueries:
    measures = RankingMeasures(
        quality(METRIC), (f"{METRIC}.delta", "severe-losses", "rbo"), "linear", 1.0
    )
    unjudged = {METRIC: (NEW - OLD - 0.1, NEW - OLD + 0.2)}
    per_query = PerQuery(
        {METRIC: OLD},
        {METRIC: NEW},
        {"rbo": np.array([1.0, 0.9, 0.8, 1.0, 1.0])},
        unjudged,
        {METRIC: np.full(5, TELLS)},
        met=0,
        repeated=0,
        judge_next=(),
        longest=10,
    )
    population = Population(
        np.arange(5), np.ones(5), WEIGHT, np.zeros(5, np.bool_), {"category": COLUMN}
    )
    return MeasuredQueries(measures, population, per_query, severe=0.3)


def goal(bound: Bound, queries: MeasuredQueries, effect: float | None = 0.0) -> tuple[float, ...]:
    (found,) = goals_of(bound, queries, {} if effect is None else {METRIC: effect})
    return (*found.values.tolist(), found.limit, found.worst)


def delta(least: float | None = None, most: float | None = None, slice_: str = "") -> Bound:
    return Bound("ranking-diff", f"{METRIC}.delta", least, most, slice_)


def test_a_lower_limit_is_held_against_the_worst_that_grades_could_make(
    queries: MeasuredQueries,
) -> None:
    mean = np.average((NEW - OLD)[:4], weights=WEIGHT[:4])
    wanted = [*(NEW - OLD - 0.1 - mean + 0.01), -0.02, -0.3]
    assert goal(delta(-0.02), queries, 0.01) == pytest.approx(wanted, nan_ok=True)


def test_an_upper_limit_is_a_lower_one_with_all_signs_turned(queries: MeasuredQueries) -> None:
    mean = np.average((NEW - OLD)[:4], weights=WEIGHT[:4])
    wanted = [*-(NEW - OLD + 0.2 - mean), -0.05, -0.3]
    assert goal(delta(None, 0.05), queries) == pytest.approx(wanted, nan_ok=True)
    both = goals_of(delta(-0.02, 0.05), queries, {})
    assert [one.limit for one in both] == [-0.02, -0.05]


def test_a_slice_is_moved_by_itself_and_holds_nobody_else(queries: MeasuredQueries) -> None:
    (found,) = goals_of(delta(-0.02, slice_="category=a"), queries, {METRIC: 0.0})
    mean = np.average((NEW - OLD)[:2], weights=WEIGHT[:2])
    assert found.values[:2] == pytest.approx((NEW - OLD - 0.1 - mean)[:2])
    assert np.isnan(found.values[2:]).all()


def test_without_an_effect_differences_stay_as_they_are(queries: MeasuredQueries) -> None:
    assert goal(delta(-0.02), queries, None)[:4] == pytest.approx((NEW - OLD - 0.1)[:4])


def test_severe_losses_move_with_the_effect(queries: MeasuredQueries) -> None:
    bound = Bound("ranking-diff", "severe-losses", None, 0.1)
    # With what grades to come could take, the third query loses 0.5.
    assert goal(bound, queries, None)[:4] == (0.0, 0.0, -1.0, 0.0)
    assert goal(bound, queries, -0.5)[:4] == (-1.0, -1.0, -1.0, -1.0)
    assert goal(bound, queries, 0.5)[:4] == (0.0, 0.0, 0.0, 0.0)
    assert goal(bound, queries, None)[5:] == (-0.1, -1.0)


def test_a_relative_limit_is_a_difference_that_is_not_below_nothing(
    queries: MeasuredQueries,
) -> None:
    bound = Bound("ranking-diff", f"{METRIC}.change", -0.02)
    wanted = NEW - OLD - 0.1 + 0.02 * OLD
    assert goal(bound, queries, None) == pytest.approx([*wanted, 0.0, -0.3], nan_ok=True)


def test_how_alike_lists_are_is_taken_as_it_was(queries: MeasuredQueries) -> None:
    bound = Bound("ranking-diff", "rbo", 0.7)
    assert goal(bound, queries) == (1.0, 0.9, 0.8, 1.0, 1.0, 0.7, 0.0)


@pytest.mark.parametrize(
    "bound",
    [
        Bound("ranking-diff", "mrr.delta", -0.02),  # not measured
        Bound("ranking-diff", f"{METRIC}.p-better", None, 0.05),
        Bound("ranking-diff", "noise", None, 0.05),
        delta(-0.02, slice_="category=c"),
        delta(-0.02, slice_="segment=head"),
    ],
)
def test_what_was_not_measured_query_by_query_has_no_goal(
    queries: MeasuredQueries, bound: Bound
) -> None:
    assert goals_of(bound, queries, {METRIC: 0.0}) == ()


def test_a_limit_is_told_in_the_sign_of_its_bound() -> None:
    assert limit_of(delta(-0.02), 0, -0.03) == -0.03
    assert limit_of(delta(None, 0.02), 0, -0.03) == 0.03
    assert limit_of(delta(-0.02, 0.02), 1, -0.03) == 0.03
