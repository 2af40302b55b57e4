"""What a model answers for a whole golden set, and how two such answers differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gates.domain.subject import Apart, Columns, GoldenSet
from gates.domain.tasks import AnswerForm
from gates.kernels.canonical import order_numbered
from gates.kernels.packed import offsets, ranks

if TYPE_CHECKING:
    from gates.domain.golden_set import Bools, Floats, Ints

__all__ = ["Answers", "Difference", "DifferingRow", "Tolerance", "ask", "compare"]

_EXAMPLES = 10
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a score may move and still be the same: |new − old| ≤ absolute + relative · |old|.

    As `numpy.isclose` has it. The defaults let through what another order of the same additions
    does to double precision, and nothing a shopper could see.

    Attributes:
        absolute: In units of the score.
        relative: As a share of the old score.
    """

    absolute: float = 1e-9
    relative: float = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One run's answers, a row for each row the golden set gives a model.

    Attributes:
        scores: float64[rows], finite.
        labels: A label for each row; None for a ranking model.
    """

    scores: Floats
    labels: tuple[str, ...] | None = None


def ask(version: Apart, form: AnswerForm, columns: Columns) -> Answers:
    """What a version answers to each row of a frame.

    Args:
        version: The version, or a process of it.
        form: Scores or labels: what its task answers.
        columns: The frame.

    Raises:
        ModelFault: It could not answer, or not in this form.
    """
    if form is AnswerForm.LABELS:
        labels, scores = version.labels(columns)
        return Answers(scores, labels)
    return Answers(version.scores(columns))


@dataclass(frozen=True, slots=True)
class DifferingRow:
    """One row that two runs answer differently.

    Attributes:
        query_id: The query's id.
        query: What the shopper typed.
        document: The document's id; empty for a classification model.
        old: The old label, cut to 200 characters, or the old place in the list (1 is the top).
    """

    query_id: str
    query: str
    document: str
    old: str
    new: str
    old_score: float
    new_score: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How two runs differ.

    Attributes:
        rows: How many rows were compared.
        scores: How many scores moved beyond the tolerance.
        labels: How many labels changed; None for a ranking model.
        queries: How many queries have a list that could be ordered otherwise; None for a
            classification model.
        orders: How many of those lists have another order; None for a classification model.
        largest: The largest move of a score.
        examples: The first rows that differ, those with another label or place before the rest.
    """

    rows: int
    scores: int
    labels: int | None = None
    queries: int | None = None
    orders: int | None = None
    largest: float = 0.0
    examples: tuple[DifferingRow, ...] = ()

    @property
    def any(self) -> bool:
        """Whether the runs differ at all."""
        return bool(self.scores or self.labels or self.orders)

    @property
    def words(self) -> str:
        """What changed, such as `37 of 480 labels`."""
        scores = f"{self.scores:,} of {self.rows:,} scores"
        if self.labels is not None:
            labels = f"{self.labels:,} of {self.rows:,} labels"
            return labels if self.labels else f"no label but {scores}"
        if self.orders:
            return f"the order of {self.orders:,} of {self.queries:,} queries, {scores}"
        return f"no query's order but {scores}"

    def like(self, other: Difference) -> bool:
        """Whether another comparison found as many labels and orders changed."""
        return (self.labels, self.orders, self.any) == (other.labels, other.orders, other.any)


def compare(old: Answers, new: Answers, golden: GoldenSet, tolerance: Tolerance) -> Difference:
    """How two runs on one golden set differ.

    Lists are ordered as the gate orders them: score descending, ties by document id descending. An
    order that changed counts however little the scores moved, since shoppers see it.

    Args:
        old: The one run.
        new: The other.
        golden: The golden set of both.
        tolerance: How far a score may move.
    """
    far = ~np.isclose(
        new.scores, old.scores, rtol=tolerance.relative, atol=tolerance.absolute, equal_nan=False
    )
    largest = float(np.abs(new.scores - old.scores).max(initial=0.0))
    if old.labels is not None and new.labels is not None:
        turned = np.array([a != b for a, b in zip(old.labels, new.labels, strict=True)], "?")
        rows = (
            _row(golden, i, i, "", (old.labels[i], new.labels[i]), old, new)
            for i in _first(turned, far)
        )
        return Difference(
            rows=len(far),
            scores=int(far.sum()),
            labels=int(turned.sum()),
            largest=largest,
            examples=(*rows,),
        )
    places = _places(golden, old.scores), _places(golden, new.scores)
    turned = places[0] != places[1]
    return Difference(
        rows=len(far),
        scores=int(far.sum()),
        # A list of one document has one order.
        queries=int((np.bincount(golden.row_query) > 1).sum()),
        orders=len(np.unique(golden.row_query[turned])),
        largest=largest,
        examples=(*_ranked_rows(golden, places, _first(turned, far), old, new),),
    )


def _first(turned: Bools, far: Bools) -> list[int]:
    rows = [*np.flatnonzero(turned).tolist(), *np.flatnonzero(far & ~turned).tolist()]
    return rows[:_EXAMPLES]


def _places(golden: GoldenSet, scores: Floats) -> Ints:
    """int64[rows], the place of each row in its query's list, 1 at the top."""
    names = np.array(golden.row_doc, dtype=object).astype(str)
    _, codes = np.unique(names, return_inverse=True)
    starts = offsets(golden.row_query, len(golden.query_id))
    rows = order_numbered(starts, scores, codes.astype(np.int64))
    places = np.empty(len(rows), np.int64)
    places[rows] = ranks(starts)
    return places


def _ranked_rows(
    golden: GoldenSet, places: tuple[Ints, Ints], rows: list[int], old: Answers, new: Answers
) -> Iterator[DifferingRow]:
    for row in rows:
        query = int(golden.row_query[row])
        moved = f"{places[0][row]}", f"{places[1][row]}"
        yield _row(golden, query, row, golden.row_doc[row], moved, old, new)


def _row(
    golden: GoldenSet,
    query: int,
    row: int,
    document: str,
    moved: tuple[str, str],
    old: Answers,
    new: Answers,
) -> DifferingRow:
    return DifferingRow(
        golden.query_id[query],
        golden.query_text[query],
        document,
        moved[0][:_SHOWN],
        moved[1][:_SHOWN],
        float(old.scores[row]),
        float(new.scores[row]),
    )
