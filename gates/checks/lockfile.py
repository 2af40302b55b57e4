"""`lockfile`: is the candidate's lock whole, honest, and what really ran?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import BaseModel, ConfigDict

from gates.card import CheckSpec, Limit, MetricSpec
from gates.checks import Check
from gates.dependencies import ProblemKind
from gates.domain import Exhibit, Measurement
from gates.subject import Plan, Subject

__all__ = ["CHECK"]

_NONE = Limit(max=0.0)
_UNITS: Mapping[ProblemKind, str] = {
    "unpinned": "requirements",
    "unhashed": "requirements",
    "unsatisfied": "lines of requirements.in",
    "environment": "distributions",
    "repository": "locks",
}


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _measure(subject: Subject, plan: Plan) -> Iterator[Measurement | Exhibit]:
    report = subject.candidate.lock_report()
    for metric in plan.metrics:
        kind = cast("ProblemKind", metric)
        n, unit = report.looked_at.get(kind, 0), _UNITS[kind]
        count = float(report.count(kind)) if n else None
        yield Measurement(kind, count, n, unit, reason=report.absent.get(kind, ""))
    if report.problems:
        rows = [[one.kind, one.requirement, one.line, one.message] for one in report.problems]
        columns = ["kind", "requirement", "line of the lock", "what is wrong"]
        yield Exhibit("table", "What is wrong with the lock", {"columns": columns, "rows": rows})


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
