"""`features`: does a ranker lean on the features it should, and are they what it was trained on?

Numbers are exact for the golden rows that were asked about; only drift, which asks where those rows
come from, carries intervals.

    importance.py          how much each feature matters, by shuffling it
    splits.py              what trees split on, as the model's file says
    missing_features.py    each feature gone in turn
    against_snapshot.py    golden inputs beside what the model was trained on
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan, sqrt
from pathlib import PurePosixPath
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks._ranked import judged
from gates.checks.features.against_snapshot import METRICS as OF_SNAPSHOT
from gates.checks.features.against_snapshot import against_snapshot
from gates.checks.features.importance import (
    EXPECTED,
    FeatureImportance,
    ReportedImportance,
    constant,
    draw,
    in_top,
    input_features,
    measure_importance,
    rank_of,
)
from gates.checks.features.splits import GAIN, of_splits
from gates.checks.features.splits import METRICS as OF_SPLITS
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Cause, Measurement
from gates.domain.subject import Arm, CheckPlan, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import ModelFault, NoChampion
from gates.kernels import similarity
from gates.kernels.matching import Lists, as_codes, pair

__all__ = ["CHECK"]

_FEATURES = "features"
_CLEAR = 0.3  # a rank correlation below this says little about a direction
_SURE = 2.576  # normal quantile, two-sided 99 %
_RBO_P = 0.8
_MOST = 5
# The metrics that the table of weights explains.
_OF_WEIGHT = (
    *("in-top", "in-top-contributions", "dead", "constant"),
    *("importance-drift", "sign-flips"),
)


def _inside(path: str) -> str:
    """A path that stays in the project."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts:
        raise ValueError(f"'{path}' leads out of the project; write a path that starts in it")
    return path


class FeaturesOptions(BaseModel):
    """Options of the look at features.

    Attributes:
        expected: The features that should be among the most important.
        snapshot: The features the model was trained on: a CSV or Parquet file in the project.
        nearly: A feature is constant when one value fills this share of the golden rows.
        noticeable: A contribution that changes sign counts from this share of all contributions
            on, in both versions.
        rows: At most so many golden rows, of queries drawn at random, are scored again.
        repeats: How often each feature is shuffled.
        bins: Quantile bins of the population stability index.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    expected: tuple[str, ...] = ()
    snapshot: Annotated[str, AfterValidator(_inside)] | None = Field(default=None, min_length=1)
    nearly: float = Field(default=1.0, gt=0.5, le=1)
    noticeable: float = Field(default=0.02, ge=0, lt=1)
    rows: int = Field(default=20_000, ge=100, le=200_000)
    repeats: int = Field(default=1, ge=1, le=100)
    bins: int = Field(default=10, ge=2, le=100)


def _measure(subject: Subject, plan: CheckPlan[FeaturesOptions]) -> Iterator[Measurement | Table]:
    options = plan.options
    golden = subject.golden
    features = input_features(subject.candidate, golden)
    filled = [n for n in features if constant(np.asarray(golden.features[n]), options.nearly)]
    yield _count("constant", filled, len(features))
    # The table of importance goes before it: advice sends people to a check's first table.
    of_snapshot = list[Table]()
    for one in against_snapshot(subject, options.snapshot, features, plan.metrics, options.bins):
        if isinstance(one, Table):
            of_snapshot.append(one)
        else:
            yield one
    after = [*of_splits(subject, plan, options.expected), *of_snapshot]
    try:
        yield from _weighed(subject, plan, features, filled)
    except ModelFault:
        yield from after
        raise
    yield from after


def _weighed(
    subject: Subject,
    plan: CheckPlan[FeaturesOptions],
    features: Sequence[str],
    filled: Sequence[str],
) -> Iterator[Measurement | Table]:
    """All that takes a model's scores."""
    options = plan.options
    golden = subject.golden
    coded, rows = judged(golden), draw(golden.row_query, options.rows, subject.seed)

    def ask(arm: Arm) -> FeatureImportance:
        repeats, seed = options.repeats, subject.seed
        return measure_importance(arm, golden, coded, rows, repeats=repeats, seed=seed)

    new = ask(subject.candidate)
    dead = [n for n in features if n in new.still and _silent(new.told, n)]
    # Shuffling what is the same everywhere shows nothing.
    varied = [n for n in features if not constant(np.asarray(golden.features[n])[rows])]
    yield _count("dead", [n for n in dead if n in varied], len(varied))
    for metric in plan.metrics:
        if "@" in metric and not metric.startswith(GAIN):
            yield _in_top(metric, new, options.expected)
    old: FeatureImportance | None = None
    flipped: list[str] = []
    if subject.champion is not None:
        old = ask(subject.champion)
        flipped, untold = _flips(old, new, options.noticeable)
        yield _drift(old, new)
        if not untold or "sign-flips" in plan.metrics:
            yield _flip_count(old, new, flipped, untold)
    else:
        for metric in ("importance-drift", "sign-flips"):
            if metric in plan.metrics:
                why = str(NoChampion())
                yield Measurement(metric, None, 0, _FEATURES, reason=why, cause=Cause.NO_CHAMPION)
    remarks = {"constant": filled, "dead": dead, "sign flipped": flipped}
    yield _table(old, new, remarks)


def _silent(told: ReportedImportance | str, name: str) -> bool:
    return isinstance(told, str) or name not in told.size or name in told.silent


def _count(metric: str, found: Sequence[str], n: int) -> Measurement:
    return Measurement(metric, float(len(found)), n, _FEATURES, reason=", ".join(found))


