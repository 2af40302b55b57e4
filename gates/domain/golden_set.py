"""The golden set as a value: queries, candidates, judgments and expectations.

`gates.golden` reads it from its folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.domain.phrases import Templates
from gates.domain.tasks import ExpectationKind, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

__all__ = ["Columns", "Expectation", "GoldenSet", "Manifest", "NeverShown"]

Columns = Mapping[str, "Sequence[Any] | NDArray[Any]"]
"""A frame: column name → values, all of one length."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the team expects for one golden query.

    Attributes:
        query: Index of the query in the golden set.
        kind: `label` (classification), where a document must or must not stand (ranking), or
            `closer` (embedding): the target must be nearer to the query than another is.
        target: The expected label, the document id, or the id of the text that must be nearer.
        k: The list depth that `in-top` and `never-in-top` speak of; 1 for `must-be-first`.
        low: Least acceptable score of the expected label.
        high: Greatest acceptable score of the expected label.
        line: Its line in `expectations.csv`.
        than: The id of the text that must be further away; empty unless `closer`.
    """

    query: int
    kind: ExpectationKind
    target: str
    k: int = 1
    low: float = 0.0
    high: float = 1.0
    line: int = 0
    than: str = ""


@dataclass(frozen=True, slots=True)
class NeverShown:
    """A document that must not stand high for any query.

    Attributes:
        document: Its id.
        k: How many places must be free of it.
        line: Its line in `never-show.csv`.
    """

    document: str
    k: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a golden set comes from, in its own words (`manifest.yaml`).

    Attributes:
        task: The kind of model it is for.
        description: What it holds, for people.
        synthetic: True when no real shopper stands behind it.
        inputs: The columns a model is given: feature columns, or the one that holds the texts.
        slices: The columns of `queries.csv` by which results may be cut.
        max_grade: The best grade of the scale.
        sampling: How queries were drawn, in words.
        raw: The whole file, as parsed.
        attributes: The columns of the candidates that say what a document is; no model gets them.
        cluster: The column of `queries.csv` whose values near-duplicate queries share, or empty.
        text_inputs: Those feature columns that hold text, such as a brand.
    """

    name: str
    task: Task
    description: str
    synthetic: bool
    inputs: tuple[str, ...]
    slices: tuple[str, ...]
    max_grade: float
    sampling: str
    raw: Mapping[str, Any]
    attributes: tuple[str, ...] = ()
    cluster: str = ""
    text_inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class GoldenSet:
    """Queries, candidates, judgments and expectations, validated, in file order.

    Q queries, N candidate rows (ranking), J judgments (ranking). Ids are strings.

    Attributes:
        path: Its folder.
        digest: `sha256:…` over all its files.
        manifest: Where it comes from.
        query_id: Q ids, unique.
        query_text: Q texts as a shopper typed them.
        weight: float64[Q] > 0, each query's traffic.
        census: bool[Q]: True when the query was taken with certainty.
        inclusion: float64[Q] in (0, 1]: the probability with which it was drawn.
        slices: column → Q values; empty string where there is none.
        row_query: int64[N], the query of each candidate row, non-decreasing.
        row_doc: N document ids, unique within a query.
        row_title: N titles to show; empty strings where there are none.
        features: column → N numbers, inputs of a ranking model.
        text_features: column → N texts, further inputs of it; None where there is none.
        judged_query: int64[J].
        judged_doc: J document ids, unique within a query.
        grade: float64[J], the grade of record.
        annotators: annotator → float64[J], raw grades, NaN where one did not judge.
        expectations: In file order.
        warnings: What a reader should know (weights on a uniform sample, missing judgments …).
        templates: Queries made from words, and their labels; None where the set has none.
        never_shown: Documents that must not stand high for any query.
        synonyms: (word or phrase, what shoppers also call it), each in one direction.
        attributes: column → N values that say what each document is, such as its brand.
        cluster: int64[Q], near-duplicate queries share a number and count as one unit of the
            sample; None where nobody says.
    """

    path: Path
    digest: str
    manifest: Manifest
    query_id: tuple[str, ...]
    query_text: tuple[str, ...]
    weight: Floats
    census: Bools
    inclusion: Floats
    slices: Mapping[str, tuple[str, ...]]
    row_query: Ints
    row_doc: tuple[str, ...]
    row_title: tuple[str, ...]
    features: Columns
    judged_query: Ints
    judged_doc: tuple[str, ...]
    grade: Floats
    annotators: Mapping[str, Floats]
    expectations: tuple[Expectation, ...]
    warnings: tuple[str, ...] = ()
    templates: Templates | None = None
    never_shown: tuple[NeverShown, ...] = ()
    synonyms: tuple[tuple[str, str], ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cluster: Ints | None = None
    text_features: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<golden set {self.manifest.name}: {len(self.query_id)} queries, {self.digest}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: ANN401 - Hypothesis's
        printer.text(repr(self))  # it would print every column into each failing example

    def slice_values(self, column: str) -> tuple[str, ...]:
        """The distinct non-empty values of a slice column, sorted.

        Args:
            column: One of `manifest.slices`.

        Raises:
            KeyError: The set has no such column.
        """
        return tuple(sorted({value for value in self.slices[column] if value}))

    @property
    def design_weight(self) -> Floats:
        """What each query stands for, float64[Q]: its traffic over its inclusion probability.

        A census query stands for itself; queries drawn in proportion to traffic stand for equal
        amounts (Horvitz and Thompson, 1952).
        """
        weight: Floats = self.weight / self.inclusion
        return weight

    def inputs(self) -> Columns:
        """The frame a model is given for the whole set: features, or the query texts."""
        if self.manifest.task.has_candidates:
            both = {**self.features, **self.text_features}
            return {name: both[name] for name in self.manifest.inputs if name in both}
        return self.texts(self.query_text)

    def input_rows(self, rows: Ints) -> Columns:
        """Some rows of `inputs()`.

        Args:
            rows: Their places, int64[n]; a row may be taken more than once.
        """
        import numpy as np

        return {
            name: values[rows]
            if isinstance(values, np.ndarray)
            else tuple(values[at] for at in rows)
            for name, values in self.inputs().items()
        }

    @property
    def input_query(self) -> Ints:
        """The query of each row of `inputs()`, int64[rows], non-decreasing."""
        if self.manifest.task.has_candidates:
            return self.row_query
        import numpy as np

        return np.arange(len(self.query_id))

    def input_document(self, row: int) -> str:
        """The document in a row of `inputs()`; empty where a row is a text."""
        return self.row_doc[row] if self.manifest.task.has_candidates else ""

    def texts(self, texts: Sequence[str]) -> Columns:
        """The frame that gives a model of texts some of them.

        Args:
            texts: One for each row.
        """
        return {self.manifest.inputs[0]: tuple(texts)}
