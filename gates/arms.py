"""One arm of a run: a version in its own environment, asked once for each frame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gates.builds import Build, limits_of
from gates.dependencies import LockReport
from gates.domain import EnvironmentFacts, ModelVersion, Role
from gates.environments.cache import EnvironmentCache
from gates.environments.mlmodel import read_mlmodel
from gates.environments.outputs import as_contributions, as_labels, as_scores, as_vectors
from gates.environments.process import Worker
from gates.errors import GatesError, ModelFault
from gates.findings import ScanReport
from gates.kept import hold
from gates.kernels.packed import Floats
from gates.subject import Columns, Contributions, LockQuestions, NoContributions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gates.card import EnvironmentPolicy

__all__ = ["VersionArm", "WorkerApart"]

Answer = Mapping[str, "NDArray[Any] | list[Any]"]
AnswerT = TypeVar("AnswerT")


class VersionArm:
    """One version, its environment, and its worker, started when first needed.

    Args:
        role: Candidate or champion.
        version: Which version.
        model_dir: Its verified snapshot.
        cache: Where environments are kept.
        policy: The card's word on environments.
        project: The folder that paths in the card start from.
        repository_lock: The lock of this model in the repository, when there may be one.
        progress: Told, in words, what takes long.
        host: The version in whose environment it runs; None for its own.

    Attributes:
        build: Its files, lock and environment.
    """

    def __init__(
        self,
        role: Role,
        version: ModelVersion,
        model_dir: Path,
        *,
        cache: EnvironmentCache,
        policy: EnvironmentPolicy,
        project: Path,
        repository_lock: Path | None,
        progress: Callable[[str], None],
        host: VersionArm | None = None,
    ) -> None:
        self._role: Role = role
        self._host = host
        self._called = f"{role} under the {host.role}'s lock" if host else role
        self._version = version
        self._model_dir = model_dir
        self._policy = policy
        self._progress = progress
        self.build = Build(
            role,
            version,
            model_dir,
            cache=cache,
            policy=policy,
            project=project,
            repository_lock=repository_lock,
            progress=progress,
        )
        self._worker: Worker | None = None
        self._timed: Worker | None = None
        self._answers: dict[str, Answer] = {}
        self._explained: dict[str, Contributions | NoContributions] = {}
        self._ran_in: EnvironmentFacts | None = None
        hold(model_dir, self)

    def __repr__(self) -> str:
        return f"<{self._called} {self._version.uri}>"

    @property
    def role(self) -> Role:
        """Candidate or champion."""
        return self._role

    @property
    def version(self) -> ModelVersion:
        """Which version this is."""
        return self._version

    @property
    def inputs(self) -> tuple[str, ...] | None:
        """The input columns its signature names, in order; None when it names none.

        Raises:
            PackageError: Its MLmodel file cannot be read.
        """
        return read_mlmodel(self._model_dir).input_columns

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
        self.build.refuse()
        environment = (self._host or self).build.environment()
        self._progress(f"starting the {self._called}, version {self._version.version}")
        return Worker.start(environment, self._model_dir, limits_of(self._policy), self._called)

    def environment(self) -> EnvironmentFacts:
        """What it ran in: known in full once the worker is ready."""
        return self._ready().ready()

    def scores(self, columns: Columns) -> Floats:
        """Score each row of a frame: float64[rows], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self._blame(lambda: as_scores(self._ask(columns), _rows(columns)))

    def scores_again(self, columns: Columns) -> Floats:
        """Score each row once more, in a process of its own that ends afterwards.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        with self.apart() as fresh:
            return fresh.scores(columns)

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row of a frame, with each label's score: float64[rows], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self._blame(lambda: self.as_labels(self._ask(columns), _rows(columns)))

    def as_labels(self, answer: Answer, rows: int) -> tuple[tuple[str, ...], Floats]:
        """What a worker of this version answered, as labels and scores.

        Args:
            answer: What it answered.
            rows: How many rows it was given.

        Raises:
            ModelFault: It breaks the contract, by name.
        """
        return as_labels(answer, rows, alone=self._policy.labels_only)

    def labels_again(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row once more, in a process of its own that ends afterwards.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        with self.apart() as fresh:
            return fresh.labels(columns)

    @contextmanager
    def apart(self) -> Iterator[WorkerApart]:
        """A fresh process of this version, which ends with the context; the arm's own stays well.

        Raises:
            BuildError: Its environment could not be built.
            LockError: The artifact has no lock.
            ModelFault: It could not be loaded, by name; a champion's fault is never a breach.
        """
        with self._blame(self._started) as worker:
            self._blame(worker.ready)
            yield WorkerApart(self, worker)

    def timed(self, columns: Columns) -> float:
        """Seconds that one prediction takes, in a worker that no other check has asked.

        What other checks asked of one arm only would leave its caches warm, and its memory full.

        Args:
            columns: As for `scores`.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self._blame(lambda: self._fresh().timed(columns))

    def peak_memory(self) -> int | None:
        """Most resident memory, bytes, of the worker that `timed` asks; None if it cannot tell.

        Raises:
            ModelFault: It could not answer, by name; a champion's fault is never a breach.
        """
        return self._blame(lambda: self._fresh().peak_memory())

    def vectors(self, columns: Columns) -> Floats:
        """A vector for each row of a frame: float64[rows, dimensions], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self._blame(lambda: as_vectors(self._ask(columns), _rows(columns)))

    def vectors_again(self, columns: Columns) -> Floats:
        """A vector for each row once more, in a process of its own that ends afterwards.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        with self.apart() as fresh:
            return fresh.vectors(columns)

    def contributions(self, columns: Columns) -> Contributions | NoContributions:
        """What each feature added to the score of each row of a frame, or why that is not known."""
        key = _frame_digest(columns)
        if key not in self._explained:
            self._explained[key] = self._explain(columns)
        return self._explained[key]

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

    def _ask(self, columns: Columns) -> Answer:
        key = _frame_digest(columns)
        if key not in self._answers:
            self._answers[key] = self._ready().predict(columns)
        return self._answers[key]

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
            return as_contributions(answer, _rows(columns), columns)
        except GatesError as problem:
            # Nobody is required to explain: the checks to come find a worker that is well.
            worker.close()
            self._worker, self._ran_in = None, ran_in
            return NoContributions(problem.what)

    def _blame(self, ask: Callable[[], AnswerT]) -> AnswerT:
        try:
            return ask()
        except ModelFault as fault:
            what = f"{self._called} {self._version.uri}: {fault.what}"
            breach = fault.breach and self._role == "candidate" and self._host is None
            raise ModelFault(fault.kind, what, breach=breach, log=fault.log) from None


