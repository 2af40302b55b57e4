"""`artifact`: what would the candidate's files do when they are loaded?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from pydantic import BaseModel, ConfigDict

from gates.card.card import CheckSpec, MetricSpec
from gates.card.policy import Limit
from gates.checks import Check
from gates.domain.artifact_scan import ScanReport, Severity
from gates.domain.exhibits import Table
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, Subject
from gates.domain.tasks import AnswerForm

__all__ = ["CHECK"]

_NONE = Limit(max=0.0)
_ROWS = 50


class ArtifactOptions(BaseModel):
    """No options: `environment.allow` in the card says what is known to be harmless."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _measure(subject: Subject, plan: CheckPlan[ArtifactOptions]) -> Iterator[Measurement | Table]:
    report = subject.candidate.scan()
    for metric in plan.metrics:
        yield _measurement(report, metric)
    rows = [[one.severity, one.path, one.what, one.detail] for one in report.findings]
    rows += [["unread", path, "could not be looked at", why] for path, why in report.unread.items()]
    if rows:
        more = f", the first {_ROWS} of {len(rows):,}" if len(rows) > _ROWS else ""
        columns = ["severity", "file", "what", "why it matters"]
        title = f"What was found in the candidate's files{more}"
        yield Table(title, columns, rows[:_ROWS])


def _measurement(report: ScanReport, metric: str) -> Measurement:
    if not report.files:
        return Measurement(metric, None, 0, "files", reason="the artifact has no files")
    if metric == "unread":
        first = next(iter(report.unread), "")
        reason = f"{first}: {report.unread[first]}" if first else ""
        return Measurement(metric, float(len(report.unread)), report.files, "files", reason=reason)
    severity = cast("Severity", metric)
    count = report.count(severity)
    none = report.opinion if severity == "critical" else ""
    worst = next((one.sentence for one in report.findings if one.severity == severity), none)
    if not count and not report.scanned:
        reason = "no file could be looked at whole"
        return Measurement(metric, None, 0, "files", reason=reason)
    return Measurement(metric, float(count), report.scanned, "files", reason=worst)


CHECK = Check(
    CheckSpec(
        name="artifact",
        summary="what the artifact's files would import, call and run, told without loading them",
        answers=AnswerForm.ANY,
        metrics=(
            MetricSpec(
                "critical",
                "commands or code of its own that a file runs when loaded",
                "files",
                _NONE,
            ),
            MetricSpec("high", "network calls, and files that cannot be followed", "files", _NONE),
            MetricSpec("medium", "functions held as code, and globals nobody knows", "files"),
            MetricSpec("low", "what is worth knowing", "files"),
            MetricSpec("unread", "files that could not be looked at", "files", _NONE),
        ),
        options=ArtifactOptions,
    ),
    _measure,
)
