"""Golden inputs beside the features a model was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from gates.domain.exhibits import Table
from gates.domain.judging import Cause, Measurement
from gates.domain.subject import Columns, Snapshot, Subject
from gates.errors import InputError
from gates.kernels.drift import (
    Distance,
    Rate,
    Stability,
    kolmogorov_smirnov,
    missing_rate,
    outside,
    population_stability,
)
from gates.kernels.packed import Floats, Ints

__all__ = ["METRICS", "Beside", "against_snapshot"]

_ALPHA = 0.05
METRICS: Mapping[str, tuple[str, str]] = {
    "psi.worst": ("greatest population stability index of a feature since training", "PSI"),
    "ks.worst": ("greatest Kolmogorov–Smirnov distance of a feature from training", "distance"),
    "missing-rate.delta.worst": (
        "greatest change of a feature's missing share since training",
        "share of rows",
    ),
    "out-of-range.worst": (
        "greatest share of a feature's values beyond those of training",
        "share of rows",
    ),
}


@dataclass(frozen=True, slots=True)
class Worth:
    """A metric of one feature, over n golden rows, and what to know about it.

    Attributes:
        bounds: One-sided bounds; None where it is a fact about the golden rows.
    """

    value: float
    n: int
    words: str
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """One feature of the golden set beside the same feature of the snapshot."""

    stability: Stability
    distance: Distance
    old: Rate
    new: Rate
    outside: Rate

    @property
    def is_there(self) -> bool:
        """Whether it has a value on either side; what has none on both did not change."""
        return bool(self.distance.old or self.distance.new)

    @property
    def lacks(self) -> str:
        """Which side has no value, in words; empty where both have one."""
        if not self.distance.old:
            return "missing on every row of the snapshot"
        return "" if self.distance.new else "missing on every golden row"

    def worth(self, metric: str, alpha: float = _ALPHA) -> Worth:
        """A metric of `METRICS`, with one-sided bounds at level 1 - alpha."""
        distance, sizes = self.distance, f"n = {self.distance.old:,} and {self.distance.new:,}"
        if metric == "psi.worst":
            index, chance = self.stability, self.stability.by_chance
            words = f"{sizes}; chance alone makes about {chance:.2g}"
            return Worth(index.index, distance.new, words, index.bounds(alpha))
        if metric == "ks.worst":
            words = f"{sizes}; p = {distance.p:.2g}"
            return Worth(distance.statistic, distance.new, words, distance.bounds(alpha))
        if metric == "missing-rate.delta.worst":
            words = f"{_share(self.old)} then, {_share(self.new)} now"
            return Worth(abs(self.new.share - self.old.share), self.new.n, words)
        return Worth(self.outside.share, self.outside.n, _share(self.outside))


def against_snapshot(
    subject: Subject, path: str | None, features: Sequence[str], metrics: Sequence[str], bins: int
) -> Iterator[Measurement | Table]:
    """Measure how far the golden inputs are from a training snapshot.

    Args:
        subject: Golden set and project.
        path: The snapshot, from the project's folder; None when the card names none.
        features: The features to look at.
        metrics: What the card asks for; without a snapshot only these are mentioned.
        bins: Quantile bins of the stability index.

    Yields:
        `METRICS`, each of the worst feature, which its reason names; and a table of all features.
    """
    found = _compare(subject, path, features, bins)
    for metric, (_, unit) in METRICS.items():
        if isinstance(found, str):
            if metric in metrics:
                yield Measurement(metric, None, 0, unit, reason=found)
        else:
            absent = [name for name in features if name not in found[1]]
            yield _worst(metric, unit, found[1], absent)
    if not isinstance(found, str):
        yield _table(*found)


def _compare(
    subject: Subject, path: str | None, features: Sequence[str], bins: int
) -> tuple[Snapshot, Mapping[str, Beside]] | str:
    if path is None:
        return "the card names no training snapshot: set the option 'snapshot'"
    try:
        snapshot = subject.training(path, features)
    except InputError as problem:
        return "; ".join(filter(None, (f"{path}: {problem.what}", problem.advice)))
    if not snapshot.rows:
        return f"{path} has no rows, or none of the columns {', '.join(features)}"
    golden = subject.golden
    queries = snapshot.query, golden.row_query
    return snapshot, {
        name: _beside(snapshot.features[name], _floats(golden.features, name), bins, queries)
        for name in features
        if name in snapshot.features
    }


def _beside(old: Floats, new: Floats, bins: int, queries: tuple[Ints | None, Ints]) -> Beside:
    return Beside(
        population_stability(old, new, bins, queries=queries),
        kolmogorov_smirnov(old, new, queries=queries),
        missing_rate(old, queries[0]),
        missing_rate(new, queries[1]),
        outside(new, old, queries[1]),
    )


def _worst(
    metric: str, unit: str, features: Mapping[str, Beside], absent: Sequence[str]
) -> Measurement:
    worth = {name: one.worth(metric) for name, one in features.items() if one.is_there}
    known = {name: one for name, one in worth.items() if not isnan(one.value)}
    untold = [f"not in the snapshot: {', '.join(absent)}"] if absent else []
    if one_sided := {name: features[name].lacks for name in worth if name not in known}:
        without = (f"{name} ({lacks})" for name, lacks in one_sided.items())
        untold.append(f"values on one side alone: {', '.join(without)}")
    if not known:
        reason = "; ".join(("no feature has values in both", *untold))
        return Measurement(metric, None, 0, unit, reason=reason)
    worst = max(known, key=lambda name: known[name].value)
    found = known[worst]
    of = f"worst of {len(known)} features: {worst}"
    if untold:
        # The worst of all may be one of those: no number of the others bounds it.
        others = f"{of}, {found.value:.4g} ({found.words})" if found.value else ""
        reason = "; ".join(filter(None, (*untold, others)))
        return Measurement(metric, None, 0, unit, reason=reason, cause=Cause.NOTHING_COMPARED)
    reason = f"{of} ({found.words})" if found.value else ""
    if found.bounds is None:
        return Measurement(metric, found.value, found.n, unit, reason=reason)
    # That one is above is said of one picked among all; that none is takes each to be below.
    picked = (features[name].worth(metric, _ALPHA / len(known)).bounds for name in known)
    lower = min(max(one[0] for one in picked if one), found.value)
    upper = max(one.bounds[1] for one in known.values() if one.bounds)
    return Measurement(metric, found.value, found.n, unit, lower, upper, reason=reason)


def _table(snapshot: Snapshot, features: Mapping[str, Beside]) -> Table:
    columns = [
        "feature",
        "PSI",
        "by chance",
        "KS",
        "KS p",
        "n then",
        "n now",
        "missing then",
        "missing now",
        "out of range",
    ]
    rows = [
        [
            name,
            _rounded(one.stability.index),
            _rounded(one.stability.by_chance),
            _rounded(one.distance.statistic),
            float(f"{one.distance.p:.2g}") if one.distance.effective else None,
            one.distance.old,
            one.distance.new,
            _share(one.old),
            _share(one.new),
            _share(one.outside),
        ]
        for name, one in sorted(features.items(), key=_by_stability)
    ]
    named = f"{snapshot.path.name} ({snapshot.rows:,} rows, {snapshot.digest[:19]}…)"
    title = f"Golden inputs beside {named}"
    return Table(title, columns, rows)


def _by_stability(item: tuple[str, Beside]) -> float:
    index = item[1].stability.index
    return 0.0 if isnan(index) else -index


def _floats(columns: Columns, name: str) -> Floats:
    return np.asarray(columns[name], dtype=np.float64)


def _share(rate: Rate) -> str:
    lower, upper = rate.bounds()
    return f"{rate.share:.1%} ({lower:.1%} to {upper:.1%})" if rate.n else ""


def _rounded(value: float) -> float | None:
    return None if isnan(value) else round(value, 6)
