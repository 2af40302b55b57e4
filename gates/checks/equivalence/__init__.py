"""`equivalence`: the same model under the old lock and under the new one must answer alike.

An upgrade of libraries is a change like any other. Here it is looked at by itself: one version's
binary is run in both environments on every golden input, so that whatever differs comes from the
libraries. A binary that is not deterministic is found out by a second run under its own lock.

    equivalent_vectors.py    how far vectors moved, and whose neighbours changed
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.card.policy import Limit
from gates.checks import Check
from gates.checks.equivalence.equivalent_vectors import VectorDifference, compare_vectors
from gates.comparison.answers import Answers, Difference, Tolerance, ask, compare
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Measurement
from gates.domain.subject import Arm, CheckPlan, GoldenSet, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import NoChampion

__all__ = ["CHECK"]

_NONE = Limit(max=0.0)


class EquivalenceOptions(BaseModel):
    """Options of the equivalence.

    Attributes:
        binary: Whose binary runs under both locks.
        absolute: How far a score, or the end of a vector, may move, in its own units.
        relative: How far it may move further, as a share of the old score's size.
        neighbours: How many nearest texts are a vector's neighbours (embedding models).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    binary: Literal["champion", "candidate"] = "champion"
    absolute: float = Field(default=1e-9, ge=0)
    relative: float = Field(default=1e-6, ge=0)
    neighbours: int = Field(default=10, ge=1, le=9_999)


def _measure(
    subject: Subject, plan: CheckPlan[EquivalenceOptions]
) -> Iterator[Measurement | Table]:
    if subject.champion is None:
        raise NoChampion
    golden, options = subject.golden, plan.options
    key = subject.candidate.environment().key
    if subject.champion.environment().key == key:
        yield from (_unmoved(metric, key) for metric in plan.metrics)
        return
    own = subject.champion if options.binary == "champion" else subject.candidate
    there = subject.transplanted(options.binary)
    if golden.manifest.task.answers is AnswerForm.VECTORS:
        yield from _vectors(subject, plan, own, there)
        return
    first, second = (
        ask(arm, golden.manifest.task.answers, golden.inputs()) for arm in (own, there)
    )
    old, new = (first, second) if options.binary == "champion" else (second, first)
    tolerance = Tolerance(options.absolute, options.relative)
    found = compare(old, new, golden, tolerance)
    doubt = _doubt(own, first, golden, tolerance) if found.any else ""
    yield from (_measurement(metric, found, doubt) for metric in plan.metrics)
    if found.any:
        yield _first_rows(found)


def _unmoved(metric: str, key: str) -> Measurement:
    """What one environment for both gives: the environments were compared, and no answers."""
    reason = (
        f"both versions run in the same environment ({key}): there is no upgrade, and the model "
        "was not run for it"
    )
    return Measurement(metric, 0.0, 1, "environments", reason=reason)


def _vectors(
    subject: Subject, plan: CheckPlan[EquivalenceOptions], own: Arm, there: Arm
) -> Iterator[Measurement | Table]:
    golden, options = subject.golden, plan.options
    tolerance, k = Tolerance(options.absolute, options.relative), options.neighbours
    first, second = own.vectors(golden.inputs()), there.vectors(golden.inputs())
    old, new = (first, second) if options.binary == "champion" else (second, first)
    found, doubt = compare_vectors(old, new, tolerance, k), ""
    if found.any:
        with own.apart() as fresh:
            again = compare_vectors(first, fresh.vectors(golden.inputs()), tolerance, k)
        doubt = _not_alike(own, again.words) if again.any else ""
    yield from (_of_vectors(metric, found, doubt, known=not doubt) for metric in plan.metrics)
    if found.any:
        yield found.first(golden)


def _of_vectors(metric: str, found: VectorDifference, reason: str, *, known: bool) -> Measurement:
    texts, value = int(found.moved.size), None
    if metric == "changed-vectors":
        value = float(found.moved.sum())
    elif metric == "changed-neighbours" and found.turned is not None:
        value = float(found.turned.sum())
    elif metric == "changed-neighbours":
        reason = reason or f"of {texts} texts, each has all the others for neighbours"
    elif np.isfinite(found.apart).all():
        value = float(found.apart.max(initial=0.0))
    else:
        reason = reason or "the vectors have another number of dimensions"
    unit = "difference" if metric == "largest-difference" else "texts"
    return Measurement(metric, value if known else None, texts, unit, reason=reason)


def _measurement(metric: str, found: Difference, doubt: str) -> Measurement:
    by_metric = {
        "changed-scores": (found.scores, found.rows, "rows"),
        "largest-difference": (found.largest, found.rows, "rows"),
        "changed-labels": (found.labels, found.rows, "queries"),
        "changed-orders": (found.orders, found.queries or 0, "queries"),
    }
    value, n, unit = by_metric[metric]
    known = None if doubt or value is None else float(value)
    return Measurement(metric, known, n, unit, reason=doubt)


def _doubt(own: Arm, first: Answers, golden: GoldenSet, tolerance: Tolerance) -> str:
    """Why nothing can be told of the upgrade, in words; empty when the binary is deterministic."""
    with own.apart() as fresh:
        again = ask(fresh, golden.manifest.task.answers, golden.inputs())
    itself = compare(first, again, golden, tolerance)
    if not itself.any:
        return ""
    return _not_alike(own, itself.words)


def _not_alike(own: Arm, words: str) -> str:
    return (
        f"the {own.role} gives other answers to the same input in a fresh process "
        f"({words}): what the upgrade changes cannot be told apart"
    )


def _first_rows(found: Difference) -> Table:
    classified = found.labels is not None
    kind = ["old label", "new label"] if classified else ["document", "old place", "new place"]
    rows: list[list[Cell]] = [
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
    return Table(title, columns, rows)


CHECK = Check(
    CheckSpec(
        name="equivalence",
        summary="the same binary under the old and the new lock gives the same answers",
        answers=AnswerForm.ANY,
        metrics=(
            MetricSpec(
                "changed-scores",
                "golden rows whose score moves beyond tolerance",
                "rows",
                _NONE,
                answers=AnswerForm.SCORES | AnswerForm.LABELS,
            ),
            MetricSpec(
                "changed-vectors",
                "texts whose vector moves beyond tolerance",
                "texts",
                _NONE,
                answers=AnswerForm.VECTORS,
            ),
            MetricSpec(
                "changed-neighbours",
                "texts that get other nearest texts",
                "texts",
                _NONE,
                answers=AnswerForm.VECTORS,
            ),
            MetricSpec("largest-difference", "the largest move of a score or vector", "score"),
            MetricSpec(
                "changed-orders",
                "queries whose list is ordered otherwise",
                "queries",
                _NONE,
                answers=AnswerForm.SCORES,
            ),
            MetricSpec(
                "changed-labels",
                "queries that get another label",
                "queries",
                _NONE,
                answers=AnswerForm.LABELS,
            ),
        ),
        options=EquivalenceOptions,
    ),
    _measure,
)
