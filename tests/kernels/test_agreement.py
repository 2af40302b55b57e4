"""Agreement between annotators."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.kernels.agreement import Level, krippendorff_alpha

N = np.nan
FOUR_RATERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
        [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
    ]
)
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")
ratings = st.lists(
    st.lists(st.sampled_from([N, 0.0, 1.0, 2.0, 3.0]), min_size=4, max_size=4),
    min_size=2,
    max_size=8,
).map(lambda items: np.array(items).T)


@pytest.mark.parametrize(
    ("level", "expected"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_krippendorffs_four_rater_example(level: Level, expected: float) -> None:
    assert krippendorff_alpha(FOUR_RATERS, level) == pytest.approx(expected, abs=5e-4)


def test_alpha_equals_the_mean_over_pairs_of_ratings() -> None:
    """Observed over expected disagreement, straight from the definition, interval level."""
    table = FOUR_RATERS[:, :-1]  # the last item has one rating
    observed, everything = 0.0, table[~np.isnan(table)]
    for item in table.T:
        given_ = item[~np.isnan(item)]
        observed += ((given_[:, None] - given_) ** 2).sum() / (given_.size - 1)
    expected = ((everything[:, None] - everything) ** 2).sum() / (everything.size - 1)
    assert krippendorff_alpha(table, "interval") == pytest.approx(1 - observed / expected)


@given(ratings, st.sampled_from(LEVELS), st.permutations(range(4)))
def test_alpha_does_not_care_who_is_who_nor_which_item_comes_first(
    table: np.ndarray[tuple[int, int], np.dtype[np.float64]], level: Level, raters: list[int]
) -> None:
    value = krippendorff_alpha(table, level)
    other = krippendorff_alpha(table[raters][:, ::-1], level)
    assert other == pytest.approx(value, abs=1e-9, nan_ok=True)
    assert not value > 1


@pytest.mark.parametrize("level", LEVELS)
def test_full_agreement_is_one_and_no_variation_is_unknown(level: Level) -> None:
    assert krippendorff_alpha(np.array([[0.0, 1, 2], [0, 1, 2]]), level) == 1
    assert np.isnan(krippendorff_alpha(np.ones((3, 4)), level))
    assert np.isnan(krippendorff_alpha(np.array([[1.0, N], [N, 2.0]]), level))
    assert np.isnan(krippendorff_alpha(np.full((2, 0), N), level))
