"""`directional`: which way a score must move when one feature of a product changes.

Every golden row is asked again with one feature set to other values, all else as it is: a what-if
on real products. More stock must not lower a score; out of stock must stand below in stock.

    sweeps.py            every golden row with one feature set to other values
    replayed_steps.py    steps that once went the wrong way, asked again
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check, Found
from gates.checks._replay import replayed_spec
from gates.checks.behaviour.brands import METRIC as BRAND_RANK
from gates.checks.behaviour.brands import brand_rank
from gates.checks.directional.replayed_steps import (
    MONOTONE,
    ORDER,
    as_counterexample,
    replayed_steps,
)
from gates.checks.directional.sweeps import FeatureSweep, Sweeps, SweepStep
from gates.comparison.answers import Tolerance
from gates.domain.counterexamples import told_apart
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Cause, Measurement
from gates.domain.subject import CheckPlan, GoldenSet, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import UsageError
from gates.system.strict_yaml import nearest

if TYPE_CHECKING:
    from gates.domain.golden_set import Bools, Floats

__all__ = ["CHECK"]

_STEP = "share of steps"
_ROW = "share of rows"
_SPREAD = "mean spread within a query"
_SHOWN = 20
_KEPT = 10


class Below(BaseModel):
    """A row with one value of a feature must score below itself with another.

    Attributes:
        equals: The value that must score lower.
        than: The value that must score higher.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature: str
    equals: float = Field(allow_inf_nan=False)
    than: float = Field(allow_inf_nan=False)


