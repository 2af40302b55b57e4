"""`score-range`: the expected top label for each golden query, with a score in its range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict

from gates.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks._slices import cuts
from gates.domain import Exhibit, Measurement
from gates.errors import NoChampion
from gates.kernels.intervals import bootstrap_t
from gates.kernels.packed import Bools, Floats
from gates.subject import Expectation, Plan, Subject

__all__ = ["CHECK"]

_SHARE = "share of golden queries"


class Options(BaseModel):
    """Options: how many bootstrap resamples stand behind the interval of a difference."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    resamples: int = 10_000


def _measure(subject: Subject, plan: Plan) -> Iterator[Measurement | Exhibit]:
    golden = subject.golden
    expected = [one for one in golden.expectations if one.kind == "label"]
    if not expected:
        reason = "the golden set expects no label"
        yield from (Measurement(metric, None, 0, _SHARE, reason=reason) for metric in plan.metrics)
        return
    query = np.array([one.query for one in expected])
    frame = {"query": tuple(golden.query_text[one.query] for one in expected)}
    labels, scores = subject.candidate.labels(frame)
    right = _right(expected, labels)
    low = np.array([one.low for one in expected])
    high = np.array([one.high for one in expected])
    in_range = right & (scores >= low) & (scores <= high)
    of_query = {
        column: tuple(values[one] for one in query) for column, values in golden.slices.items()
    }
    for name, rows in cuts(of_query, plan.slices, len(expected)):
        yield _share("label-accuracy", right[rows], name)
        yield _share("in-range", in_range[rows], name)
    yield _misses(subject, expected, labels, scores, in_range)
    if not any(metric in {"label-changes", "label-accuracy.delta"} for metric in plan.metrics):
        return
    if subject.champion is None:
        raise NoChampion
    before, _ = subject.champion.labels(frame)
    was_right = _right(expected, before)
    changed = np.array([old != new for old, new in zip(before, labels, strict=True)])
    options: Options = plan.options
    for name, rows in cuts(of_query, plan.slices, len(expected)):
        yield _share("label-changes", changed[rows], name)
        interval = bootstrap_t(
            right[rows].astype(float) - was_right[rows].astype(float),
            golden.design_weight[query][rows],
            census=golden.census[query][rows],
            resamples=options.resamples,
            seed=subject.seed,
        )
        yield Measurement(
            "label-accuracy.delta",
            interval.estimate,
            interval.n,
            _SHARE,
            interval.lower,
            interval.upper,
            slice=name,
            extra={"n_eff": interval.n_eff},
        )
    yield _changes(subject, expected, before, labels, changed)


def _right(expected: list[Expectation], labels: tuple[str, ...]) -> Bools:
    return np.array([one.target == label for one, label in zip(expected, labels, strict=True)])


def _share(metric: str, hits: Bools, name: str) -> Measurement:
    n = int(hits.size)
    return Measurement(metric, float(hits.mean()) if n else None, n, _SHARE, slice=name)


def _misses(
    subject: Subject,
    expected: list[Expectation],
    labels: tuple[str, ...],
    scores: Floats,
    in_range: Bools,
) -> Exhibit:
    rows = [
        [
            subject.golden.query_text[one.query],
            one.target,
            f"{one.low:g} to {one.high:g}",
            label,
            round(float(score), 4),
            one.line,
        ]
        for one, label, score, fine in zip(expected, labels, scores, in_range, strict=True)
        if not fine
    ]
    columns = ["query", "expected", "in", "got", "score", "line of expectations.csv"]
    title = f"{len(rows)} of {len(expected)} golden queries miss their label or range"
    return Exhibit("table", title, {"columns": columns, "rows": rows})


def _changes(
    subject: Subject,
    expected: list[Expectation],
    before: tuple[str, ...],
    after: tuple[str, ...],
    changed: Bools,
) -> Exhibit:
    rows = [
        [subject.golden.query_text[one.query], one.target, old, new]
        for one, old, new, differs in zip(expected, before, after, changed, strict=True)
        if differs
    ]
    columns = ["query", "expected", "champion", "candidate"]
    title = f"{len(rows)} of {len(expected)} golden queries change their label"
    return Exhibit("table", title, {"columns": columns, "rows": rows})


CHECK = Check(
    CheckSpec(
        name="score-range",
        summary="the expected label for each golden query, with a score in its range",
        tasks=frozenset({"classification"}),
        metrics=(
            MetricSpec(
                "label-accuracy", "queries that get their expected label", _SHARE, sliceable=True
            ),
            MetricSpec(
                "in-range", "queries with their label and a score in range", _SHARE, sliceable=True
            ),
            MetricSpec(
                "label-changes",
                "queries labelled otherwise by the champion",
                _SHARE,
                sliceable=True,
            ),
            MetricSpec(
                "label-accuracy.delta",
                "accuracy of the candidate minus the champion's",
                _SHARE,
                sliceable=True,
            ),
        ),
        options=Options,
    ),
    _measure,
)
