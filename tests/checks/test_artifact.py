"""`artifact`: findings counted by severity and shown; what was not looked at is no zero."""

from __future__ import annotations

from gates.checks import catalogue
from gates.domain.artifact_scan import ArtifactFinding, ScanReport
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, run

METRICS = ("critical", "high", "medium", "low", "unread")
CALLS = ArtifactFinding("critical", "model.pkl", "calls posix.system('id')", "it runs commands")
CODE = ArtifactFinding(
    "medium", "model.pkl", "holds functions or classes as code", "no lock covers it"
)


def result_of(report: ScanReport) -> Result:
    golden = golden_set(task="classification", texts=["desk"])
    return run("artifact", FakeSubject(golden, FakeArm(scanned=report), None), *METRICS)


def test_a_clean_artifact_has_no_finding_of_any_severity() -> None:
    result = result_of(ScanReport(3, 3, (), {}))
    assert [(result[metric].value, result[metric].n) for metric in METRICS] == [(0.0, 3)] * 5
    assert result.tables == []


def test_a_second_scanner_that_was_absent_is_said_beside_the_zero() -> None:
    result = result_of(ScanReport(3, 3, (), {}, opinion="modelaudit is not installed"))
    assert result["critical"].value == 0.0
    assert result["critical"].reason == "modelaudit is not installed"


def test_findings_are_counted_by_severity_and_shown_worst_first() -> None:
    result = result_of(ScanReport(3, 3, (CALLS, CODE, CODE), {}))
    assert [result[metric].value for metric in METRICS] == [1.0, 0.0, 2.0, 0.0, 0.0]
    assert result["critical"].reason == "model.pkl calls posix.system('id') (critical)"
    rows = result.tables[0].rows
    assert rows[0] == ["critical", "model.pkl", "calls posix.system('id')", "it runs commands"]


def test_files_nobody_could_look_at_are_counted_with_the_reason() -> None:
    result = result_of(ScanReport(3, 2, (), {"a.7z": "it is a 7z archive"}))
    assert (result["unread"].value, result["unread"].n) == (1.0, 3)
    assert result["unread"].reason == "a.7z: it is a 7z archive"
    assert (result["critical"].value, result["critical"].n) == (0.0, 2)
    assert result.tables[0].rows[0][0] == "unread"


def test_where_nothing_was_looked_at_there_is_no_zero() -> None:
    nothing = result_of(ScanReport(1, 0, (), {"a.7z": "it is a 7z archive"}))
    assert (nothing["critical"].value, nothing["high"].value) == (None, None)
    assert nothing["unread"].value == 1.0
    empty = result_of(ScanReport(0, 0, (), {}))
    assert {empty[metric].value for metric in METRICS} == {None}


def test_the_table_is_of_bounded_length() -> None:
    result = result_of(ScanReport(1, 1, (CODE,) * 200, {}))
    assert len(result.tables[0].rows) == 50
    assert "the first 50 of 200" in result.tables[0].title


def test_by_default_what_is_critical_high_or_unread_blocks() -> None:
    defaults = {one.name: one.default for one in catalogue()["artifact"].metrics}
    assert {name for name, limit in defaults.items() if limit} == {"critical", "high", "unread"}
    assert all(limit.max == 0 for limit in defaults.values() if limit)
