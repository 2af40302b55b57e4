"""One bound for every difference and share that a verdict rests on.

Each of these came out as a PASS, or as a number about something else, when the bound was a
bootstrap with a guard for sparse changes, and shares were counted over golden rows.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from gates.comparison.differences import differences, superiority
from gates.comparison.measuring import Sample, share
from gates.comparison.paired import PairedMetric
from gates.domain.judging import Bound, Cause, Measurement, Outcome, judge
from gates.kernels.packed import Bools, Floats

N = 200


def sample(weight: Floats | None = None, census: Bools | None = None, n: int = N) -> Sample:
    return Sample(
        np.ones(n) if weight is None else weight,
        np.zeros(n, np.bool_) if census is None else census,
        severe=0.3,
        share_of="queries" if weight is None else "traffic",
    )


def whole(n: int = N) -> tuple[str, Bools]:
    return "", np.ones(n, np.bool_)


def measured(
    change: Floats, unjudged: tuple[Floats, Floats] | None = None, *slices: tuple[str, Bools]
) -> list[Measurement]:
    metric = PairedMetric("ndcg@10", np.full(change.size, 0.5), 0.5 + change, unjudged)
    own = sample(n=change.size)
    return differences(own, [metric], [whole(change.size), *slices])


def outcome(one: Measurement, margin: float) -> Outcome:
    return judge(Bound("ranking-diff", one.metric, minimum=-margin), one).outcome


def losing(queries: int, loss: float = 0.3) -> Floats:
    return np.where(np.arange(N) < queries, -loss, 0.0)


def test_a_jitter_of_every_query_buys_nothing() -> None:
    jitter = np.random.default_rng(1).normal(0, 0.003, N)
    (plain,) = measured(losing(1))
    (jittered,) = measured(losing(1) + jitter - jitter.mean())
    assert (jittered.lower or 0) == pytest.approx(plain.lower, abs=0.0005)
    assert outcome(jittered, 0.005) is Outcome.UNDECIDED


def test_one_loss_more_never_turns_undecided_into_a_pass() -> None:
    held = [outcome(measured(losing(lost, 0.02))[0], 0.005) for lost in range(60)]
    first = next(at for at, one in enumerate(held) if one is not Outcome.PASS)
    assert Outcome.PASS not in held[first:]


def test_chance_and_unjudged_documents_add_up() -> None:
    change = np.random.default_rng(2).normal(0, 0.1, N)
    change -= change.mean()
    least, most = change - 0.004, change + 0.004
    (found,) = measured(change, (least, most))
    (known,) = measured(change)
    # The pessimistic mean clears the margin, its bound does not.
    assert (found.pessimistic, found.optimistic) == pytest.approx((-0.004, 0.004))
    assert found.lower == pytest.approx((known.lower or 0) - 0.004, abs=1e-4)
    assert found.upper == pytest.approx((known.upper or 0) + 0.004, abs=1e-4)
    margin = 0.002 - (known.lower or 0)
    assert outcome(known, margin) is Outcome.PASS
    assert outcome(found, margin) is Outcome.UNDECIDED


def test_a_limit_between_the_worst_and_the_best_grades_hangs_on_them() -> None:
    change = np.zeros(N)
    (found,) = measured(change, (change - 0.02, change + 0.02))
    assert judge(Bound("c", found.metric, minimum=-0.01), found).cause is Cause.UNJUDGED_DECIDE


def test_a_slice_without_a_change_borrows_nothing() -> None:
    few = np.arange(N) < 5
    _, part = measured(np.zeros(N), None, ("kind=rare", few))
    assert part.lower == pytest.approx(-0.3 * (1 - 0.05 ** (1 / 5)))
    assert outcome(part, 0.05) is Outcome.UNDECIDED


def test_a_share_is_one_of_traffic_where_queries_stand_for_it() -> None:
    # One head query of four fifths of the traffic changed, and none of the others.
    weight = np.concatenate(([800.0], np.ones(N - 1)))
    hit = np.arange(N) == 0
    found = share(sample(weight, hit), "top1-changed", hit.astype(float), whole())
    assert found.unit == "share of traffic"
    assert found.value == pytest.approx(800 / 999)
    assert found.lower == pytest.approx(800 / 999)
    assert found.extra["queries"] == 1
    even = share(sample(), "top1-changed", hit.astype(float), whole())
    assert (even.unit, even.value) == ("share of queries", 1 / N)


def test_severe_losses_allow_for_grades_still_to_come() -> None:
    hit = losing(2) < 0
    worst = losing(6) < 0
    ends = (np.zeros(N), worst.astype(float))
    found = share(sample(), "severe-losses", hit.astype(float), whole(), open_=ends)
    known = share(sample(), "severe-losses", hit.astype(float), whole())
    assert (found.pessimistic, found.optimistic) == (0.0, 6 / N)
    assert found.lower == 0.0
    assert (found.upper or 0) > (known.upper or 0) + 3 / N
    between = judge(Bound("c", "severe-losses", maximum=0.02), found)
    assert between.cause is Cause.UNJUDGED_DECIDE


def test_better_is_a_claim_about_the_mean() -> None:
    # Tiny gains, of which a few large losses eat up all: flipped signs called that better.
    gain = np.where(np.arange(N) < 10, -0.3, 0.3 * 10 / 190)
    metric = PairedMetric("ndcg@10", np.zeros(N), gain)
    (p,) = superiority(sample(), metric, [whole()])
    assert (p.value or 0) > 0.4
    (p,) = superiority(sample(), PairedMetric("m", np.zeros(N), gain + 0.05), [whole()])
    assert (p.value or 1) < 0.05
    assert p.lower is None


def test_better_must_hold_whatever_grades_are_still_to_come() -> None:
    gain = np.random.default_rng(3).normal(0.03, 0.1, N)
    ends = (gain - 0.1, gain + 0.1)
    (p,) = superiority(sample(), PairedMetric("m", np.zeros(N), gain, ends), [whole()])
    assert (p.value or 1) < 0.05
    assert judge(Bound("c", p.metric, maximum=0.05), p).outcome is Outcome.UNDECIDED


def test_a_metric_of_which_less_is_better_is_bounded_by_its_gain() -> None:
    change = losing(3)
    metric = PairedMetric("moves", np.zeros(N), -change, higher_is_better=False)
    (found,) = differences(sample(), [metric], [whole()])
    (mirrored,) = measured(change)
    assert found.upper == pytest.approx(-(mirrored.lower or math.inf))
    assert found.extra["mde"] == pytest.approx(mirrored.extra["mde"])
