"""Calibration error and Brier score: published and hand-made vectors, and bounds that hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.kernels.calibration import (
    BinnedAnswers,
    brier,
    calibration_bounds,
    calibration_error,
    equal_mass,
    equal_width,
    gaps,
)
from gates.kernels.packed import Bools, Floats

HAND_SCORES = np.array([0.6, 0.7, 0.8, 0.9])
HAND_RIGHT = np.array([True, False, True, True])


def answers(score: Floats, right: Bools, bins: int) -> BinnedAnswers:
    return BinnedAnswers(score, right, equal_mass(score, np.ones(score.size), bins))


def test_equal_width_gives_the_vector_of_torchmetrics() -> None:
    # The example of torchmetrics' BinaryCalibrationError(n_bins=2, norm="l1"): 0.2900.
    score = np.array([0.25, 0.25, 0.55, 0.75, 0.75])
    right = np.array([0, 0, 1, 1, 1], bool)
    found = calibration_error(BinnedAnswers(score, right, equal_width(score, 2)), np.ones(5))
    assert found == pytest.approx(0.29)


def test_the_brier_score_gives_the_vector_of_scikit_learn() -> None:
    # The example of sklearn.metrics.brier_score_loss: 0.0375.
    found = brier(np.array([0.1, 0.9, 0.8, 0.3]), np.array([0, 1, 1, 0], bool))
    assert found.mean() == pytest.approx(0.0375)


def test_equal_mass_by_hand() -> None:
    # (0.6, 0.7): half right, mean 0.65. (0.8, 0.9): all right, mean 0.85.
    found = calibration_error(answers(HAND_SCORES, HAND_RIGHT, 2), np.ones(4))
    assert found == pytest.approx((0.15 + 0.15) / 2)


def test_weights_count_like_copies() -> None:
    weight = np.array([1, 2, 3, 1])
    weighted = BinnedAnswers(HAND_SCORES, HAND_RIGHT, np.array([0, 0, 1, 1]))
    copied = BinnedAnswers(
        np.repeat(HAND_SCORES, weight),
        np.repeat(HAND_RIGHT, weight),
        np.repeat(weighted.bin, weight),
    )
    assert calibration_error(weighted, weight.astype(float)) == pytest.approx(
        calibration_error(copied, np.ones(7))
    )
    shares = gaps(weighted, weight.astype(float))
    assert shares.share.tolist() == pytest.approx([3 / 7, 4 / 7])
    assert shares.right.tolist() == pytest.approx([1 / 3, 1])


def test_edges_of_equal_width_belong_to_the_bin_below() -> None:
    assert equal_width(np.array([0.0, 0.1, 0.5, 0.51, 1.0]), 2).tolist() == [0, 0, 0, 1, 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(1, 12))
def test_equal_scores_share_a_bin_and_bins_follow_the_scores(
    scores: list[float], bins: int
) -> None:
    score = np.array(scores)
    found = equal_mass(score, np.ones(score.size), bins)
    order = np.argsort(score, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert found.min() >= 0
    assert found.max() < bins
    assert all(np.unique(found[score == one]).size == 1 for one in scores)


def test_distinct_scores_are_shared_out_evenly() -> None:
    found = equal_mass(np.linspace(0, 1, 100), np.ones(100), 5)
    assert np.bincount(found).tolist() == [20] * 5


def bounds(
    new: BinnedAnswers, old: BinnedAnswers | None = None, **given_: object
) -> tuple[float, float]:
    n = new.score.size
    census = given_.get("census", np.zeros(n, bool))
    assert isinstance(census, np.ndarray)
    found = calibration_bounds(new, old, np.ones(n), census=census, resamples=999, seed=3)
    assert found.lower <= found.estimate <= found.upper
    return found.lower, found.upper


def test_a_census_has_no_sampling_error() -> None:
    one = answers(HAND_SCORES, HAND_RIGHT, 2)
    assert list(bounds(one, census=np.ones(4, bool))) == pytest.approx([0.15, 0.15])


def test_no_wrong_label_in_the_sample_is_not_taken_for_none_at_all() -> None:
    sure = answers(np.full(100, 0.999), np.ones(100, bool), 3)
    assert bounds(sure)[1] > 0.02


def test_one_sampled_query_says_nothing() -> None:
    one = answers(HAND_SCORES, HAND_RIGHT, 1)
    assert bounds(one, census=np.array([True, True, True, False])) == (0.0, 1.0)


def sample(
    rng: np.random.Generator, n: int, over: float, bins: int
) -> tuple[BinnedAnswers, Floats]:
    score = 0.3 + 0.7 * rng.beta(4, 1.2, n)
    luck = rng.random(n)
    return answers(score, luck < score - over, bins), score


@pytest.mark.parametrize("over", [0.0, 0.05, 0.1])
def test_both_bounds_of_the_error_hold_nineteen_times_in_twenty(over: float) -> None:
    rng, rounds = np.random.default_rng(31), 200
    accepts = rejects = 0
    for seed in range(rounds):
        found, _ = sample(rng, 180, over, 5)
        one = calibration_bounds(
            found, None, np.ones(180), census=np.zeros(180, bool), resamples=499, seed=seed // 20
        )
        accepts += one.upper < over
        rejects += one.lower > over
    assert accepts / rounds <= 0.05
    assert rejects / rounds <= 0.09


@pytest.mark.parametrize(("old", "new"), [(0.0, 0.05), (0.05, 0.0), (0.05, 0.1)])
def test_the_bounds_of_a_growth_hold_although_chance_adds_more_to_the_better_calibrated(
    old: float, new: float
) -> None:
    rng, rounds, n = np.random.default_rng(32), 150, 150
    accepts = rejects = 0
    for seed in range(rounds):
        score = 0.3 + 0.7 * rng.beta(4, 1.2, n)
        luck = rng.random(n)
        before, after = (answers(score, luck < score - over, 5) for over in (old, new))
        one = calibration_bounds(
            after, before, np.ones(n), census=np.zeros(n, bool), resamples=499, seed=seed // 20
        )
        accepts += one.upper < new - old
        rejects += one.lower > new - old
    assert accepts / rounds <= 0.08
    assert rejects / rounds <= 0.08


def test_many_rows_are_resampled_in_blocks_and_give_nearly_the_same() -> None:
    rng = np.random.default_rng(33)
    found, _ = sample(rng, 4000, 0.1, 10)
    lower, upper = bounds(found)
    assert lower < 0.1 < upper
    assert upper - lower < 0.06
