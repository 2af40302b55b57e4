"""The judge: an interval decides where there is one, and nothing compared is never a pass."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.domain.judging import (
    Bound,
    Cause,
    Judgement,
    Measurement,
    Outcome,
    decide,
    deciding,
    judge,
)

AT_LEAST = Bound("ranking-diff", "ndcg@10.delta", minimum=-0.01)
AT_MOST = Bound("behaviour", "invariance.typo", maximum=0.2)


def measured(
    value: float | None, lower: float | None = None, upper: float | None = None
) -> Measurement:
    return Measurement("ndcg@10.delta", value, 100, "nDCG", lower, upper)


@pytest.mark.parametrize(
    ("lower", "upper", "outcome"),
    [
        (-0.005, 0.02, Outcome.PASS),
        (-0.05, -0.02, Outcome.FAIL),
        (-0.02, 0.01, Outcome.UNDECIDED),
        (-0.01, 0.01, Outcome.UNDECIDED),
        (-0.05, -0.01, Outcome.UNDECIDED),
        (-math.inf, math.inf, Outcome.UNDECIDED),
    ],
)
def test_an_interval_passes_inside_fails_outside_and_is_undecided_astride(
    lower: float, upper: float, outcome: Outcome
) -> None:
    assert judge(AT_LEAST, measured(0.0, lower, upper)).outcome is outcome


def test_an_open_interval_is_written_as_one() -> None:
    reason = judge(AT_LEAST, measured(0.0, -math.inf, math.inf)).reason
    assert "0 (-∞, ∞) (n=100)" in reason


def test_a_maximum_mirrors_a_minimum() -> None:
    assert judge(AT_MOST, measured(0.1, 0.05, 0.15)).outcome is Outcome.PASS
    assert judge(AT_MOST, measured(0.4, 0.3, 0.5)).outcome is Outcome.FAIL
    assert judge(AT_MOST, measured(0.2, 0.1, 0.3)).outcome is Outcome.UNDECIDED


def test_an_exact_value_may_sit_on_the_bound() -> None:
    assert judge(AT_MOST, measured(0.2)).outcome is Outcome.PASS
    assert judge(AT_LEAST, measured(-0.01, -0.01, -0.01)).outcome is Outcome.PASS
    assert judge(AT_MOST, measured(0.2000001)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "absent",
    [
        None,
        Measurement("m", None, 0, "", reason="the worker died"),
        Measurement("m", 0.0, 0, ""),
        Measurement("m", math.nan, 10, ""),
    ],
)
def test_nothing_measured_nothing_compared_and_nan_are_undecided(
    absent: Measurement | None,
) -> None:
    judgement = judge(AT_LEAST, absent)
    assert judgement.outcome is Outcome.UNDECIDED
    assert judgement.reason


def test_a_broken_contract_fails_whatever_the_bound() -> None:
    broken = Measurement("m", None, 0, "", reason="3 scores are NaN", cause=Cause.BREACH)
    assert judge(AT_LEAST, broken) == Judgement(AT_LEAST, Cause.BREACH, "3 scores are NaN", broken)


@given(
    value=st.floats(-1, 1),
    spread=st.floats(0.001, 1),
    low=st.floats(-1, 1),
)
def test_a_stricter_minimum_never_turns_a_fail_into_a_pass(
    value: float, spread: float, low: float
) -> None:
    order = [Outcome.FAIL, Outcome.UNDECIDED, Outcome.PASS]
    measurement = measured(value, value - spread, value + spread)
    loose = judge(Bound("c", "m", minimum=low), measurement).outcome
    strict = judge(Bound("c", "m", minimum=low + 0.1), measurement).outcome
    assert order.index(strict) <= order.index(loose)


def _one(outcome: Outcome, *, advisory: bool = False) -> Judgement:
    cause = {"PASS": Cause.WITHIN, "FAIL": Cause.OUTSIDE, "UNDECIDED": Cause.ASTRIDE}[outcome]
    return Judgement(Bound("c", f"m-{outcome}", minimum=0, advisory=advisory), cause, "because")


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (["PASS", "PASS"], Outcome.PASS),
        (["PASS", "UNDECIDED"], Outcome.UNDECIDED),
        (["UNDECIDED", "FAIL", "PASS"], Outcome.FAIL),
        ([], Outcome.UNDECIDED),
    ],
)
def test_any_fail_fails_then_any_undecided_is_undecided(
    outcomes: list[str], verdict: Outcome
) -> None:
    assert decide([_one(Outcome(one)) for one in outcomes]).outcome is verdict


def test_advisory_bounds_cannot_block_and_cannot_carry_a_run() -> None:
    passing = _one(Outcome.PASS)
    assert decide([passing, _one(Outcome.FAIL, advisory=True)]).outcome is Outcome.PASS
    assert decide([_one(Outcome.PASS, advisory=True)]).outcome is Outcome.UNDECIDED


def test_reasons_name_the_bound_that_made_the_verdict() -> None:
    verdict = decide([_one(Outcome.PASS), _one(Outcome.FAIL)])
    assert verdict.reasons == ("c::m-FAIL: because",)


@pytest.mark.parametrize(("outcome", "code"), [("PASS", 0), ("FAIL", 1), ("UNDECIDED", 3)])
def test_exit_codes(outcome: str, code: int) -> None:
    assert Outcome(outcome).exit_code == code


def test_unjudged_documents_that_could_tip_a_bound_leave_it_undecided() -> None:
    bound = Bound("ranking-diff", "ndcg@10.delta", minimum=-0.01)

    def judged(worst: float, best: float, lower: float, upper: float) -> Outcome:
        value = (lower + upper) / 2
        measured = Measurement("ndcg@10.delta", value, 50, "nDCG", lower, upper)
        return judge(bound, replace(measured, pessimistic=worst, optimistic=best)).outcome

    assert judged(-0.2, 0.1, 0.01, 0.03) is Outcome.UNDECIDED
    assert judged(-0.2, 0.1, -0.3, -0.2) is Outcome.UNDECIDED
    assert judged(-0.005, 0.1, 0.01, 0.03) is Outcome.PASS
    assert judged(-0.4, -0.02, -0.3, -0.2) is Outcome.FAIL


@pytest.mark.parametrize(
    ("measurement", "cause"),
    [
        (None, Cause.NOT_MEASURED),
        (measured(None), Cause.NOT_MEASURED),
        (replace(measured(0.1), n=0), Cause.NOTHING_COMPARED),
        (measured(math.nan), Cause.NOT_A_NUMBER),
        (replace(measured(0.1), cause=Cause.BREACH), Cause.BREACH),
        (replace(measured(None), cause=Cause.NO_CHAMPION), Cause.NO_CHAMPION),
        (measured(0.1), Cause.WITHIN),
        (measured(-0.1), Cause.OUTSIDE),
        (measured(0.0, -0.1, 0.1), Cause.ASTRIDE),
        (replace(measured(0.1), pessimistic=-0.2, optimistic=0.2), Cause.UNJUDGED_DECIDE),
    ],
)
def test_a_judgement_says_why_and_its_outcome_follows(
    measurement: Measurement | None, cause: Cause
) -> None:
    judgement = judge(AT_LEAST, measurement)
    assert judgement.cause is cause
    assert judgement.outcome is cause.outcome
    assert judgement.reason


def test_only_what_holds_is_a_pass() -> None:
    passing = {one for one in Cause if one.outcome is Outcome.PASS}
    assert passing == {Cause.WITHIN, Cause.TEST_PASSED}
    failing = {one for one in Cause if one.outcome is Outcome.FAIL}
    assert failing == {Cause.OUTSIDE, Cause.BREACH, Cause.TEST_FAILED}


def test_an_outcome_cannot_contradict_its_cause() -> None:
    judgement = judge(AT_LEAST, measured(0.1))
    with pytest.raises(ValueError, match="it says FAIL, but 'within' is PASS"):
        replace(judgement, outcome=Outcome.FAIL)


def test_what_decided_is_required_and_of_the_worst_outcome() -> None:
    failed, unsure = _one(Outcome.FAIL), _one(Outcome.UNDECIDED)
    assert deciding([_one(Outcome.PASS), unsure, failed]) == (failed,)
    assert deciding([_one(Outcome.PASS), unsure, _one(Outcome.FAIL, advisory=True)]) == (unsure,)
    assert deciding([_one(Outcome.PASS)]) == ()


@pytest.mark.parametrize(
    ("bound", "random", "outcome"),
    [
        (AT_LEAST, -0.005, Outcome.UNDECIDED),  # random order costs less than the margin
        (AT_LEAST, -0.01, Outcome.UNDECIDED),
        (AT_LEAST, -0.2, Outcome.PASS),
        (AT_LEAST, None, Outcome.PASS),
        (replace(AT_LEAST, slice="category=a"), -0.005, Outcome.PASS),
        (Bound("c", "m", minimum=-0.01, maximum=0.05), 0.1, Outcome.PASS),
        (Bound("c", "m", maximum=0.05), -0.2, Outcome.UNDECIDED),
    ],
)
def test_what_random_order_would_keep_is_no_pass(
    bound: Bound, random: float | None, outcome: Outcome
) -> None:
    found = replace(measured(0.0, -0.005, 0.005), random_order=random)
    assert judge(bound, found).outcome is outcome
    # It excuses nothing: what fails, fails.
    lost = replace(measured(-0.3, -0.4, -0.2), random_order=random)
    if bound.minimum is not None:
        assert judge(bound, lost).outcome is Outcome.FAIL
