"""`equivalence`: the same model under the old lock and under the new one must answer alike.

An upgrade of libraries is a change like any other. Here it is looked at by itself: one version's
binary is run in both environments on every golden input, so that whatever differs comes from the
libraries. A binary that is not deterministic is found out by a second run under its own lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gates.answers import Answers, Difference, Tolerance, compare
from gates.card import CheckSpec, Limit, MetricSpec
from gates.checks import Check
from gates.domain import Exhibit, Measurement
from gates.errors import NoChampion
from gates.subject import Arm, GoldenSet, Plan, Subject

__all__ = ["CHECK"]

_NONE = Limit(max=0.0)
_SAME = "both versions run in the same environment: there is no upgrade to look at"


class Options(BaseModel):
    """Options of the equivalence.

    Attributes:
        binary: Whose binary runs under both locks.
        absolute: How far a score may move, in its own units.
        relative: How far it may move further, as a share of the old score's size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    binary: Literal["champion", "candidate"] = "champion"
    absolute: float = Field(default=1e-9, ge=0)
    relative: float = Field(default=1e-6, ge=0)


def _measure(subject: Subject, plan: Plan) -> Iterator[Measurement | Exhibit]:
    if subject.champion is None:
        raise NoChampion
    golden, options = subject.golden, plan.options
    if subject.champion.environment().key == subject.candidate.environment().key:
        same = Difference(len(next(iter(golden.inputs().values()))), 0, 0, len(golden.query_id), 0)
        yield from (_measurement(metric, same, same=True) for metric in plan.metrics)
        return
    own = subject.champion if options.binary == "champion" else subject.candidate
    there = subject.transplanted(options.binary)
    first, second = _answers(own, golden), _answers(there, golden)
    old, new = (first, second) if options.binary == "champion" else (second, first)
    tolerance = Tolerance(options.absolute, options.relative)
    found = compare(old, new, golden, tolerance)
    doubt = _doubt(own, first, golden, tolerance) if found.any else ""
    yield from (_measurement(metric, found, doubt=doubt) for metric in plan.metrics)
    if found.any:
        yield _first_rows(found)


def _measurement(
    metric: str, found: Difference, *, same: bool = False, doubt: str = ""
) -> Measurement:
    by_metric = {
        "changed-scores": (found.scores, found.rows, "rows"),
        "largest-difference": (found.largest, found.rows, "rows"),
        "changed-labels": (found.labels, found.rows, "queries"),
        "changed-orders": (found.orders, found.queries or 0, "queries"),
    }
    value, n, unit = by_metric[metric]
    known = None if doubt or value is None else float(value)
    return Measurement(metric, known, n, unit, reason=doubt or (_SAME if same else ""))


def _answers(arm: Arm, golden: GoldenSet, *, again: bool = False) -> Answers:
    if golden.manifest.task == "ranking":
        return Answers((arm.scores_again if again else arm.scores)(golden.inputs()))
    labels, scores = (arm.labels_again if again else arm.labels)(golden.inputs())
    return Answers(scores, labels)


def _doubt(own: Arm, first: Answers, golden: GoldenSet, tolerance: Tolerance) -> str:
    """Why nothing can be told of the upgrade, in words; empty when the binary is deterministic."""
    itself = compare(first, _answers(own, golden, again=True), golden, tolerance)
    if not itself.any:
        return ""
    return (
        f"the {own.role} gives other answers to the same input in a fresh process "
        f"({itself.words}): what the upgrade changes cannot be told apart"
    )


def _first_rows(found: Difference) -> Exhibit:
    classified = found.labels is not None
    kind = ["old label", "new label"] if classified else ["document", "old place", "new place"]
    rows = [
        [
            one.query,
            *([] if classified else [one.document]),
            one.old,
            one.new,
            float(f"{one.old_score:.9g}"),
            float(f"{one.new_score:.9g}"),
            float(f"{one.new_score - one.old_score:.3g}"),
        ]
        for one in found.examples
    ]
    columns = ["query", *kind, "old score", "new score", "difference"]
    title = f"The new lock changes {found.words}; the first that differ"
    return Exhibit("table", title, {"columns": columns, "rows": rows})


CHECK = Check(
    CheckSpec(
        name="equivalence",
        summary="the same binary under the old and the new lock gives the same answers",
        tasks=frozenset({"ranking", "classification"}),
        metrics=(
            MetricSpec(
                "changed-scores", "golden rows whose score moves beyond tolerance", "rows", _NONE
            ),
            MetricSpec("largest-difference", "the largest move of a score", "score"),
            MetricSpec(
                "changed-orders",
                "queries whose list is ordered otherwise",
                "queries",
                _NONE,
                tasks=frozenset({"ranking"}),
            ),
            MetricSpec(
                "changed-labels",
                "queries that get another label",
                "queries",
                _NONE,
                tasks=frozenset({"classification"}),
            ),
        ),
        options=Options,
    ),
    _measure,
)
