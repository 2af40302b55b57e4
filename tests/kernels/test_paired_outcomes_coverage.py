"""One-sided coverage for queries that are right or wrong in two versions.

With equal weights the bound depends only on how many queries of the sample were won and lost. So
how often it is wrong is a sum over trinomial probabilities, and exact. One query that was not
drawn, at the worst (±1), makes of the bound what Clopper and Pearson's is for one share; a score
interval (Tango 1998) would accept up to twice as often as it says.
"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from gates.kernels.design import SampleDesign
from gates.kernels.mean_bounds import mean_bounds

SAMPLE = 30
LOST = [0.005, 0.02, 0.05, 0.1, 0.2, 0.4]
WON = [0.0, 0.01, 0.05, 0.2]


@cache
def lower_bounds() -> np.ndarray:
    """float64[won, lost], NaN where there are not that many queries."""
    table = np.full((SAMPLE + 1, SAMPLE + 1), np.nan)
    cells = [(won, lost) for won in range(SAMPLE + 1) for lost in range(SAMPLE + 1 - won)]
    place = np.arange(SAMPLE)[:, None]
    won, lost = np.array(cells).T
    values = np.where(place < won, 1.0, np.where(place < won + lost, -1.0, 0.0))
    found = mean_bounds(values, SampleDesign(np.ones(SAMPLE)), worst=-1.0, best=1.0)
    table[won, lost] = [one.lower for one in found]
    return table


def accepts(won: float, lost: float) -> float:
    """How often the lower bound lies above the truth."""
    counts = np.arange(SAMPLE + 1)
    chance = np.zeros((SAMPLE + 1, SAMPLE + 1))
    for k in counts:
        rest = binom.pmf(counts[: SAMPLE + 1 - k], SAMPLE - k, won / (1 - lost))
        chance[: SAMPLE + 1 - k, k] = binom.pmf(k, SAMPLE, lost) * rest
    return float(chance[lower_bounds() > won - lost].sum())


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("won", WON)
def test_a_version_exactly_at_the_margin_is_accepted_at_most_once_in_twenty(
    won: float, lost: float
) -> None:
    assert accepts(won, lost) <= 0.05
