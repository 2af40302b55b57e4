"""Recall class by class: what a mean over all queries hides when one class is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gates.checks.score_range.labelled import Labelled
from gates.comparison.differences import differences
from gates.comparison.measuring import Sample, means
from gates.comparison.paired import PairedMetric
from gates.domain.exhibits import Table
from gates.domain.judging import Measurement
from gates.kernels.mean_bounds import mean_p
from gates.kernels.multiplicity import holm
from gates.kernels.packed import Bools, Floats

__all__ = ["Classes"]

_SURE = 0.05

_Measure = Callable[[Sample], Sequence[Measurement]]


@dataclass(frozen=True)
class Classes:
    """The classes that have enough golden queries, and what is measured of them.

    Attributes:
        labelled: Both versions' answers.
        sample: How the queries were drawn.
        least: Golden queries a class must have to be judged.
    """

    labelled: Labelled
    sample: Sample
    least: int

    def worst_recall(self) -> Measurement:
        """The least recall that the candidate has in any class."""
        return self._worst("worst-class-recall", self._recalls, (0.0, 1.0))

    def worst_change(self, margin: float | None) -> Measurement:
        """By how much the recall of a class changed at the worst.

        Args:
            margin: By how much the recall of a class may fall; None when nobody says.
        """

        def changes(sample: Sample) -> list[Measurement]:
            return self._changes(sample, margin)

        return self._worst("worst-class-recall.delta", changes, (-1.0, 1.0))

    def _worst(self, metric: str, measure: _Measure, span: tuple[float, float]) -> Measurement:
        """The worst class; its bounds hold although it was picked among all of them.

        The lower bound is the lowest of all classes' bounds, and needs no correction: whichever
        class is truly the worst, its own bound holds. The upper bound is the lowest of bounds at a
        level divided by how many classes there are (Bonferroni), since among many one looks bad
        by luck.
        """
        kept = self._kept
        left_out = f"; {len(self._held) - len(kept)} with fewer than {self.least} queries left out"
        if not kept:
            reason = f"no class has {self.least} golden queries or more"
            return Measurement(metric, None, 0, self.sample.share, reason=reason)
        found = measure(self.sample)
        apart = measure(replace(self.sample, alpha=self.sample.alpha / len(kept)))
        values = [one.value if one.value is not None else span[1] for one in found]
        at = int(np.argmin(values))
        lower = min(_or(one.lower, span[0]) for one in found)
        upper = min(_or(one.upper, span[1]) for one in apart)
        classes = "1 class" if len(kept) == 1 else f"{len(kept)} classes"
        which = f"{list(kept)[at]}, the worst of {classes}"
        return replace(
            found[at],
            metric=metric,
            unit=self.sample.share,
            lower=max(lower, span[0]),
            upper=min(max(upper, values[at]), span[1]),
            reason=which + (left_out if len(kept) < len(self._held) else ""),
        )

    @cached_property
    def _held(self) -> Mapping[str, Bools]:
        target = np.array([one.target for one in self.labelled.expected], dtype=object)
        return {label: target == label for label in sorted(set(target.tolist()))}

    @cached_property
    def _kept(self) -> Mapping[str, Bools]:
        return {label: rows for label, rows in self._held.items() if rows.sum() >= self.least}

    def _recalls(self, sample: Sample) -> list[Measurement]:
        right = self.labelled.new.right.astype(np.float64)
        found = (means(sample, {"recall": right}, ("", rows)) for rows in self._kept.values())
        return [one for (one,) in found]

    def _changes(self, sample: Sample, margin: float | None) -> list[Measurement]:
        old, new = self._right
        change, kept = PairedMetric("recall", old, new), self._kept
        slices = [("", np.ones(new.size, bool)), *kept.items()]
        margins = {} if margin is None else {"recall": dict.fromkeys(kept, margin)}
        _, *found = differences(sample, [change], slices, margins=margins)
        return [replace(one, slice="") for one in found]

    @property
    def _right(self) -> tuple[Floats, Floats]:
        old, new = self.labelled.old, self.labelled.new
        assert old is not None  # noqa: S101 - asked for only where there is a champion
        return old.right.astype(np.float64), new.right.astype(np.float64)

    def table(self) -> Iterator[Table]:
        """Every class with its recall and, where there is a champion, what became of it."""
        kept = self._kept
        if not kept:
            return
        if self.labelled.old is None:
            columns = ["class", "queries", "recall", "at least", "at most"]
            rows = [
                [label, one.n, *_rounded(one.value, *_within(one, 0.0))]
                for label, one in zip(kept, self._recalls(self.sample), strict=True)
            ]
            rows.sort(key=lambda row: (row[2], row[0]))
            yield Table("Recall by class", columns, rows)
            return
        old, new = self._right
        loss = (old - new)[:, None]
        chances = [
            float(mean_p(loss[rows], self.sample.design(rows), worst=-1.0)[0])
            for rows in kept.values()
        ]
        adjusted = holm(np.array(chances)).tolist()
        rows = [
            [
                label,
                one.n,
                *_rounded(one.extra["old"], one.extra["new"], one.value, *_within(one, -1.0), p),
            ]
            for label, one, p in zip(kept, self._changes(self.sample, None), adjusted, strict=True)
        ]
        rows.sort(key=lambda row: (row[4], row[3], row[0]))
        columns = ["class", "queries", "recall before", "recall now", "difference"]
        columns += ["at least", "at most", "p of no loss (Holm)"]
        lost = sum(p <= _SURE for p in adjusted)
        title = f"{lost} of {len(kept)} classes surely lost recall"
        yield Table(title, columns, rows)


def _within(one: Measurement, least: float) -> tuple[float | None, float | None]:
    """An interval without what a share, or a difference of shares, cannot be."""
    lower, upper = one.lower, one.upper
    return (
        None if lower is None else max(lower, least),
        None if upper is None else min(upper, 1.0),
    )


def _or(bound: float | None, otherwise: float) -> float:
    return otherwise if bound is None else bound


def _rounded(*values: float | None) -> list[float | None]:
    # A class of one sampled query has no bounds, which JSON cannot say.
    return [None if one is None or np.isinf(one) else round(one, 4) for one in values]