def _in_top(metric: str, new: FeatureImportance, expected: Sequence[str]) -> Measurement:
    sizes = new.moved
    if metric.startswith("in-top-contributions@"):
        if isinstance(new.told, str):
            return Measurement(metric, None, 0, EXPECTED, reason=new.told)
        sizes = new.told.size
    return in_top(metric, sizes, expected)


def _drift(old: FeatureImportance, new: FeatureImportance) -> Measurement:
    """1 - rank-biased overlap of both orders of importance, over features that both have."""
    both = [name for name in new.moved if name in old.moved]
    was, now = (rank_of({name: one.moved[name] for name in both}) for one in (old, new))
    codes = {name: code for code, name in enumerate(both)}
    lists = [
        Lists(np.array([0, len(one)]), as_codes(np.array([codes[n] for n in one], np.int64)))
        for one in (was, now)
    ]
    overlap = float(similarity.rbo(pair(*lists), p=_RBO_P)[0])
    last = len(both) + 1
    gap = {name: abs(was.get(name, last) - now.get(name, last)) for name in both}
    most = [n for n in sorted(gap, key=lambda name: (-gap[name], name)) if gap[n]][:_MOST]
    reason = ", ".join(f"{name} {was.get(name, '–')} → {now.get(name, '–')}" for name in most)
    known = bool(was or now)
    if not both:
        reason = "the versions have no input feature in common"
    elif not known:
        reason = "no feature moves a score of either version"
    value = 1 - overlap if known else None
    return Measurement(
        "importance-drift", value, len(both), "1 - rank-biased overlap", reason=reason
    )


def _flips(
    old: FeatureImportance, new: FeatureImportance, noticeable: float
) -> tuple[list[str], str]:
    """Features whose contribution changed its sign, and why that is not known, if it is not.

    In each version the rank correlation between value and contribution must be clear of 0, by the
    larger of 0.3 and the 99 % quantile that chance gives as many values as there are queries (the
    rows of one query are not independent). And in each the feature must do noticeably much.
    """
    if isinstance(old.told, str):
        return [], f"the champion does not tell: {old.told}"
    if isinstance(new.told, str):
        return [], f"the candidate does not tell: {new.told}"

    def direction(told: ReportedImportance, name: str) -> float:
        clear = max(_CLEAR, _SURE / sqrt(max(told.queries - 1, 1)))
        large = told.size[name] >= noticeable * sum(told.size.values())
        value = told.direction[name]
        return float(np.sign(value)) if large and abs(value) >= clear else 0.0

    both = [name for name in new.told.size if name in old.told.size]
    return [n for n in both if direction(old.told, n) * direction(new.told, n) < 0], ""


def _flip_count(
    old: FeatureImportance, new: FeatureImportance, flipped: Sequence[str], untold: str
) -> Measurement:
    if isinstance(old.told, str) or isinstance(new.told, str):
        return Measurement("sign-flips", None, 0, _FEATURES, reason=untold)
    was, now = old.told.direction, new.told.direction
    words = ", ".join(f"{name} ({was[name]:+.2f} → {now[name]:+.2f})" for name in flipped)
    n = len(was.keys() & now.keys())
    return Measurement("sign-flips", float(len(flipped)), n, _FEATURES, reason=words)


def _table(
    old: FeatureImportance | None, new: FeatureImportance, remarks: Mapping[str, Sequence[str]]
) -> Table:
    arms = {"champion": old, "candidate": new} if old else {"candidate": new}
    columns = ["feature"]
    for words in ("importance", "nDCG@10 lost", "mean |contribution|", "direction"):
        columns += [f"{words}, {role}" for role in arms]
    columns.append("remarks")
    names = dict.fromkeys(name for arm in reversed(arms.values()) for name in arm.moved)
    rows = []
    for name in sorted(names, key=lambda one: (-new.moved.get(one, -1.0), one)):
        row: list[Cell] = [name]
        for sizes in (_moved, _lost, _size, _direction):
            row += [_rounded(sizes(arm).get(name)) for arm in arms.values()]
        rows.append([*row, ", ".join(words for words, found in remarks.items() if name in found)])
    title = "How much each feature matters: scores moved by shuffling it, in spreads within a query"
    return Table(title, columns, rows, of=_OF_WEIGHT)


def _moved(one: FeatureImportance) -> Mapping[str, float]:
    return one.moved


def _lost(one: FeatureImportance) -> Mapping[str, float]:
    return one.lost


def _size(one: FeatureImportance) -> Mapping[str, float]:
    return {} if isinstance(one.told, str) else one.told.size


def _direction(one: FeatureImportance) -> Mapping[str, float]:
    return {} if isinstance(one.told, str) else one.told.direction


def _rounded(value: float | None) -> float | None:
    return None if value is None or isnan(value) else round(value, 6)


CHECK = Check(
    CheckSpec(
        name="features",
        summary="features that should matter do, and are what the model was trained on",
        answers=AnswerForm.SCORES,
        metrics=(
            MetricSpec("in-top@{k}", "`expected` features among the k that move scores most", ""),
            MetricSpec(
                "in-top-contributions@{k}", "the same, by the model's own account (SHAP)", ""
            ),
            *OF_SPLITS,
            MetricSpec("dead", "input features that move no score when shuffled", _FEATURES),
            MetricSpec("constant", "input features with one value, or none at all", _FEATURES),
            MetricSpec(
                "importance-drift",
                "how far the order of importance is from the champion's (0 the same, 1 another)",
                "1 - rank-biased overlap",
            ),
            MetricSpec(
                "sign-flips",
                "features that raise scores in one version, lower them in the other",
                "",
            ),
            *(MetricSpec(name, summary, unit) for name, (summary, unit) in OF_SNAPSHOT.items()),
        ),
        options=FeaturesOptions,
    ),
    _measure,
)
