"""Subjects for checks: a golden set in memory, and arms that answer from functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gates.checks import catalogue, find
from gates.domain.artifact_scan import ScanReport
from gates.domain.counterexamples import Counterexample, Recall, Replay
from gates.domain.exhibits import RankingDifference, Table
from gates.domain.judging import EnvironmentFacts, Measurement, ModelVersion, Role
from gates.domain.lock_report import LockChange, LockReport
from gates.domain.subject import (
    CheckPlan,
    Columns,
    Contributions,
    Expectation,
    GoldenSet,
    LockQuestions,
    Manifest,
    NoContributions,
    NoSplits,
    Snapshot,
    Splits,
)
from gates.domain.tasks import TASKS
from gates.environments.outputs import as_labels, as_scores
from gates.errors import ModelFault
from gates.golden.snapshot import read_snapshot
from gates.kernels.packed import Floats

AnswerT = TypeVar("AnswerT")


@dataclass
class FakeArm:
    """An arm that scores, labels or explains with a function, and counts how often it was asked."""

    role: Role = "candidate"
    score: Callable[[Columns], Any] = lambda columns: []
    label: Callable[[str], tuple[str, float]] = lambda text: (text, 1.0)
    report: LockReport = field(default_factory=LockReport)
    explain: Callable[[Columns], Contributions | NoContributions] = lambda columns: NoContributions(
        "it is not a tree"
    )
    again: Callable[[Columns], Any] | None = None
    scanned: ScanReport = field(default_factory=lambda: ScanReport(1, 1, (), {}))
    inputs: tuple[str, ...] | None = None
    label_again: Callable[[str], tuple[str, float]] | None = None
    time: Callable[[Columns], float] = lambda columns: 0.001
    peak: int | None = None
    embed: Callable[[str], Any] = lambda text: (1.0, float(len(text)))
    embed_again: Callable[[str], Any] | None = None
    split: Splits | NoSplits = field(default_factory=lambda: NoSplits("it is not a tree"))
    key: str = "k"
    asked_of_lock: LockQuestions | None = None
    calls: int = 0
    explained: list[Columns] = field(default_factory=list)
    started_apart: int = 0

    @property
    def version(self) -> ModelVersion:
        return ModelVersion("m", "1", "sha256:m", "sha256:l")

    def scores(self, columns: Columns) -> Floats:
        self.calls += 1
        return np.asarray(self.score(columns), dtype=np.float64)

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        self.calls += 1
        pairs = [self.label(text) for text in columns["query"]]
        return tuple(one for one, _ in pairs), np.array([score for _, score in pairs])

    @contextmanager
    def apart(self) -> Iterator[FakeApart]:
        self.started_apart += 1
        yield FakeApart(self)

    def timed(self, columns: Columns) -> float:
        self.calls += 1
        return self.time(columns)

    def peak_memory(self) -> int | None:
        return self.peak

    def vectors(self, columns: Columns) -> Floats:
        self.calls += 1
        (texts,) = columns.values()
        return np.array([self.embed(text) for text in texts], dtype=np.float64)

    def contributions(self, columns: Columns) -> Contributions | NoContributions:
        self.explained.append(columns)
        return self.explain(columns)

    def splits(self) -> Splits | NoSplits:
        return self.split

    def environment(self) -> EnvironmentFacts:
        return EnvironmentFacts(self.key, "3.11.7", "Linux", True, 0.0)

    def lock_report(self, questions: LockQuestions) -> LockReport:
        self.asked_of_lock = questions
        return self.report

    def scan(self) -> ScanReport:
        return self.scanned


@dataclass
class FakeApart:
    """A process apart: its answers are held to the contract, and after a fault it is dead."""

    arm: FakeArm
    fault: ModelFault | None = None

    def scores(self, columns: Columns) -> Floats:
        rows = len(next(iter(columns.values())))
        score = self.arm.again or self.arm.score
        return self._held(lambda: as_scores({"score": list(score(columns))}, rows))

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        def ask() -> tuple[tuple[str, ...], Floats]:
            label = self.arm.label_again or self.arm.label
            pairs = [label(text) for text in columns["query"]]
            labels: list[Any] = [label for label, _ in pairs]
            scores: list[Any] = [score for _, score in pairs]
            return as_labels({"label": labels, "score": scores}, len(columns["query"]))

        return self._held(ask)

    def vectors(self, columns: Columns) -> Floats:
        embed, (texts,) = self.arm.embed_again or self.arm.embed, columns.values()
        return self._held(lambda: np.array([embed(text) for text in texts], np.float64))

    def _held(self, ask: Callable[[], AnswerT]) -> AnswerT:
        self.arm.calls += 1
        if self.fault:
            raise self.fault
        try:
            return ask()
        except ModelFault as fault:
            self.fault = fault
            raise


@dataclass
class FakeSubject:
    """What a check is given."""

    golden: GoldenSet
    candidate: FakeArm
    champion: FakeArm | None
    seed: int = 5
    guests: Mapping[Role, FakeArm] = field(default_factory=dict)
    changes: tuple[LockChange, ...] = ()
    project: Path = Path()
    recalls: Mapping[str, Recall] = field(default_factory=dict)

    def lock_changes(self) -> tuple[LockChange, ...]:
        return self.changes

    def recall(self, check: str) -> Recall:
        return self.recalls.get(check, Recall())

    def training(self, path: str, columns: Sequence[str]) -> Snapshot:
        return read_snapshot(self.project / path, columns)

    def transplanted(self, binary: Role) -> FakeArm:
        return self.guests[binary]


def golden_set(
    *,
    task: str = "ranking",
    texts: Sequence[str] = (),
    lists: Sequence[Mapping[str, float | None]] = (),
    features: Mapping[str, Sequence[float]] | None = None,
    extra_judgments: Sequence[tuple[int, str, float]] = (),
    expectations: Sequence[Expectation] = (),
    slices: Mapping[str, tuple[str, ...]] | None = None,
    weight: Sequence[float] | None = None,
    census: Sequence[bool] | None = None,
    synonyms: Sequence[tuple[str, str]] = (),
    attributes: Mapping[str, Sequence[str]] | None = None,
) -> GoldenSet:
    """A golden set from a mapping document → grade (None: unjudged) for each query."""
    queries = max(len(texts), len(lists))
    rows = [(q, doc, grade) for q, docs in enumerate(lists) for doc, grade in docs.items()]
    judged = [(q, doc, grade) for q, doc, grade in rows if grade is not None]
    judged += list(extra_judgments)
    found = slices or {}
    manifest = Manifest(
        "memory",
        TASKS[task],
        "",
        True,
        tuple(features or {"query": []}),
        tuple(found),
        3.0,
        "all",
        {},
    )
    return GoldenSet(
        path=Path("golden/memory"),
        digest="sha256:g",
        manifest=manifest,
        query_id=tuple(f"q{q}" for q in range(queries)),
        query_text=tuple(texts) or tuple(f"query {q}" for q in range(queries)),
        weight=np.ones(queries) if weight is None else np.asarray(weight, float),
        census=np.zeros(queries, bool) if census is None else np.asarray(census, bool),
        inclusion=np.ones(queries),
        slices=found,
        row_query=np.array([q for q, _, _ in rows], np.int64),
        row_doc=tuple(doc for _, doc, _ in rows),
        row_title=tuple(f"title of {doc}" for _, doc, _ in rows),
        features={name: np.asarray(column, float) for name, column in (features or {}).items()},
        judged_query=np.array([q for q, _, _ in judged], np.int64),
        judged_doc=tuple(doc for _, doc, _ in judged),
        grade=np.array([grade for _, _, grade in judged], float),
        annotators={},
        expectations=tuple(expectations),
        synonyms=tuple(synonyms),
        attributes={name: tuple(values) for name, values in (attributes or {}).items()},
    )


@dataclass
class Result:
    """What a check yielded."""

    measurements: dict[tuple[str, str], Measurement]
    tables: list[Table]
    counterexamples: list[Counterexample] = field(default_factory=list)
    replay: Replay | None = None
    lists: tuple[RankingDifference, ...] = ()

    def __getitem__(self, metric: str) -> Measurement:
        return self.measurements[metric, ""]


def rows_of(table: Table) -> list[list[Any]]:
    """The rows of a table whose columns a test knows: any cell is taken for what it should be."""
    return [list(row) for row in table.rows]


def run(
    check: str, subject: FakeSubject, *metrics: str, slices: Sequence[str] = (), **options: Any
) -> Result:
    """Run a check for some metrics."""
    chosen = catalogue()[check].options.model_validate(options)
    return run_plan(check, subject, CheckPlan(metrics, tuple(slices), chosen))


def run_plan(check: str, subject: FakeSubject, plan: CheckPlan[Any]) -> Result:
    """Run a check for all that a card may ask of it."""
    found = list(find(check).measure(subject, plan))
    return Result(
        {(one.metric, one.slice): one for one in found if isinstance(one, Measurement)},
        [one for one in found if isinstance(one, Table)],
        [one for one in found if isinstance(one, Counterexample)],
        next((one for one in found if isinstance(one, Replay)), None),
        tuple(one for one in found if isinstance(one, RankingDifference)),
    )


def with_text_feature(subject: FakeSubject, name: str, values: Sequence[str | None]) -> FakeSubject:
    """The subject with one more input, of text."""
    golden = subject.golden
    inputs = (*golden.manifest.inputs, name)
    manifest = replace(golden.manifest, inputs=inputs, text_inputs=(name,))
    more = replace(golden, manifest=manifest, text_features={name: tuple(values)})
    return replace(subject, golden=more)
