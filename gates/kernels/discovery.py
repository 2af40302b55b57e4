"""Slices found by search: where, of all values and pairs of values, the candidate is worst.

What is found this way is a place to look at, never a verdict: the data chose the question.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np

from gates.kernels._beta import beta_cdf
from gates.kernels.multiplicity import benjamini_hochberg
from gates.kernels.packed import Bools, Floats, Ints, sum_by_query

_FURTHER = -3.0  # errors: each finding has dozens of relatives, and some look worse by luck
_CONSIDERED = 60  # beyond the worst of them nobody reads


@dataclass(frozen=True, slots=True, eq=False)
class CodedColumn:
    """A column as integers: `values[codes[q]]` is query q's; an empty value is no value."""

    name: str
    codes: Ints
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LosingSlice:
    """A slice that is worse than no change and worse than the rest.

    Attributes:
        conditions: one or two (column, value) that all hold.
        n: its queries.
        mean: their weighted mean difference.
        rest: that of all other queries.
        p: one-sided, adjusted for every slice looked at (Benjamini and Hochberg).
    """

    conditions: tuple[tuple[str, str], ...]
    n: int
    mean: float
    rest: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Of groups of rows: sums over w and d, with d less the mean of all rows."""

    n: Floats
    w: Floats
    wd: Floats
    ww: Floats
    wwd: Floats
    wwdd: Floats

    @property
    def mean(self) -> Floats:
        return self.wd / self.w

    def error(self, spread: float) -> Floats:
        """Standard error of each mean, by the whole's spread where its own is smaller."""
        squares = self.wwdd - 2 * self.mean * self.wwd + self.mean**2 * self.ww
        own = np.sqrt(np.maximum(squares, 0.0) / self.ww)
        return np.maximum(own, spread) * np.sqrt(self.ww) / self.w


def code(columns: Mapping[str, Sequence[str]]) -> list[CodedColumn]:
    """Number the values of each column in the order they are met."""
    found = []
    for name, values in columns.items():
        number: dict[str, int] = {}
        codes = np.array([number.setdefault(one, len(number)) for one in values], np.int64)
        found.append(CodedColumn(name, codes, tuple(number)))
    return found


def worst_slices(
    columns: Sequence[CodedColumn],
    differences: Floats,
    weights: Floats,
    *,
    alpha: float = 0.05,
    minimum: int = 25,
    limit: int = 10,
) -> list[LosingSlice]:
    """Slices where the new version is worse, most certain first, none that repeats another.

    Every value of every column and every pair of values of two columns with enough queries is a
    candidate. Its p is the larger of two one-sided Student tests: worse than no change, and worse
    than the rest. A slice whose own spread is below that of all queries is given the latter: few
    rows can look alike by luck. A finding stays only if what it holds beyond those before it is
    worse by itself, or if it is the worse part of one of them.

    Args:
        columns: of the same Q queries.
        differences: float64[Q], NaN where there is none.
        weights: float64[Q].
        alpha: false discovery rate.
        minimum: queries a slice must have.
        limit: findings at most.
    """
    used = ~np.isnan(differences) & (weights > 0)
    if int(used.sum()) <= minimum:
        return []
    d, w = differences[used], weights[used] / weights[used].mean()
    kept = [CodedColumn(one.name, one.codes[used], one.values) for one in columns]
    mean = float((w * d).sum() / w.sum())
    r = d - mean
    terms = (np.ones(d.size), w, w * r, w * w, w * w * r, (w * r) ** 2)
    whole = _Sums(*(np.array([term.sum()]) for term in terms))
    spread = float(np.sqrt(whole.wwdd[0] / whole.ww[0]))
    if spread == 0:
        return []
    candidates: list[tuple[tuple[int, int], ...]] = []
    p: list[Floats] = []
    for which, codes, sizes in _cells(kept):
        sums = _Sums(*(sum_by_query(codes, term, int(np.prod(sizes))) for term in terms))
        big = np.flatnonzero((sums.n >= minimum) & (sums.n <= d.size - minimum))
        places = [np.unravel_index(int(cell), sizes) for cell in big]
        named = [
            row
            for row, place in enumerate(places)
            if all(kept[c].values[int(v)] for c, v in zip(which, place, strict=True))
        ]
        candidates += [
            tuple((c, int(v)) for c, v in zip(which, places[row], strict=True)) for row in named
        ]
        p.append(_worse(_pick(sums, big[named]), whole, mean, spread))
    if not candidates:
        return []
    raw = np.concatenate(p)
    adjusted = benjamini_hochberg(raw)
    found: list[LosingSlice] = []
    masks: list[Bools] = []
    for index in np.argsort(raw, kind="stable")[:_CONSIDERED]:
        if adjusted[index] > alpha or len(found) == limit:
            break
        rows = np.logical_and.reduce([kept[c].codes == v for c, v in candidates[index]])
        if not _says_more(rows, masks, d, w, spread):
            continue
        masks.append(rows)
        conditions = tuple((kept[c].name, kept[c].values[v]) for c, v in candidates[index])
        within, beyond = (float(np.average(d[part], weights=w[part])) for part in (rows, ~rows))
        found.append(
            LosingSlice(conditions, int(rows.sum()), within, beyond, float(adjusted[index]))
        )
    return found


