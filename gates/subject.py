"""What a check may ask: the golden set, the two arms, and the facts about their locks.

Checks and adapters meet only here. Adapters fill these values in, checks read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gates.counterexamples import Recall
from gates.dependencies import LockChange, LockReport
from gates.domain import EnvironmentFacts, ModelVersion, Role, Task
from gates.findings import ScanReport
from gates.templates import Templates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

__all__ = [
    "BIAS",
    "Apart",
    "Arm",
    "Columns",
    "Contributions",
    "Expectation",
    "ExpectationKind",
    "GoldenSet",
    "LockQuestions",
    "Manifest",
    "NeverShown",
    "NoContributions",
    "Snapshot",
    "Subject",
]

Columns = Mapping[str, "Sequence[Any] | NDArray[Any]"]
"""A frame: column name → values, all of one length."""

ExpectationKind = Literal["label", "must-be-first", "in-top", "never-in-top", "closer"]


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
        name: Its name.
        task: The kind of model it is for.
        description: What it holds, for people.
        synthetic: True when no real shopper stands behind it.
        inputs: The columns a model is given: feature columns, or the one that holds the texts.
        slices: The columns of `queries.csv` by which results may be cut.
        max_grade: The best grade of the scale.
        sampling: How queries were drawn, in words.
        raw: The whole file, as parsed.
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
        features: column → N values, the inputs of a ranking model.
        judged_query: int64[J].
        judged_doc: J document ids, unique within a query.
        grade: float64[J], the grade of record.
        annotators: annotator → float64[J], raw grades, NaN where one did not judge.
        expectations: In file order.
        warnings: What a reader should know (weights on a uniform sample, missing judgments …).
        templates: Queries made from words, and their labels; None where the set has none.
        never_shown: Documents that must not stand high for any query.
        synonyms: (word or phrase, what shoppers also call it), each in one direction.
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
        if self.manifest.task == "ranking":
            return self.features
        return self.texts(self.query_text)

    def texts(self, texts: Sequence[str]) -> Columns:
        """The frame that gives a model of texts some of them.

        Args:
            texts: One for each row.
        """
        return {self.manifest.inputs[0]: tuple(texts)}


BIAS = "(bias)"
"""The column of an answer that holds what no feature contributed."""


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What each feature added to each row's raw score (SHAP values of a tree model).

    A row's contributions and its bias add up to its raw score: the sum of the leaves, before any
    sigmoid or other function of it.

    Attributes:
        features: F names, each an input column.
        values: float64[rows, F], finite, in units of the raw score.
        bias: float64[rows], finite: what is added whatever the features are.
    """

    features: tuple[str, ...]
    values: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class NoContributions:
    """A version cannot tell what its features contribute; no fault of its own.

    Attributes:
        reason: Why, in words.
    """

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Features as a model was trained on them.

    Attributes:
        path: The file.
        digest: `sha256:…` of its bytes.
        rows: How many rows it has; 0 when it has none of the columns asked for.
        features: Column → float64[rows], NaN where missing; columns the file lacks are left out.
    """

    path: Path
    digest: str
    rows: int
    features: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class LockQuestions:
    """What a lock is asked beyond what can be told offline.

    Attributes:
        resolve: Whether resolvers are to find the same pins again, which asks the package index.
        advisories: Known advisories in OSV format: a file, a folder or a URL; None for none.
        advisories_max_age: After how many days without news that source counts as out of date.
    """

    resolve: bool = False
    advisories: str | None = None
    advisories_max_age: int = 30


class Apart(Protocol):
    """A version in a process of its own: it is asked anew each time, and nothing is remembered."""

    def scores(self, columns: Columns) -> Floats:
        """Score each row of a frame.

        Raises:
            ModelFault: It could not, by name; it may not be able to answer again.
        """

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row of a frame, with the label's score.

        Raises:
            ModelFault: It could not, by name; it may not be able to answer again.
        """

    def vectors(self, columns: Columns) -> Floats:
        """A vector for each row of a frame, float64[rows, dimensions].

        Raises:
            ModelFault: It could not, by name; it may not be able to answer again.
        """


