"""How often the verdict itself is a PASS for a version exactly at the margin, in small.

From values a query to the judge, as in a run: `scripts/bench calibration` has the bound at length.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gates.comparison.differences import differences
from gates.comparison.measuring import Sample, share
from gates.comparison.paired import PairedMetric
from gates.domain.judging import Bound, Measurement, Outcome, judge
from gates.kernels.packed import Floats, Ints

ROUNDS, ALPHA = 200, 0.05
WITHIN = ALPHA + 2 * (ALPHA * (1 - ALPHA) / ROUNDS) ** 0.5

Round = Callable[[np.random.Generator], tuple[Measurement, float]]
"""A measurement, and the truth: the margin."""


def of(
    change: Floats,
    *,
    unjudged: tuple[Floats, Floats] | None = None,
    cluster: Ints | None = None,
    part: int = 0,
) -> Measurement:
    n = change.size
    sample = Sample(np.ones(n), np.zeros(n, np.bool_), 0.3, cluster)
    metric = PairedMetric("m", np.zeros(n), change, unjudged)
    cuts = [("", np.ones(n, np.bool_)), ("kind=rare", np.arange(n) < part)]
    whole, *rest = differences(sample, [metric], cuts if part else cuts[:1])
    return rest[0] if rest else whole


def rare_losses_in_a_small_slice(rng: np.random.Generator) -> tuple[Measurement, float]:
    """Which borrowed the whole set's bounds where nothing had changed: 34 %."""
    change = np.zeros(400)
    change[:20] = np.where(rng.random(20) < 0.05, -0.3, 0.0)
    return of(change, part=20), -0.015


def rare_losses_beside_jitter(rng: np.random.Generator) -> tuple[Measurement, float]:
    """Which switched the guard for sparse changes off: 63 %."""
    jitter = rng.normal(0, 0.003, 50)
    return of(np.where(rng.random(50) < 0.01, -0.3, jitter)), -0.003


def unjudged_documents(rng: np.random.Generator) -> tuple[Measurement, float]:
    """Whose worst mean alone was held against the limit: 44 to 51 %."""
    change = rng.normal(0, 0.17, 100).clip(-1, 1)
    least = change - np.where(rng.random(100) < 0.2, 0.1, 0.0)
    return of(change, unjudged=(least, change + 0.01)), -0.02


def clusters_of_near_duplicates(rng: np.random.Generator) -> tuple[Measurement, float]:
    """Whose queries were counted one by one: 20 to 23 %."""
    change = np.repeat(rng.normal(0, 0.17, 50).clip(-1, 1), 4)
    return of(change, cluster=np.repeat(np.arange(50), 4)), 0.0


def a_share_of_traffic(rng: np.random.Generator) -> tuple[Measurement, float]:
    """Which was one of golden rows: up to 100 %. The head is taken whole, the tail by traffic."""
    head, tail, n = 40, 2_000, 100
    traffic = np.concatenate((np.full(head, 200.0), rng.lognormal(0, 1, tail)))
    hit = rng.random(head + tail) < np.where(np.arange(head + tail) < head, 0.3, 0.02)
    chance = traffic[head:] / traffic[head:].sum()
    rows = np.concatenate((np.arange(head), head + rng.choice(tail, n, p=chance)))
    census = np.arange(head + n) < head
    stands_for = np.where(census, traffic[rows], traffic[head:].sum() / n)
    sample = Sample(stands_for, census, 0.3, share_of="traffic")
    whole = ("", np.ones(head + n, np.bool_))
    found = share(sample, "severe-losses", hit[rows].astype(np.float64), whole)
    return found, float(np.average(hit, weights=traffic))


@pytest.mark.parametrize(
    "draw",
    [
        rare_losses_in_a_small_slice,
        rare_losses_beside_jitter,
        unjudged_documents,
        clusters_of_near_duplicates,
        a_share_of_traffic,
    ],
)
def test_a_version_exactly_at_the_margin_passes_at_most_once_in_twenty(draw: Round) -> None:
    rng = np.random.default_rng(7)
    accepts = rejects = 0
    for _ in range(ROUNDS):
        found, truth = draw(rng)
        least, most = (None, truth) if found.metric == "severe-losses" else (truth, None)
        outcome = judge(Bound("c", found.metric, least, most), found).outcome
        accepts += outcome is Outcome.PASS
        rejects += outcome is Outcome.FAIL
    assert accepts / ROUNDS <= WITHIN
    assert rejects / ROUNDS <= WITHIN
