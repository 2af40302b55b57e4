"""The same rows again, in another order and in small batches: every row must get its answer again.

Rows are asked in one process, and nothing is remembered between calls.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np

from gates.checks._separate_process import SeparateProcess
from gates.comparison.answers import Answers, Tolerance
from gates.domain.exhibits import Table
from gates.domain.judging import Cause, Measurement
from gates.domain.subject import GoldenSet
from gates.errors import ModelFault
from gates.kernels.packed import Bools, Floats, Ints

__all__ = ["BATCHES", "CONSISTENCY", "RowConsistency", "broken_by"]

BATCHES = (1, 7, 256)
CONSISTENCY = {
    "repeatability": "rows answered otherwise when asked a second time",
    "order-dependence": "rows answered otherwise when the rows stand in another order",
    "batch-dependence": "rows answered otherwise in batches of 1, 7 or 256 rows",
}
_SHOWN = 20


@dataclass
class _Found:
    """Which rows differ, and how far at the most."""

    asked: Bools
    differ: Bools
    largest: float = 0.0
    shown: list[list[str | float]] = field(default_factory=list)


class RowConsistency:
    """Compares a version's answers to the golden inputs with its answers to the same rows.

    Args:
        asker: Asks the version.
        first: Its answers to all rows in the golden set's order.
        tolerance: How far a score may move.
        batches: The most calls for each size of batch.
        seed: Draws orders and batches.
    """

    def __init__(
        self,
        golden: GoldenSet,
        asker: SeparateProcess,
        first: Answers,
        *,
        tolerance: Tolerance,
        batches: int,
        seed: int,
    ) -> None:
        self._golden = golden
        self._asker = asker
        self._first = first
        self._tolerance = tolerance
        self._batches = batches
        self._seed = seed
        self._all: Ints = np.arange(len(first.scores))

    def measure(self, wanted: Collection[str]) -> Iterator[Measurement | Table]:
        """The wanted ones of `CONSISTENCY`, and the rows that differ.

        A version that does not repeat itself cannot be told to depend on order or batches.
        """
        shown: list[list[str | float]] = []
        again = self._asked([("a second time", self._all)])
        doubt = ""
        if isinstance(again, ModelFault) or again.differ.any():
            doubt = "the model does not give its answers again (see repeatability): "
        for metric in CONSISTENCY:
            if metric not in wanted:
                continue
            if metric == "repeatability":
                found = again
            elif doubt:
                reason = f"{doubt}what else changes them cannot be told apart"
                yield Measurement(metric, None, 0, "rows", reason=reason)
                continue
            else:
                orders = metric == "order-dependence"
                found = self._asked(self._orders() if orders else self._in_batches())
            if isinstance(found, ModelFault):
                yield broken_by(metric, found, "rows", "the golden rows")
                continue
            n, differ = int(found.asked.sum()), float(found.differ.sum())
            yield Measurement(metric, differ, n, "rows", extra={"largest": found.largest})
            shown += found.shown
        if shown:
            columns = ["asked", "query", "document", "answer", "answer then", "difference"]
            title = "Rows that get another answer when nothing of them changed; the first"
            yield Table(title, columns, shown)

    def _orders(self) -> list[tuple[str, Ints]]:
        chance = np.random.default_rng(self._seed)
        orders = [("all rows shuffled", chance.permutation(self._all))]
        if self._golden.manifest.task.has_candidates:
            key = chance.random(self._all.size)
            orders.append(("shuffled within queries", np.lexsort((key, self._golden.row_query))))
        return orders

    def _in_batches(self) -> list[tuple[str, Ints]]:
        chance = np.random.default_rng(self._seed)
        found: list[tuple[str, Ints]] = []
        for size in BATCHES:
            if size < self._all.size:
                starts = self._all[::size]
                if starts.size > self._batches:
                    starts = np.sort(chance.choice(starts, self._batches, replace=False))
                found += [(f"in a batch of {size}", self._all[at : at + size]) for at in starts]
        return found

    def _asked(self, calls: list[tuple[str, Ints]]) -> _Found | ModelFault:
        found = _Found(np.zeros(self._all.size, bool), np.zeros(self._all.size, bool))
        for how, rows in calls:
            answer = self._asker.attempt(self._golden.input_rows(rows))
            if isinstance(answer, ModelFault):
                return ModelFault(answer.kind, f"{how}: {answer.what}")
            self._compare(how, rows, answer, found)
        return found

    def _compare(self, how: str, rows: Ints, new: Answers, found: _Found) -> None:
        old: Floats = self._first.scores[rows]
        differ = ~np.isclose(
            new.scores, old, rtol=self._tolerance.relative, atol=self._tolerance.absolute
        )
        if self._first.labels is not None and new.labels is not None:
            pairs = zip(rows, new.labels, strict=True)
            differ |= np.array([self._first.labels[row] != label for row, label in pairs], bool)
        for at in np.flatnonzero(differ & ~found.differ[rows])[: _SHOWN - len(found.shown)]:
            found.shown.append(self._row(how, int(rows[at]), new, int(at)))
        found.asked[rows] = True
        found.differ[rows] |= differ
        found.largest = max(found.largest, float(np.abs(new.scores - old).max(initial=0.0)))

    def _row(self, how: str, row: int, new: Answers, at: int) -> list[str | float]:
        golden, first = self._golden, self._first
        query = int(golden.input_query[row])
        moved = float(f"{new.scores[at] - first.scores[row]:.3g}")
        words = (_words(first, row), _words(new, at))
        return [how, golden.query_text[query], golden.input_document(row), *words, moved]


def broken_by(metric: str, fault: ModelFault, unit: str, given: str) -> Measurement:
    """A measurement that a fault of the model took: a FAIL of this one, and of no other.

    The model does answer the golden inputs as they are, so the fault is its own.

    Args:
        metric: What was to be measured.
        unit: The unit of the measurement.
        given: What the model was given, in words.
    """
    reason = f"{fault.kind}: given {given}, {fault.what}"
    return Measurement(metric, None, 0, unit, reason=reason, cause=Cause.BREACH)


def _words(answers: Answers, at: int) -> str:
    score = f"{answers.scores[at]:.9g}"
    return f"{answers.labels[at]} {score}" if answers.labels is not None else score
