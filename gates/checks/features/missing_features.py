"""Each input feature gone in turn, as from a broken beacon: what is left of every top 10."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gates.checks._ranked import judged, rank
from gates.checks._separate_process import SeparateProcess
from gates.comparison.measuring import Sample
from gates.comparison.slices import Slice, cuts
from gates.domain.exhibits import Table
from gates.domain.judging import Measurement
from gates.domain.subject import GoldenSet
from gates.errors import ModelFault
from gates.kernels.packed import Bools, Floats

__all__ = ["at_least", "missing_features"]

_TOP = 10
_LOSS = f"mean share of the top {_TOP}"


def missing_features(
    golden: GoldenSet,
    asker: SeparateProcess,
    first: Floats,
    wanted: Collection[str],
    slices: Sequence[str],
) -> Iterator[Measurement | Table]:
    """How many features break the model when they are missing, and the loss for the worst of them.

    A feature is missing on every row: a column that is null only here and there is another input.
    So each feature is a call of its own.

    Args:
        golden: A ranking golden set.
        asker: Asks the version.
        first: float64[N], its scores with all features.
        wanted: The metrics to give.
        slices: The slice columns to cut by.
    """
    asked = asker.arm.inputs
    features = [one for one in golden.features if asked is None or one in asked]
    tops = _Tops(golden, first)
    losses: dict[str, Floats] = {}
    faults: dict[str, ModelFault] = {}
    for feature in features:
        if asker.worn:
            break
        frame = {**golden.inputs(), feature: np.full(len(golden.row_doc), np.nan)}
        answer = asker.attempt(frame)
        if isinstance(answer, ModelFault):
            faults[feature] = answer
        else:
            losses[feature] = tops.loss(answer.scores)
    left = len(features) - len(losses) - len(faults)
    reason = "; ".join(f"{feature}: {fault.kind}" for feature, fault in faults.items())
    if left:
        reason += f"; after so many faults {left} features were not tried"
    if "missing-feature.faults" in wanted:
        n = len(losses) + len(faults)
        most = len(faults) + left
        yield at_least("missing-feature.faults", len(faults), most, n, "features", reason)
    parts = list(cuts(golden.slices, slices, len(golden.query_id)))
    if "missing-feature.worst" in wanted:
        for name, rows in parts:
            yield _worst(golden, (name, rows & tops.listed), losses, reason)
    table: list[list[str | float]] = [
        [feature, *(_mean(losses[feature], rows & tops.listed) for _, rows in parts), ""]
        for feature in sorted(losses, key=lambda one: -np.nanmean(losses[one]))
    ]
    for feature, fault in faults.items():
        table.insert(0, [feature, *[""] * len(parts), f"{fault.kind}: {fault.what}"])
    columns = ["missing feature", *(name or "top 10 lost" for name, _ in parts), "fault"]
    title = f"Each feature missing: the share of the top {_TOP} that others take"
    yield Table(title, columns, table)


class _Tops:
    """The top of each query's list, to compare with other scores' tops."""

    def __init__(self, golden: GoldenSet, first: Floats) -> None:
        self._golden = golden
        self._coded = judged(golden)
        self._first = self._top(first)
        self._size = self._by_query(self._first)
        self.listed: Bools = self._size > 0

    def loss(self, scores: Floats) -> Floats:
        """float64[Q], the share of the top that other documents take; NaN without documents."""
        kept = self._by_query(self._first & self._top(scores))
        lost = np.full(self._size.size, np.nan)
        np.divide(self._size - kept, self._size, out=lost, where=self.listed)
        return lost

    def _top(self, scores: Floats) -> Bools:
        row = rank(self._coded, scores).row
        place = np.arange(row.size) - self._coded.starts[self._golden.row_query[row]]
        top = np.zeros(row.size, bool)
        top[row[place < _TOP]] = True
        return top

    def _by_query(self, rows: Bools) -> Floats:
        queries = len(self._golden.query_id)
        return np.bincount(self._golden.row_query[rows], minlength=queries).astype(np.float64)


def at_least(metric: str, found: int, most: int, n: int, unit: str, reason: str) -> Measurement:
    """A count of faults that may be larger, for not everything could be tried.

    Args:
        metric: Its name.
        found: The faults there surely are.
        most: How many there can be; as many as `found` where the count is exact.
        n: How many things were tried.
    """
    lower, upper = (float(found), float(most)) if most > found else (None, None)
    return Measurement(metric, float(found), n, unit, lower, upper, reason=reason)


def _worst(golden: GoldenSet, cut: Slice, losses: Mapping[str, Floats], reason: str) -> Measurement:
    """What the worst feature to lose costs, as a mean over traffic.

    Args:
        losses: feature → float64[Q], for those that could be measured.
        reason: Why others could not, in words; empty where all could.
    """
    metric, (name, rows) = "missing-feature.worst", cut
    n = int(rows.sum())
    if not losses or not n:
        why = reason or ("no query of this slice has a list" if losses else "there is no feature")
        return Measurement(metric, None, n, _LOSS, slice=name, reason=why)
    sample, values = Sample.of_golden(golden), list(losses.values())
    found = sample.bounds(values, rows, (0.0, 1.0))
    worst = max(range(len(values)), key=lambda at: found[at].estimate)
    # That one is above is said of one picked among all; that none is takes each to be below.
    strict = replace(sample, alpha=sample.alpha / len(values))
    picked = max(one.lower for one in strict.bounds(values, rows, (0.0, 1.0)))
    lower = max(min(picked, found[worst].estimate), 0.0)
    # A feature that could not be measured may cost the whole top.
    upper = 1.0 if reason else min(max(one.upper for one in found), 1.0)
    words = f"without {list(losses)[worst]}" + (f"; not measured: {reason}" if reason else "")
    value = found[worst].estimate
    return Measurement(metric, value, n, _LOSS, lower, upper, slice=name, reason=words)


def _mean(loss: Floats, rows: Bools) -> float | str:
    return round(float(loss[rows].mean()), 4) if rows.any() else ""
