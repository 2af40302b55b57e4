"""`lockfile`: is the candidate's lock whole, honest and what really ran, and what changed in it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, cast

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.card.policy import Limit
from gates.checks import Check
from gates.domain.exhibits import Cell, LineColumn, Table
from gates.domain.judging import Cause, Measurement
from gates.domain.lock_changes import as_rows, summary
from gates.domain.lock_report import LockChange, LockProblem, LockReport, ProblemKind
from gates.domain.subject import CheckPlan, LockQuestions, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import NoChampion

__all__ = ["CHECK"]

_NONE = Limit(max=0.0)
_ROWS = 200
_WHOLE = "locks"
_UNITS: Mapping[ProblemKind, str] = {
    "unpinned": "requirements",
    "unhashed": "requirements",
    "unsatisfied": "lines of requirements.in",
    "unneeded": "requirements",
    "environment": "distributions",
    "files": "distributions",
    "imports": "modules",
    "after-the-fact": "locks",
    "recorded": "recorded versions",
    "base-image": "base images",
    "repository": "locks",
    "resolution": "requirements",
    "yanked": "requirements",
    "advisories": "requirements",
}


def _pin(text: str) -> str:
    """One `name==version`, in canonical form."""
    try:
        asked = Requirement(text)
        (only,) = asked.specifier
        if only.operator == "==":
            return f"{canonicalize_name(asked.name)}=={canonicalize_version(Version(only.version))}"
    except ValueError:  # of the requirement, of several versions, of no version
        pass
    raise ValueError(f"'{text}' is not one version; write it as numpy==2.0.1")


class LockfileOptions(BaseModel):
    """Options of the lock's verification.

    Attributes:
        acknowledged: Major upgrades that somebody has looked at, each as `name==version`.
        advisories: Known advisories and yanked releases in OSV format: a file, a folder or a URL;
            paths start from the project.
        advisories_max_age: After how many days without news the source counts as out of date.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    acknowledged: tuple[Annotated[str, AfterValidator(_pin)], ...] = ()
    advisories: str | None = Field(default=None, min_length=1)
    advisories_max_age: int = Field(default=30, ge=1)


def _measure(subject: Subject, plan: CheckPlan[LockfileOptions]) -> Iterator[Measurement | Table]:
    options = plan.options
    changed = set(plan.metrics) & {"major-upgrades", "swapped-files"}
    questions = LockQuestions(
        resolve="resolution" in plan.metrics or "yanked" in plan.metrics,
        advisories=options.advisories,
        advisories_max_age=options.advisories_max_age,
    )
    report = subject.candidate.lock_report(questions)
    for metric in plan.metrics:
        if metric not in changed:
            yield _counted(report, cast("ProblemKind", metric))
        elif subject.champion is None:
            why = str(NoChampion())
            yield Measurement(metric, None, 0, "requirements", reason=why, cause=Cause.NO_CHAMPION)
    if report.problems:
        yield _wrong(report.problems)
    if subject.champion is None:
        return
    changes = subject.lock_changes()
    majors = [one for one in changes if _is_major(one, options.acknowledged)]
    swapped = [one for one in changes if one.kind == "files"]
    for metric, found in (("major-upgrades", majors), ("swapped-files", swapped)):
        if metric in changed:
            yield _since(metric, found, report)
    if changes:
        yield _changed(changes)


def _counted(report: LockReport, kind: ProblemKind) -> Measurement:
    """How many problems of a kind there are; where there was nothing to find, why."""
    if words := report.nothing.get(kind):
        return Measurement(kind, 0.0, 1, _WHOLE, reason=words)
    n = report.looked_at.get(kind, 0)
    count = float(report.count(kind)) if n else None
    return Measurement(kind, count, n, _UNITS[kind], reason=report.absent.get(kind, ""))


def _since(metric: str, found: Sequence[LockChange], report: LockReport) -> Measurement:
    if words := report.nothing.get("unpinned"):
        return Measurement(metric, 0.0, 1, _WHOLE, reason=words)
    n, reason = report.looked_at.get("unpinned", 0), ", ".join(one.moved for one in found)
    return Measurement(metric, float(len(found)), n, "requirements", reason=reason)


def _is_major(change: LockChange, acknowledged: Sequence[str]) -> bool:
    pin = f"{change.name}=={canonicalize_version(change.new)}"
    return change.level == "major" and pin not in acknowledged


def _wrong(problems: Sequence[LockProblem]) -> Table:
    rows: list[list[Cell]] = [
        [one.kind, one.requirement, one.line, one.message] for one in problems[:_ROWS]
    ]
    columns = ["kind", "requirement", "line of the lock", "what is wrong"]
    more = f", the first {_ROWS}" if len(problems) > _ROWS else ""
    title = f"What is wrong with the lock{more}"
    return Table(title, columns, rows, lines=LineColumn("lock", 2))


def _changed(changes: Sequence[LockChange]) -> Table:
    columns, rows = as_rows(changes)
    title = f"Since the champion's lock: {summary(changes)}"
    return Table(title, columns, rows[:_ROWS])


CHECK = Check(
    CheckSpec(
        name="lockfile",
        summary="every requirement pinned and hashed; what ran is what was locked",
        answers=AnswerForm.ANY,
        metrics=(
            MetricSpec("unpinned", "requirements without '=='", "requirements", _NONE),
            MetricSpec("unhashed", "requirements without a hash", "requirements", _NONE),
            MetricSpec(
                "unsatisfied", "lines of requirements.in that the lock breaks", "lines", _NONE
            ),
            MetricSpec("unneeded", "pins that nothing asks for", "requirements", _NONE),
            MetricSpec("environment", "distributions that ran and differ from the lock", "", _NONE),
            MetricSpec("files", "installed files that are not what was shipped", "", _NONE),
            MetricSpec(
                "imports", "imports of the model's code that the lock does not cover", "", _NONE
            ),
            MetricSpec(
                "after-the-fact",
                "1 when the lock was made after the model was, by gates init",
                "",
                _NONE,
            ),
            MetricSpec(
                "recorded", "versions written in the artifact that the lock contradicts", "", _NONE
            ),
            MetricSpec("base-image", "base images without a digest", "images", _NONE),
            MetricSpec(
                "repository", "1 when the repository's lock is not the artifact's", "", _NONE
            ),
            MetricSpec(
                "swapped-files", "pins of the champion's version with none of its files", "", _NONE
            ),
            MetricSpec("major-upgrades", "major versions moved and not acknowledged", ""),
            MetricSpec("resolution", "pins that pip-tools or uv would set otherwise", ""),
            MetricSpec("yanked", "releases that their authors took back", ""),
            MetricSpec("advisories", "releases with a known advisory", ""),
        ),
        options=LockfileOptions,
    ),
    _measure,
)
