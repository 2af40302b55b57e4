"""What is waived runs and shows what it would have been; only that it blocks is excused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.domain.judging import Bound, Cause, Judgement, Measurement, Outcome, decide, judge
from gates.domain.waivers import Waiver

WAIVER = Waiver("ranking-diff", "the catalogue is being moved", "ann", "2026-12-31")
OF_QUERY = replace(WAIVER, query="q1")
BOUND = Bound("behaviour", "must-be-first", minimum=1.0)
HOLDS = judge(Bound("lockfile", "pinned", minimum=1.0), Measurement("pinned", 1.0, 9, "pins"))


def judged(value: float, excused: float | None = None, *waivers: Waiver) -> Judgement:
    measured = Measurement("must-be-first", value, 10, "expectations", excused=excused)
    return judge(replace(BOUND, waivers=waivers), measured)


@pytest.mark.parametrize(
    ("judgement", "waived", "verdict"),
    [
        (judged(0.9), False, Outcome.FAIL),
        (judged(0.9, None, WAIVER), True, Outcome.PASS),
        (judged(1.0, None, WAIVER), False, Outcome.PASS),
        (judged(0.9, 1.0, OF_QUERY), True, Outcome.PASS),
        (judged(0.8, 0.9, OF_QUERY), False, Outcome.FAIL),
        (judged(0.9, None, OF_QUERY), False, Outcome.FAIL),
        (judged(0.9, 1.0), False, Outcome.FAIL),
    ],
)
def test_what_a_waiver_covers_cannot_block(
    judgement: Judgement, waived: bool, verdict: Outcome
) -> None:
    assert judgement.is_waived is waived
    assert judgement.outcome is (Outcome.PASS if judgement.measurement.value == 1 else Outcome.FAIL)  # type: ignore[union-attr]
    assert decide([HOLDS, judgement]).outcome is verdict


@pytest.mark.parametrize("cause", [one for one in Cause if one.outcome is not Outcome.PASS])
def test_what_did_not_run_is_excused_by_none(cause: Cause) -> None:
    judgement = Judgement(replace(BOUND, waivers=(WAIVER,)), cause, "for a reason")
    assert judgement.is_waived is (cause is not Cause.NOT_RUN)


def test_the_verdict_says_what_it_rests_on_and_needs_something_that_holds() -> None:
    excused = judged(0.9, None, WAIVER)
    assert decide([HOLDS, excused]).reasons == ("1 required bounds hold, and 1 is waived",)
    assert decide([excused]).outcome is Outcome.UNDECIDED
    advisory = judge(replace(BOUND, advisory=True, waivers=(WAIVER,)), excused.measurement)
    assert not advisory.is_waived
