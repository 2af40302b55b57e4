"""What-if sweeps: every golden row with one feature set to other values, all else as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gates.comparison.answers import Tolerance
from gates.domain.subject import Arm, GoldenSet
from gates.kernels.packed import Bools, Floats, Ints

__all__ = ["FeatureSweep", "SweepStep", "Sweeps"]

_CELLS = 1 << 22  # numbers in one call: 32 MiB
_ROUNDS = 12
_MOST = 0.75  # of a wrong move, what a smaller step must keep of it


@dataclass(frozen=True, slots=True)
class SweepStep:
    """One step of one row that moves its score the wrong way.

    Attributes:
        row: The golden row.
        numbers: The feature from and to, and the score from and to.
    """

    row: int
    feature: str
    numbers: tuple[float, float, float, float]

    @property
    def move(self) -> float:
        """How far the score moves, whichever way."""
        return abs(self.numbers[3] - self.numbers[2])


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSweep:
    """One feature, swept over its values on every row.

    Attributes:
        sign: 1 where its increase must not lower a score, -1 where it must not raise one.
        values: float64[G], ascending, the values it was set to.
        scores: float64[G, N].
        wrong: float64[G - 1, N], how far each step moves a score the wrong way; 0 when it does not.
        violated: bool[G - 1, N], where that is beyond tolerance.
    """

    feature: str
    sign: float
    values: Floats
    scores: Floats
    wrong: Floats
    violated: Bools


class Sweeps:
    """Asks one version what-ifs about the rows of a golden set.

    Args:
        golden: A ranking golden set.
        tolerance: How far a score may move the wrong way.
    """

    def __init__(self, golden: GoldenSet, arm: Arm, tolerance: Tolerance) -> None:
        self._golden = golden
        self._arm = arm
        self._tolerance = tolerance
        self._rows: Ints = np.arange(len(golden.row_doc))

    @property
    def queries(self) -> int:
        """How many queries have rows."""
        return len(np.unique(self._golden.row_query))

    def reads(self, feature: str) -> bool:
        """Whether a feature is an input of the version, as far as its signature says."""
        inputs = self._arm.inputs
        return inputs is None or feature in inputs

    def along(self, feature: str, sign: float, grid: int) -> FeatureSweep:
        """A feature at quantiles of its golden values; no step when it has one value.

        Args:
            sign: 1 or -1, as `FeatureSweep` has it.
            grid: How many quantiles, least and greatest value included.

        Raises:
            ModelFault: The version could not answer, by name.
        """
        held = np.asarray(self._golden.features[feature], np.float64)
        held = held[np.isfinite(held)]
        shares = np.linspace(0, 1, grid)
        # Each quantile is a value that some product has.
        values = np.unique(np.quantile(held, shares, method="nearest")) if held.size else held
        scores = self.at(feature, values.tolist())
        moves = -sign * np.diff(scores, axis=0) if values.size else np.empty((0, self._rows.size))
        wrong = np.maximum(moves, 0.0)
        allowed = self._tolerance.absolute + self._tolerance.relative * np.abs(scores[:-1])
        return FeatureSweep(feature, sign, values, scores, wrong, wrong > allowed)

    def at(self, feature: str, values: Sequence[float]) -> Floats:
        """float64[values, N]: every row's score with a feature set to each of some values.

        Raises:
            ModelFault: The version could not answer, by name.
        """
        rows = np.tile(self._rows, len(values))
        return self._asked(feature, rows, np.repeat(values, self._rows.size)).reshape(
            len(values), self._rows.size
        )

    def is_above(self, high: Floats, low: Floats) -> Bools:
        """Where one score is above another by more than the tolerance."""
        allowed = self._tolerance.absolute + self._tolerance.relative * np.abs(low)
        above: Bools = high - low > allowed
        return above

    def is_wrong(self, sign: float, first: float, then: float) -> bool:
        """Whether a feature's increase moves a score the wrong way by more than the tolerance.

        Args:
            sign: 1 where it must not lower a score, -1 where it must not raise one.
            first: The score before.
            then: The score after.
        """
        allowed = self._tolerance.absolute + self._tolerance.relative * abs(first)
        return sign * (first - then) > allowed

    def pairs(self, arm: Arm, cases: Sequence[tuple[int, str, tuple[float, float]]]) -> Floats:
        """float64[cases, 2]: scores of single rows with a feature at one value, and at another.

        Args:
            arm: The version that is asked, in one call.
            cases: Row, feature, and its two values.

        Raises:
            ModelFault: The version could not answer, by name.
        """
        rows = np.repeat([row for row, _, _ in cases], 2)
        changed = {
            feature: np.array(self._golden.features[feature], np.float64)[rows]
            for feature in {feature for _, feature, _ in cases}
        }
        for at, (_, feature, values) in enumerate(cases):
            changed[feature][2 * at : 2 * at + 2] = values
        frame = {**self._golden.input_rows(rows), **changed}
        return arm.scores(frame).reshape(-1, 2)

    def narrowed(self, steps: FeatureSweep, most: int) -> list[SweepStep]:
        """The rows with the largest wrong move, each halved to a smaller step with most of it.

        The edge of a tree is found so; where a score slopes the wrong way, the step stays as it is.

        Args:
            most: How many rows at the most.

        Raises:
            ModelFault: The version could not answer, by name.
        """
        worst = np.where(steps.violated, steps.wrong, 0.0)
        row = np.argsort(-worst.max(axis=0, initial=0.0), kind="stable")[:most]
        row = row[worst.max(axis=0, initial=0.0)[row] > 0]
        if not row.size:
            return []
        step = worst[:, row].argmax(axis=0)
        start, end = steps.values[step], steps.values[step + 1]
        low, high = steps.scores[step, row], steps.scores[step + 1, row]
        whole = bool((steps.values % 1 == 0).all())
        most_of_it = _MOST * steps.wrong[step, row]
        for _ in range(_ROUNDS):
            middle = np.floor((start + end) / 2) if whole else (start + end) / 2
            score = self._asked(steps.feature, row, middle)
            first = steps.sign * (low - score)
            second = steps.sign * (score - high)
            lower = (first >= second) & (first >= most_of_it)
            upper = ~lower & (second >= most_of_it)
            end, high = np.where(lower, middle, end), np.where(lower, score, high)
            start, low = np.where(upper, middle, start), np.where(upper, score, low)
        numbers = np.stack([start, end, low, high], axis=1).tolist()
        return [
            SweepStep(int(at), steps.feature, (one[0], one[1], one[2], one[3]))
            for at, one in zip(row, numbers, strict=True)
        ]

    def spread(self) -> float:
        """Standard deviation of the scores around their query's mean, over all rows."""
        scores, query = self._arm.scores(self._golden.inputs()), self._golden.row_query
        size = np.maximum(np.bincount(query), 1)
        mean = np.bincount(query, weights=scores) / size
        return float(np.sqrt(np.mean((scores - mean[query]) ** 2)))

    def query(self, row: int) -> str:
        """The text of a row's query."""
        return self._golden.query_text[int(self._golden.row_query[row])]

    def query_id(self, row: int) -> str:
        """The id of a row's query."""
        return self._golden.query_id[int(self._golden.row_query[row])]

    def document(self, row: int) -> str:
        """A row's document."""
        return self._golden.row_doc[row]

    def _asked(self, feature: str, rows: Ints, values: Floats) -> Floats:
        many = max(_CELLS // max(len(self._golden.manifest.inputs), 1), 1)
        found: list[Floats] = []
        for first in range(0, rows.size, many):
            part = slice(first, first + many)
            frame = self._golden.input_rows(rows[part])
            found.append(self._arm.scores({**frame, feature: values[part]}))
        return np.concatenate(found) if found else np.empty(0)
