"""`lockfile`: is the candidate's lock whole, honest, and what really ran?"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from gates.card import CheckSpec, Limit, MetricSpec
from gates.checks import Check
from gates.domain import Exhibit, Measurement
from gates.subject import LockReport, Plan, Subject

__all__ = ["CHECK"]

_NONE = Limit(max=0.0)
_NO_REPOSITORY_LOCK = (
    "the project holds no lock of this model to compare with; where locks live elsewhere, "
    "list the bounds of 'lockfile' in the card without 'repository'"
)


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _measure(subject: Subject, plan: Plan) -> Iterator[Measurement | Exhibit]:
    del plan
    report = subject.candidate.lock_report()
    for kind, n, unit, absent in _rows(report):
        count = None if absent else float(report.count(kind))
        yield Measurement(kind, count, n, unit, reason=absent)
    if report.problems:
        rows = [[one.kind, one.requirement, one.line, one.message] for one in report.problems]
        columns = ["kind", "requirement", "line of the lock", "what is wrong"]
        yield Exhibit("table", "What is wrong with the lock", {"columns": columns, "rows": rows})


def _rows(report: LockReport) -> Iterator[tuple[str, int, str, str]]:
    """Kind, how many things were looked at, what they are, and why they could not be looked at."""
    # A lock without requirements is still a lock that was read: one file was looked at.
    looked_at = max(report.requirements, 1)
    yield "unpinned", looked_at, "requirements", ""
    yield "unhashed", looked_at, "requirements", ""
    absent = "" if report.inputs is not None else "the artifact holds no requirements.in"
    yield "unsatisfied", max(report.inputs or 0, 1), "lines of requirements.in", absent
    absent = "" if report.installed is not None else "the environment was not looked at"
    yield "environment", max(report.installed or 0, 1), "distributions", absent
    absent = "" if report.in_repository else _NO_REPOSITORY_LOCK
    yield "repository", int(report.in_repository), "locks", absent


CHECK = Check(
    CheckSpec(
        name="lockfile",
        summary="every requirement pinned and hashed; what ran is what was locked",
        tasks=frozenset({"ranking", "classification"}),
        metrics=(
            MetricSpec("unpinned", "requirements without '=='", "requirements", _NONE),
            MetricSpec("unhashed", "requirements without a hash", "requirements", _NONE),
            MetricSpec(
                "unsatisfied", "lines of requirements.in that the lock breaks", "lines", _NONE
            ),
            MetricSpec("environment", "distributions that ran and differ from the lock", "", _NONE),
            MetricSpec(
                "repository", "1 when the repository's lock is not the artifact's", "", _NONE
            ),
        ),
        options=Options,
    ),
    _measure,
)
