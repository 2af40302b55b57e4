"""One-sided coverage for queries that are right or wrong in two versions.

With equal weights the bound depends only on how many queries of the sample were won and lost. So
how often it is wrong is a sum over trinomial probabilities, exact but for the resamples. One query
that was not drawn, at the worst (±1), makes of the sparse bound what Clopper and Pearson's is for
one share; a score interval (Tango 1998) would accept up to twice as often as it says.
"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from gates.kernels.intervals import bootstrap_t, clopper_pearson

SAMPLE = 30
LOST = [0.005, 0.02, 0.05, 0.1, 0.2, 0.4]
WON = [0.0, 0.01, 0.05, 0.2]


@cache
def lower_bounds(*, plain: bool = False) -> np.ndarray:
    """float64[won, lost], NaN where there are not that many queries."""
    table = np.full((SAMPLE + 1, SAMPLE + 1), np.nan)
    for won in range(SAMPLE + 1):
        for lost in range(SAMPLE + 1 - won):
            values = np.zeros(SAMPLE)
            values[:won], values[won : won + lost] = 1, -1
            plausible = None if plain else (-1.0, 1.0)
            found = bootstrap_t(values, resamples=999, seed=7, plausible=plausible)
            table[won, lost] = found.lower
    return table


def accepts(won: float, lost: float, *, plain: bool = False) -> float:
    """How often the lower bound lies above the truth."""
    counts = np.arange(SAMPLE + 1)
    chance = np.zeros((SAMPLE + 1, SAMPLE + 1))
    for k in counts:
        rest = binom.pmf(counts[: SAMPLE + 1 - k], SAMPLE - k, won / (1 - lost))
        chance[: SAMPLE + 1 - k, k] = binom.pmf(k, SAMPLE, lost) * rest
    return float(chance[lower_bounds(plain=plain) > won - lost].sum())


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("won", WON)
def test_a_version_exactly_at_the_margin_is_accepted_at_most_once_in_twenty(
    won: float, lost: float
) -> None:
    assert accepts(won, lost) <= 0.05


def test_the_bootstrap_alone_accepts_what_it_did_not_see() -> None:
    assert accepts(0.0, 0.005, plain=True) > 0.8


@pytest.mark.parametrize(("hits", "n"), [(40, 40), (38, 40), (3, 60)])
def test_a_share_gets_the_bounds_of_clopper_and_pearson(hits: int, n: int) -> None:
    values = np.zeros(n)
    values[:hits] = 1
    found = bootstrap_t(values, seed=7, plausible=(0.0, 1.0))
    lower, upper = clopper_pearson(hits, n)
    assert found.lower == pytest.approx(lower, abs=0.01)
    assert found.upper == pytest.approx(upper, abs=0.01)
