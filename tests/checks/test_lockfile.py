"""`lockfile`: each kind of problem counted, and what could not be looked at is no zero."""

from __future__ import annotations

from typing import Any, cast

import pytest

from gates.checks import catalogue
from gates.domain.judging import Bound, Cause, judge
from gates.domain.lock_report import LockChange, LockProblem, LockReport, ProblemKind
from gates.errors import NoChampion
from gates.report.wording import value_in_words
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, run

METRICS = ("unpinned", "unhashed", "unsatisfied", "environment", "repository")
LOOKED_AT: dict[ProblemKind, int] = dict.fromkeys(cast("Any", METRICS), 5)


def result_of(report: LockReport, *metrics: str) -> Result:
    golden = golden_set(task="classification", texts=["desk"])
    return run("lockfile", FakeSubject(golden, FakeArm(report=report), None), *(metrics or METRICS))


def test_a_clean_lock_has_no_problem_of_any_kind() -> None:
    result = result_of(LockReport((), LOOKED_AT))
    assert [result[metric].value for metric in METRICS] == [0.0] * 5
    assert result.tables == []


@pytest.mark.parametrize("kind", METRICS)
def test_each_problem_is_counted_under_its_kind_and_shown(kind: str) -> None:
    problem = LockProblem(cast("Any", kind), "numpy", "is wrong", line=3)
    result = result_of(LockReport((problem,), LOOKED_AT))
    assert {metric: result[metric].value for metric in METRICS} == {
        metric: float(metric == kind) for metric in METRICS
    }
    assert result.tables[0].rows == [[kind, "numpy", 3, "is wrong"]]


def test_what_was_not_looked_at_is_not_zero() -> None:
    result = result_of(LockReport((), {"unpinned": 5}, {"unsatisfied": "no requirements.in"}))
    assert result["unsatisfied"].value is None
    assert (result["environment"].value, result["environment"].n) == (None, 0)
    assert "requirements.in" in result["unsatisfied"].reason


def test_offline_metrics_are_required_to_be_zero_and_the_others_are_asked_for() -> None:
    defaults = {one.name: one.default for one in catalogue()["lockfile"].metrics}
    asked_for = {"major-upgrades", "resolution", "yanked", "advisories"}
    assert {name for name, limit in defaults.items() if limit is None} == asked_for
    assert all(limit is None or limit.max == 0 for limit in defaults.values())


CHANGES = (
    LockChange("numpy", "1.26.4", "2.0.1", "upgraded", "major", direct=True, chain=("numpy",)),
    LockChange("pandas", "3.0", "2.2", "downgraded", "major"),
    LockChange("idna", "3.10", "3.10", "files"),
    LockChange("attrs", "25.1", "25.2", "upgraded", "minor"),
)
SINCE = ("major-upgrades", "swapped-files")


def changed(*acknowledged: str) -> Result:
    golden = golden_set(task="classification", texts=["desk"])
    candidate, champion = FakeArm(report=LockReport((), LOOKED_AT)), FakeArm("champion")
    subject = FakeSubject(golden, candidate, champion, changes=CHANGES)
    return run("lockfile", subject, *SINCE, acknowledged=acknowledged)


def test_without_a_champion_nothing_is_told_of_what_changed_since() -> None:
    result = result_of(LockReport((), LOOKED_AT), *SINCE, "unpinned")
    for metric in SINCE:
        found = result[metric]
        assert (found.value, found.n, found.reason) == (None, 0, str(NoChampion()))
        judged = judge(Bound("lockfile", metric, maximum=0.0), found)
        assert judged.cause is Cause.NO_CHAMPION, "what a first promotion excuses"
    assert result["unpinned"].value == 0.0


def test_where_there_was_nothing_to_find_the_lock_counts_and_the_reason_says_it() -> None:
    report = LockReport((), {"base-image": 0}, nothing={"base-image": "no Dockerfile"})
    found = result_of(report, "base-image")["base-image"]
    assert (found.value, found.n, found.unit, found.reason) == (0.0, 1, "locks", "no Dockerfile")
    assert value_in_words(found) == "0 of 1 lock"


def test_a_kind_without_anything_to_look_at_must_say_so() -> None:
    with pytest.raises(ValueError, match="must say so"):
        LockReport((), {"base-image": 0})


def test_majors_that_nobody_acknowledged_and_swapped_files_are_counted_and_shown() -> None:
    result = changed()
    assert (result["major-upgrades"].value, result["major-upgrades"].n) == (2.0, 5)
    assert result["major-upgrades"].reason == "numpy 1.26.4 → 2.0.1, pandas 3.0 → 2.2"
    assert (result["swapped-files"].value, result["swapped-files"].reason) == (1.0, "idna 3.10")
    (exhibit,) = result.tables
    assert exhibit.title.startswith("Since the champion's lock: 4 changes: 2 major")
    assert [row[1] for row in exhibit.rows] == ["idna", "numpy", "pandas", "attrs"]


def test_a_major_counts_as_acknowledged_by_its_exact_version_alone() -> None:
    assert changed("NumPy==2.0.1")["major-upgrades"].value == 1.0
    assert changed("numpy == 2.0.2")["major-upgrades"].value == 2.0
    assert changed("numpy==2.0.1", "pandas==2.2.0")["major-upgrades"].value == 0.0


@pytest.mark.parametrize("text", ["numpy", "numpy>=2", "numpy==2.*", "numpy==2,>1", "1 2"])
def test_an_acknowledgement_that_is_not_one_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it as numpy==2\.0\.1"):
        catalogue()["lockfile"].options.model_validate({"acknowledged": [text]})


@pytest.mark.parametrize(
    ("metric", "resolve"), [("resolution", True), ("yanked", True), ("unpinned", False)]
)
def test_resolvers_are_asked_only_where_a_bound_needs_them(metric: str, resolve: bool) -> None:
    arm = FakeArm()
    golden = golden_set(task="classification", texts=["desk"])
    run("lockfile", FakeSubject(golden, arm, None), metric, advisories="osv.zip")
    assert arm.asked_of_lock is not None
    assert (arm.asked_of_lock.resolve, arm.asked_of_lock.advisories) == (resolve, "osv.zip")