class DirectionalOptions(BaseModel):
    """What must hold, in short declarations.

    Attributes:
        rising: Features whose increase must not lower a score.
        falling: Features whose increase must not raise a score.
        below: Pairs of values of which one must score below the other.
        brand: The attribute of documents that names their brand.
        grid: At how many quantiles of its golden values each feature is tried.
        absolute: How far a score may move the wrong way, in its own units.
        relative: How far it may move further, as a share of the score's size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rising: tuple[str, ...] = ()
    falling: tuple[str, ...] = ()
    below: tuple[Below, ...] = ()
    brand: str = Field(default="brand", min_length=1)
    grid: int = Field(default=5, ge=2, le=50)
    absolute: float = Field(default=1e-9, ge=0)
    relative: float = Field(default=1e-6, ge=0)

    @model_validator(mode="after")
    def _one_way_each(self) -> DirectionalOptions:
        both = [one for one in self.rising if one in self.falling]
        if both:
            raise ValueError(f"'{both[0]}' cannot be both rising and falling")
        return self


def _measure(subject: Subject, plan: CheckPlan[DirectionalOptions]) -> Iterator[Found]:
    options = plan.options
    _require_features(subject.golden, options)
    sweeps = Sweeps(
        subject.golden, subject.candidate, Tolerance(options.absolute, options.relative)
    )
    if {"monotone.violations", "monotone.worst"} & set(plan.metrics):
        yield from _monotone(sweeps, plan)
    if "order.violations" in plan.metrics:
        yield from _ordered(sweeps, options.below)
    if BRAND_RANK.name in plan.metrics:
        yield from brand_rank(subject, options.brand)
    signs = dict.fromkeys(options.rising, 1.0) | dict.fromkeys(options.falling, -1.0)
    below = {(one.feature, (one.equals, one.than)) for one in options.below}
    yield from replayed_steps(subject, plan, sweeps, signs, below)


def _require_features(golden: GoldenSet, options: DirectionalOptions) -> None:
    named = (*options.rising, *options.falling, *(one.feature for one in options.below))
    for feature in named:
        if feature not in golden.features:
            what = f"check 'directional' names the feature '{feature}', which the golden set lacks"
            raise UsageError(what, advice=nearest(feature, golden.features))


def _monotone(sweeps: Sweeps, plan: CheckPlan[DirectionalOptions]) -> Iterator[Found]:
    options = plan.options
    directions = [(one, 1.0) for one in options.rising] + [(one, -1.0) for one in options.falling]
    unread = [one for one, _ in directions if not sweeps.reads(one)]
    tried = [
        sweeps.along(feature, sign, options.grid)
        for feature, sign in directions
        if feature not in unread
    ]
    pairs = sum(one.wrong.size for one in tried)
    violations = sum(int(one.violated.sum()) for one in tried)
    flat = [one.feature for one in tried if not one.wrong.size]
    reasons = []
    if not directions:
        reasons.append("the card's options declare no rising and no falling feature")
    if flat:
        reasons.append(f"not tried, for the golden set has one value of it: {', '.join(flat)}")
    if unread:
        reasons.append(f"not tried, for it is no input of this version: {', '.join(unread)}")
    reason = "; ".join(reasons)
    # What a version does not read moves no score of it; what has one value may, with another.
    untold: Literal[Cause.NOTHING_COMPARED] | None = Cause.NOTHING_COMPARED if flat else None
    if "monotone.violations" in plan.metrics:
        share = violations / pairs if pairs and not flat else None
        yield Measurement("monotone.violations", share, pairs, _STEP, reason=reason, cause=untold)
    if "monotone.worst" in plan.metrics:
        worst = max((float(one.wrong.max(initial=0.0)) for one in tried), default=0.0)
        spread = sweeps.spread()
        value = worst / spread if pairs and spread and not flat else None
        if pairs and not spread and not flat:
            reason = "the scores of no query differ: there is no spread to measure a move by"
        n = sweeps.queries if pairs else 0
        yield Measurement("monotone.worst", value, n, _SPREAD, reason=reason, cause=untold)
    if tried:
        yield _by_feature(tried)
    if violations:
        yield from _worst_rows(sweeps, tried)


def _by_feature(tried: Sequence[FeatureSweep]) -> Table:
    rows = [
        [
            one.feature,
            "rising" if one.sign > 0 else "falling",
            ", ".join(f"{value:g}" for value in one.values).replace("-", "−"),
            one.wrong.size,
            int(one.violated.sum()),
            float(f"{one.wrong.max(initial=0.0):.4g}"),
        ]
        for one in tried
    ]
    columns = ["feature", "declared", "tried at", "steps", "wrong way", "largest wrong move"]
    title = "What-if sweeps over every golden row"
    return Table(title, columns, rows)


def _worst_rows(sweeps: Sweeps, tried: Sequence[FeatureSweep]) -> Iterator[Found]:
    found = [one for steps in tried for one in sweeps.narrowed(steps, _SHOWN)]
    found.sort(key=lambda one: -one.move)
    rows: list[list[Cell]] = [
        [
            sweeps.query(one.row),
            sweeps.document(one.row),
            one.feature,
            *told_apart(*one.numbers[:2]),
            *map(_short, one.numbers[2:]),
        ]
        for one in _varied(found)[:_SHOWN]
    ]
    columns = ["query", "document", "feature", "from", "to", "score from", "score to"]
    title = "The largest moves the wrong way, each narrowed to a small step; one of each step first"
    yield Table(title, columns, rows)
    signs = {one.feature: one.sign for one in tried}
    # A step narrowed to just within the tolerance would not fail when it is asked again.
    wrong = [one for one in found if sweeps.is_wrong(signs[one.feature], *one.numbers[2:])]
    yield from (as_counterexample(sweeps, MONOTONE, one) for one in _varied(wrong)[:_KEPT])


def _varied(steps: Sequence[SweepStep]) -> list[SweepStep]:
    """The same steps, the first of every edge that a score jumps at before all others."""
    edges: dict[tuple[object, ...], SweepStep] = {}
    for one in steps:
        edges.setdefault((one.feature, *one.numbers[:2]), one)
    first = set(map(id, edges.values()))
    return sorted(steps, key=lambda one: id(one) not in first)


def _ordered(sweeps: Sweeps, pairs: Sequence[Below]) -> Iterator[Found]:
    if not pairs:
        reason = "the card's options declare no pair of values under 'below'"
        yield Measurement("order.violations", None, 0, _ROW, reason=reason)
        return
    wrong: list[tuple[float, list[str | float], SweepStep]] = []
    violations = rows = 0
    for pair in pairs:
        low, high = sweeps.at(pair.feature, (pair.equals, pair.than))
        violated = ~sweeps.is_above(high, low)
        violations, rows = violations + int(violated.sum()), rows + violated.size
        for row in _largest(low - high, violated):
            exact = (pair.equals, pair.than, float(low[row]), float(high[row]))
            place = (sweeps.query(row), sweeps.document(row), pair.feature)
            step = SweepStep(row, pair.feature, exact)
            wrong.append((exact[2] - exact[3], [*place, *map(_short, exact)], step))
    yield Measurement("order.violations", violations / rows, rows, _ROW)
    if wrong:
        worst = sorted(wrong, key=lambda one: -one[0])[:_SHOWN]
        columns = ["query", "document", "feature", "at", "not below", "score", "score there"]
        title = f"{violations:,} of {rows:,} rows do not score below themselves; the worst"
        yield Table(title, columns, [cells for _, cells, _ in worst])
        yield from (as_counterexample(sweeps, ORDER, step) for _, _, step in worst[:_KEPT])


def _largest(moves: Floats, violated: Bools) -> list[int]:
    rows = np.flatnonzero(violated)
    found: list[int] = rows[np.argsort(-moves[rows], kind="stable")][:_SHOWN].tolist()
    return found


def _short(number: float) -> float:
    return float(f"{number:.9g}")


CHECK = Check(
    CheckSpec(
        name="directional",
        summary="declared features, and brands asked for, move scores the declared way",
        answers=AnswerForm.SCORES,
        metrics=(
            MetricSpec(
                "monotone.violations", "steps of a feature that move a score the wrong way", _STEP
            ),
            MetricSpec(
                "monotone.worst",
                "the largest wrong move, in standard deviations of scores within a query",
                _SPREAD,
            ),
            MetricSpec(
                "order.violations",
                "rows not scored below themselves where the card says 'below'",
                _ROW,
            ),
            BRAND_RANK,
            replayed_spec(AnswerForm.SCORES),
        ),
        options=DirectionalOptions,
    ),
    _measure,
)
