"""modelaudit as a second scanner: the worse of both holds, and its absence is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gates.artifacts import second_opinion
from gates.artifacts.second_opinion import with_second_opinion
from gates.domain.artifact_scan import ArtifactFinding, ScanReport

CLEAN = ScanReport(1, 1, (), {})
MEDIUM = ArtifactFinding("medium", "model.pkl", "names shop.Model")


def issue(severity: str, location: str) -> dict[str, object]:
    """As modelaudit 0.2.54 writes it."""
    return {
        "message": "Found REDUCE opcode invoking dangerous global: posix.system",
        "severity": severity,
        "location": location,
        "details": {"opcode": "REDUCE"},
        "why": "The 'posix' module",
        "type": "pickle_check",
        "rule_code": "S201",
    }


@pytest.fixture
def modelaudit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that stands for it: it writes `report` where it is told, and keeps what it saw."""
    program = tmp_path / "modelaudit"
    program.write_text(
        "#!/bin/sh\n"
        f'env > {tmp_path}/env; echo "$@" > {tmp_path}/arguments\n'
        'while [ $# -gt 0 ]; do [ "$1" = --output ] && out=$2; shift; done\n'
        f'[ -e {tmp_path}/report ] && cat {tmp_path}/report > "$out"\n'
        f"exit $(cat {tmp_path}/code)\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    (tmp_path / "code").write_text("1", encoding="utf-8")
    monkeypatch.setattr(second_opinion, "_find", lambda: str(program))
    return tmp_path


def ask(folder: Path, report: ScanReport = CLEAN) -> ScanReport:
    """The report with its opinion."""
    return with_second_opinion(report, folder, lambda line: None)


def test_what_it_calls_critical_is_critical(modelaudit: Path) -> None:
    said = {
        "issues": [
            issue("critical", f"{modelaudit.resolve()}/model.pkl (pos 37)"),
            issue("warning", f"{modelaudit.resolve()}/model.pkl"),
        ],
        "has_errors": False,
    }
    (modelaudit / "report").write_text(json.dumps(said), encoding="utf-8")
    report = ask(modelaudit, ScanReport(1, 1, (MEDIUM,), {}))
    assert [(one.severity, one.path) for one in report.findings] == [
        ("critical", "model.pkl"),
        ("medium", "model.pkl"),
    ]
    assert "warned 1 times" in report.opinion
    assert report.unread == {}


def test_what_it_does_not_find_takes_nothing_away(modelaudit: Path) -> None:
    (modelaudit / "report").write_text('{"issues": [], "has_errors": true}', encoding="utf-8")
    report = ask(modelaudit, ScanReport(1, 1, (MEDIUM,), {}))
    assert report.findings == (MEDIUM,)
    assert "could not read all of it" in report.opinion


@pytest.mark.parametrize(
    ("content", "code", "why"),
    [
        (None, "0", "left no report"),
        ("{", "0", "no JSON"),
        ("[]", "1", "does not know"),
        ('{"issues": []}', "9", "exit code 9"),
    ],
)
def test_installed_and_silent_is_unread(
    content: str | None, code: str, why: str, modelaudit: Path
) -> None:
    (modelaudit / "code").write_text(code, encoding="utf-8")
    if content is not None:
        (modelaudit / "report").write_text(content, encoding="utf-8")
    report = ask(modelaudit)
    assert why in report.unread["second opinion"]


def test_it_sees_no_variable_of_the_gate(modelaudit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATES_SIGNING_KEY", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    ask(modelaudit)
    seen = (modelaudit / "env").read_text(encoding="utf-8")
    assert "secret" not in seen
    assert "PROMPTFOO_DISABLE_TELEMETRY=1" in seen
    assert str(Path.home()) not in [line.partition("=")[2] for line in seen.splitlines()]


def test_where_it_is_absent_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "_find", lambda: None)
    told: list[str] = []
    report = with_second_opinion(CLEAN, tmp_path, told.append)
    assert "modelaudit is not installed" in report.opinion
    assert told == [report.opinion]