class Arm(Protocol):
    """One version, running in its own environment."""

    @property
    def role(self) -> Role:
        """Candidate or champion."""

    @property
    def version(self) -> ModelVersion:
        """Which version this is."""

    @property
    def inputs(self) -> tuple[str, ...] | None:
        """The input columns its signature names, in order; None when it names none."""

    def scores(self, columns: Columns) -> Floats:
        """Score each row of a frame.

        Raises:
            ModelFault: It could not, by name.
        """

    def scores_again(self, columns: Columns) -> Floats:
        """Score each row once more, in a fresh process: the same, if the model is deterministic.

        Raises:
            ModelFault: It could not, by name.
        """

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row of a frame, with the label's score.

        Raises:
            ModelFault: It could not, by name.
        """

    def labels_again(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row once more, in a fresh process.

        Raises:
            ModelFault: It could not, by name.
        """

    def apart(self) -> AbstractContextManager[Apart]:
        """A fresh process of this version, which ends with the context.

        What goes wrong in it leaves the arm itself well: input that may break a model is put here.

        Raises:
            ModelFault: It could not be loaded, by name.
            BuildError: The environment could not be built.
        """

    def vectors(self, columns: Columns) -> Floats:
        """A vector for each row of a frame, float64[rows, dimensions].

        Raises:
            ModelFault: It could not, by name.
        """

    def vectors_again(self, columns: Columns) -> Floats:
        """A vector for each row once more, in a fresh process.

        Raises:
            ModelFault: It could not, by name.
        """

    def contributions(self, columns: Columns) -> Contributions | NoContributions:
        """What each feature added to the score of each row of a frame, or why that is not known.

        It never raises: whatever goes wrong while explaining leaves the version's scores, and so
        the verdict, as they are.
        """

    def timed(self, columns: Columns) -> float:
        """Seconds that one prediction takes, in a worker that no other check has asked.

        The worker is started at the first call, within which loading the model falls; that call's
        seconds are of the prediction alone.

        Raises:
            ModelFault: It could not, by name.
        """

    def peak_memory(self) -> int | None:
        """Most resident memory, bytes, of the worker that `timed` asks; None if it cannot tell.

        Raises:
            ModelFault: It could not answer, by name.
        """

    def environment(self) -> EnvironmentFacts:
        """What it ran in.

        Raises:
            BuildError: The environment could not be built.
        """

    def lock_report(self, questions: LockQuestions) -> LockReport:
        """What verifying its lock gave.

        Args:
            questions: What to ask beyond what can be told offline.

        Raises:
            LockError: The artifact has no lock.
            BuildError: The environment could not be built.
        """

    def scan(self) -> ScanReport:
        """What a look at its files gave, before anything loaded them; it never raises."""


class Subject(Protocol):
    """What a check is given: two arms, a golden set, a seed."""

    @property
    def golden(self) -> GoldenSet:
        """The golden set."""

    @property
    def candidate(self) -> Arm:
        """The version under test."""

    @property
    def champion(self) -> Arm | None:
        """The version in production, or None when there is none yet."""

    @property
    def seed(self) -> int:
        """The seed of everything random in this run."""

    def lock_changes(self) -> tuple[LockChange, ...]:
        """What differs between the champion's lock and the candidate's.

        Raises:
            NoChampion: There is no other.
            LockError: One of them has no lock.
        """

    def recall(self, check: str) -> Recall:
        """The counterexamples that earlier runs left for a check; it never raises.

        Args:
            check: The check's name.
        """

    def training(self, path: str, columns: Sequence[str]) -> Snapshot:
        """Some columns of a training snapshot in the project.

        Args:
            path: A CSV or Parquet file, from the project's folder.
            columns: The columns asked for; those that the file lacks are left out.

        Raises:
            InputError: It cannot be read.
        """

    def transplanted(self, binary: Role) -> Arm:
        """The binary of one version in the other's environment.

        Args:
            binary: Whose binary.

        Raises:
            NoChampion: There is no other.
        """


@dataclass(frozen=True, slots=True)
class Plan:
    """What the card asks of one check.

    Attributes:
        metrics: The metrics that bounds speak of, without duplicates.
        slices: The slice columns that bounds speak of.
        options: The check's own options, as its options model validated them.
        margins: metric → how much of it may be lost, by slice key as the card writes it (empty for
            the whole set); only where a `min` below zero says so.
    """

    metrics: tuple[str, ...]
    slices: tuple[str, ...]
    options: Any = field(default=None)
    margins: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
