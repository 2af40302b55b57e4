"""What a check may ask: the golden set, the two arms, and the facts about their locks.

Checks and adapters meet only here. Adapters fill these values in, checks read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from gates.domain.artifact_scan import ScanReport
from gates.domain.counterexamples import Recall
from gates.domain.golden_set import (
    Columns,
    Expectation,
    GoldenSet,
    Manifest,
    NeverShown,
)
from gates.domain.judging import EnvironmentFacts, ModelVersion, Role
from gates.domain.lock_report import LockChange, LockReport
from gates.domain.tasks import ExpectationKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "BIAS",
    "Apart",
    "Arm",
    "CheckPlan",
    "Columns",
    "Contributions",
    "Expectation",
    "ExpectationKind",
    "GoldenSet",
    "LockQuestions",
    "Manifest",
    "NeverShown",
    "NoContributions",
    "NoSplits",
    "Snapshot",
    "Splits",
    "Subject",
]

BIAS = "(bias)"
"""The column of an answer that holds what no feature contributed."""

OptionsT_co = TypeVar("OptionsT_co", covariant=True)
"""The options model of one check."""


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
class Splits:
    """What the trees of one version split on, as its model file says.

    Attributes:
        file: The file, relative to the model folder.
        count: Input column → how many splits are on it, 0 where no tree has one.
        gain: Input column → what these gained together in training, in units of its objective.
    """

    file: str
    count: Mapping[str, int]
    gain: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class NoSplits:
    """Nobody can read what a version's trees split on, if it has any; no fault of its own.

    Attributes:
        reason: Why, in words.
    """

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Features as a model was trained on them.

    Attributes:
        digest: `sha256:…` of its bytes.
        rows: How many rows it has; 0 when it has none of the columns asked for.
        features: Column → float64[rows], NaN where missing; columns the file lacks are left out.
        query: int64[rows], the query of each row as a number; None where the file names none.
    """

    path: Path
    digest: str
    rows: int
    features: Mapping[str, Floats]
    query: Ints | None = None


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

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row of a frame, with the label's score.

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

    def contributions(self, columns: Columns) -> Contributions | NoContributions:
        """What each feature added to the score of each row of a frame, or why that is not known.

        It never raises: whatever goes wrong while explaining leaves the version's scores, and so
        the verdict, as they are.
        """

    def splits(self) -> Splits | NoSplits:
        """What its trees split on, told from its files, loading none of them; it never raises."""

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
class CheckPlan(Generic[OptionsT_co]):
    """What the card asks of one check, with the options of that check and no other.

    Attributes:
        metrics: The metrics that bounds speak of, without duplicates.
        slices: The slice columns that bounds speak of.
        options: The check's own options, as its options model validated them.
        margins: metric → how much of it may be lost, by slice key as the card writes it (empty for
            the whole set); only where a `min` below zero says so.
        waived: metric → golden queries, by id, whose items the card excuses for a while.
    """

    metrics: tuple[str, ...]
    slices: tuple[str, ...]
    options: OptionsT_co
    margins: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    waived: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
