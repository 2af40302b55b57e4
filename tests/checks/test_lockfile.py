"""`lockfile`: each kind of problem counted, and what could not be looked at is no zero."""

from __future__ import annotations

from typing import Any, cast

import pytest

from gates.checks import catalogue
from gates.dependencies import LockProblem, LockReport, ProblemKind
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, run

METRICS = ("unpinned", "unhashed", "unsatisfied", "environment", "repository")
LOOKED_AT: dict[ProblemKind, int] = dict.fromkeys(cast("Any", METRICS), 5)


def result_of(report: LockReport) -> Result:
    golden = golden_set(task="classification", texts=["desk"])
    return run("lockfile", FakeSubject(golden, FakeArm(report=report), None), *METRICS)


def test_a_clean_lock_has_no_problem_of_any_kind() -> None:
    result = result_of(LockReport((), LOOKED_AT))
    assert [result[metric].value for metric in METRICS] == [0.0] * 5
    assert result.exhibits == []


@pytest.mark.parametrize("kind", METRICS)
def test_each_problem_is_counted_under_its_kind_and_shown(kind: str) -> None:
    problem = LockProblem(cast("Any", kind), "numpy", "is wrong", line=3)
    result = result_of(LockReport((problem,), LOOKED_AT))
    assert {metric: result[metric].value for metric in METRICS} == {
        metric: float(metric == kind) for metric in METRICS
    }
    assert result.exhibits[0].data["rows"] == [[kind, "numpy", 3, "is wrong"]]


def test_what_was_not_looked_at_is_not_zero() -> None:
    result = result_of(LockReport((), {"unpinned": 5}, {"unsatisfied": "no requirements.in"}))
    assert result["unsatisfied"].value is None
    assert (result["environment"].value, result["environment"].n) == (None, 0)
    assert "requirements.in" in result["unsatisfied"].reason


def test_every_metric_is_required_to_be_zero_by_default() -> None:
    defaults = {one.name: one.default for one in catalogue()["lockfile"].metrics}
    assert set(defaults) == set(METRICS)
    assert all(limit and limit.max == 0 for limit in defaults.values())