@dataclass(frozen=True, slots=True)
class WorkerApart:
    """A worker beside an arm's own, asked anew each time.

    Attributes:
        arm: Whose version it runs.
        worker: The process, ready.
    """

    arm: VersionArm
    worker: Worker

    def scores(self, columns: Columns) -> Floats:
        """Score each row of a frame: float64[rows], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self.arm._blame(  # noqa: SLF001 - a part of its arm
            lambda: as_scores(self.worker.predict(columns), _rows(columns))
        )

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row of a frame, with each label's score: float64[rows], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self.arm._blame(  # noqa: SLF001 - a part of its arm
            lambda: self.arm.as_labels(self.worker.predict(columns), _rows(columns))
        )

    def vectors(self, columns: Columns) -> Floats:
        """A vector for each row of a frame: float64[rows, dimensions], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self.arm._blame(  # noqa: SLF001 - a part of its arm
            lambda: as_vectors(self.worker.predict(columns), _rows(columns))
        )


def _rows(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 0


def _frame_digest(columns: Columns) -> str:
    digest = hashlib.sha256()
    for name, values in columns.items():
        digest.update(repr((name, len(values))).encode())
        if isinstance(values, np.ndarray) and values.dtype != object:
            digest.update(np.ascontiguousarray(values).tobytes())
        else:
            digest.update("\x1f".join(map(repr, values)).encode())
    return digest.hexdigest()