def _cells(
    columns: Sequence[CodedColumn],
) -> Iterable[tuple[tuple[int, ...], Ints, tuple[int, ...]]]:
    """Each column and each pair of columns: which, one code a row, and how many values each has."""
    for index, one in enumerate(columns):
        yield (index,), one.codes, (len(one.values),)
    for first, second in combinations(range(len(columns)), 2):
        a, b = columns[first], columns[second]
        if len(a.values) * len(b.values) <= 1_000_000:
            sizes = (len(a.values), len(b.values))
            yield (first, second), a.codes * sizes[1] + b.codes, sizes


def _pick(sums: _Sums, cells: Ints) -> _Sums:
    return _Sums(*(getattr(sums, name)[cells] for name in _Sums.__slots__))


def _worse(part: _Sums, whole: _Sums, mean: float, spread: float) -> Floats:
    rest = _Sums(*(getattr(whole, name) - getattr(part, name) for name in _Sums.__slots__))
    error, other = part.error(spread), rest.error(spread)
    against_rest = (part.mean - rest.mean) / np.hypot(error, other)
    t = np.maximum((part.mean + mean) / error, against_rest)
    freedom = np.maximum(part.w**2 / part.ww - 1, 1.0)
    # Those that are not worse at all need no exact p to be passed over.
    return np.array(
        [_student(float(a), float(b)) if a < -1 else 1.0 for a, b in zip(t, freedom, strict=True)]
    )


def _student(t: float, freedom: float) -> float:
    """P(T <= t) for negative t."""
    x = freedom / (freedom + t * t)
    return 0.5 * beta_cdf(x, freedom / 2, 0.5)


def _says_more(rows: Bools, before: list[Bools], d: Floats, w: Floats, spread: float) -> bool:
    """Whether a slice tells more than those found before it."""
    for other in before:
        if not (rows & ~other).any() and _gap(rows, other & ~rows, d, w, spread) < _FURTHER:
            return True
    covered = np.logical_or.reduce(before) if before else np.zeros(rows.size, np.bool_)
    left = rows & ~covered
    return int(left.sum()) >= 2 and _gap(left, None, d, w, spread) < _FURTHER


def _gap(rows: Bools, others: Bools | None, d: Floats, w: Floats, spread: float) -> float:
    """How many standard errors the mean of some rows is above that of others, or above zero."""
    value, variance = _mean(rows, d, w, spread)
    if others is None:
        return value / sqrt(variance)
    if not others.any():
        return 0.0
    beyond, more = _mean(others, d, w, spread)
    return (value - beyond) / sqrt(variance + more)


def _mean(rows: Bools, d: Floats, w: Floats, spread: float) -> tuple[float, float]:
    own = w[rows]
    return float(np.average(d[rows], weights=own)), spread**2 * float(own @ own) / own.sum() ** 2
