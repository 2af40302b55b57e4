"""What a golden set can see: the smallest detectable difference, and the queries a margin needs."""

from math import ceil, sqrt
from statistics import NormalDist

from gates.kernels.intervals import effective_n
from gates.kernels.packed import Floats


def minimum_detectable_effect(
    sd: float,
    n: int,
    weights: Floats | None = None,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    slices: int = 1,
) -> float:
    """Smallest true mean difference a one-sided test on n paired queries finds.

    (z[1 - alpha] + z[1 - beta / slices]) * sd * sqrt(deff / n). With several slices that must all
    pass, the chance of a miss is shared out between them.

    Args:
        sd: standard deviation of the per-query differences, in the metric's unit.
        n: paired queries, at least 1.
        weights: float64[any], weights whose unevenness the sample will have; None is even.
        alpha: one-sided level of the bound.
        power: chance that a version exactly at the effect is found.
        slices: slices that must all pass.
    """
    return _quantiles(alpha, power, slices) * sd * sqrt(design_effect(weights) / n)


def queries_needed(
    sd: float,
    margin: float,
    weights: Floats | None = None,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    slices: int = 1,
) -> int:
    """Paired queries needed for the minimum detectable effect to be no larger than the margin.

    Arguments as in `minimum_detectable_effect`; `margin` is positive, in the metric's unit.
    """
    return ceil(design_effect(weights) * (_quantiles(alpha, power, slices) * sd / margin) ** 2)


def design_effect(weights: Floats | None) -> float:
    """How many times more queries uneven weights cost: n sum w^2 / (sum w)^2 (Kish), from 1 up."""
    return 1.0 if weights is None else weights.size / effective_n(weights)


def _quantiles(alpha: float, power: float, slices: int) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha) + normal.inv_cdf(1 - (1 - power) / slices)
