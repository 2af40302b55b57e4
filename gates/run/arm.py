"""One arm of a run: a version in its own environment, asked once for each frame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from gates.artifacts.trees import read_splits
from gates.domain.artifact_scan import ScanReport
from gates.domain.judging import EnvironmentFacts, ModelVersion, Role
from gates.domain.lock_report import LockReport
from gates.domain.subject import (
    Columns,
    Contributions,
    LockQuestions,
    NoContributions,
    NoSplits,
    Splits,
)
from gates.environments.mlmodel import read_mlmodel
from gates.environments.outputs import as_contributions, as_labels, as_scores
from gates.environments.process import Worker
from gates.errors import GatesError, ModelFault
from gates.kernels.packed import Floats
from gates.run.predictions import Answer, Predictor, ResultT, SeparateWorker, rows_of
from gates.run.version import BuiltVersion, limits_of

__all__ = ["VersionArm"]


class VersionArm(Predictor):
    """One version, its environment, and its worker, started when first needed.

    Args:
        build: Its files, lock and environment.
        host: The version in whose environment it runs; None for its own.

    Attributes:
        build: As given.
    """

    def __init__(self, build: BuiltVersion, host: VersionArm | None = None) -> None:
        self.build = build
        self._host = host
        self._called = f"{build.role} under the {host.role}'s lock" if host else build.role
        self._worker: Worker | None = None
        self._timed: Worker | None = None
        self._answers: dict[str, Answer] = {}
        self._explained: dict[str, Contributions | NoContributions] = {}
        self._ran_in: EnvironmentFacts | None = None

    def __repr__(self) -> str:
        return f"<{self._called} {self.build.version.uri}>"

    @property
    def role(self) -> Role:
        """Candidate or champion."""
        return self.build.role

    @property
    def version(self) -> ModelVersion:
        """Which version this is."""
        return self.build.version

    @property
    def inputs(self) -> tuple[str, ...] | None:
        """The input columns its signature names, in order; None when it names none.

        Raises:
            PackageError: Its MLmodel file cannot be read.
        """
        return read_mlmodel(self.build.model_dir).input_columns

    def facts(self) -> EnvironmentFacts | None:
        """What it ran in, as far as it came: None when it has no environment."""
        if self._worker is not None:
            try:
                return self._worker.ready()
            except ModelFault:
                pass
        if self._ran_in is not None:
            return self._ran_in
        return self.build.facts

    def start(self) -> None:
        """Start the worker without waiting for it.

        Raises:
            BuildError: Its environment could not be built.
            LockError: The artifact has no lock.
            ModelFault: Its artifact holds what the card refuses to load.
        """
        if self._worker is None:
            self._worker = self._started()

    def _started(self) -> Worker:
        build = self.build
        build.refuse()
        environment = (self._host or self).build.environment()
        build.progress(f"starting the {self._called}, version {build.version.version}")
        return Worker.start(environment, build.model_dir, limits_of(build.policy), self._called)

    def environment(self) -> EnvironmentFacts:
        """What it ran in: known in full once the worker is ready."""
        return self._ready().ready()

    def as_scores(self, answer: Answer, rows: int) -> Floats:
        """See `Predictor.as_scores`; the card says which column it is."""
        return as_scores(answer, rows, self.build.policy.answer)

    def as_labels(self, answer: Answer, rows: int) -> tuple[tuple[str, ...], Floats]:
        """See `Predictor.as_labels`; where the card allows it, a label needs no score."""
        policy = self.build.policy
        return as_labels(answer, rows, policy.answer, alone=policy.labels_only)

    @contextmanager
    def apart(self) -> Iterator[SeparateWorker]:
        """A fresh process of this version, which ends with the context; the arm's own stays well.

        Raises:
            BuildError: Its environment could not be built.
            LockError: The artifact has no lock.
            ModelFault: It could not be loaded, by name; a champion's fault is never a breach.
        """
        with self.blamed(self._started) as worker:
            self.blamed(worker.ready)
            yield SeparateWorker(worker, self)

    def predicted(self, columns: Columns) -> Answer:
        """What the model answers for a frame, asked once; without blame.

        Raises:
            ModelFault: It could not, by name.
        """
        key = _frame_digest(columns)
        if key not in self._answers:
            self._answers[key] = self._ready().predict(columns)
        return self._answers[key]

    def blamed(self, ask: Callable[[], ResultT]) -> ResultT:
        """Ask, and name this version in what goes wrong: only a candidate's fault is a breach.

        Raises:
            ModelFault: It could not, by name.
        """
        try:
            return ask()
        except ModelFault as fault:
            what = f"{self._called} {self.build.version.uri}: {fault.what}"
            breach = fault.breach and self.build.role == "candidate" and self._host is None
            raise ModelFault(fault.kind, what, breach=breach, log=fault.log) from None

    def timed(self, columns: Columns) -> float:
        """Seconds that one prediction takes, in a worker that no other check has asked.

        What other checks asked of one arm only would leave its caches warm, and its memory full.

        Args:
            columns: As for `scores`.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self.blamed(lambda: self._fresh().timed(columns))

    def peak_memory(self) -> int | None:
        """Most resident memory, bytes, of the worker that `timed` asks; None if it cannot tell.

        Raises:
            ModelFault: It could not answer, by name; a champion's fault is never a breach.
        """
        return self.blamed(lambda: self._fresh().peak_memory())

    def contributions(self, columns: Columns) -> Contributions | NoContributions:
        """What each feature added to the score of each row of a frame, or why that is not known."""
        key = _frame_digest(columns)
        if key not in self._explained:
            self._explained[key] = self._explain(columns)
        return self._explained[key]

    def splits(self) -> Splits | NoSplits:
        """What its trees split on, told from its files, loading none of them; it never raises."""
        try:
            model = read_mlmodel(self.build.model_dir)
        except GatesError as problem:
            return NoSplits(problem.what)
        return read_splits(self.build.model_dir, model.data, model.input_columns)

    def lock_report(self, questions: LockQuestions) -> LockReport:
        """What verifying its lock gave, against all it must agree with.

        Args:
            questions: What to ask beyond what can be told offline.

        Raises:
            LockError: The artifact has no lock.
            BuildError: Its environment could not be built.
        """
        return self.build.lock_report(questions)

    def scan(self) -> ScanReport:
        """What a look at its files gave, before anything loaded them; it never raises."""
        return self.build.scan()

    def close(self) -> None:
        """Stop the workers that run."""
        for worker in (self._worker, self._timed):
            if worker is not None:
                worker.close()

    def _ready(self) -> Worker:
        self.start()
        assert self._worker is not None  # noqa: S101 - start() made it
        self._worker.ready()
        return self._worker

    def _fresh(self) -> Worker:
        if self._timed is None:
            self._timed = self._started()
        return self._timed

    def _explain(self, columns: Columns) -> Contributions | NoContributions:
        try:
            worker = self._ready()
        except GatesError as problem:
            return NoContributions(problem.what)
        ran_in = worker.ready()
        try:
            answer = worker.contributions(columns)
            if isinstance(answer, NoContributions):
                return answer
            return as_contributions(answer, rows_of(columns), columns)
        except GatesError as problem:
            # Nobody is required to explain: the checks to come find a worker that is well.
            worker.close()
            self._worker, self._ran_in = None, ran_in
            return NoContributions(problem.what)


def _frame_digest(columns: Columns) -> str:
    digest = hashlib.sha256()
    for name, values in columns.items():
        digest.update(repr((name, len(values))).encode())
        if isinstance(values, np.ndarray) and values.dtype != object:
            digest.update(np.ascontiguousarray(values).tobytes())
        else:
            digest.update("\x1f".join(map(repr, values)).encode())
    return digest.hexdigest()
