"""One arm of a run: a version in its own environment, asked once for each frame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gates.dependencies import LockReport
from gates.domain import EnvironmentFacts, ModelVersion, Role
from gates.environments.cache import EnvironmentCache
from gates.environments.images import ImageCache
from gates.environments.inspect import distributions
from gates.environments.launching import Launchable
from gates.environments.mlmodel import read_mlmodel
from gates.environments.outputs import as_contributions, as_labels, as_scores
from gates.environments.process import Limits, Worker
from gates.errors import GatesError, LockError, ModelFault
from gates.kernels.packed import Floats
from gates.locks.lock import read_lock
from gates.locks.markers import target_environment
from gates.locks.verify import verify
from gates.subject import Columns, Contributions, NoContributions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gates.card import EnvironmentPolicy

__all__ = ["VersionArm"]

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
        repository_lock: The lock of this model in the repository, when there may be one.
        progress: Told, in words, what takes long.
    """

    def __init__(
        self,
        role: Role,
        version: ModelVersion,
        model_dir: Path,
        *,
        cache: EnvironmentCache,
        policy: EnvironmentPolicy,
        repository_lock: Path | None,
        progress: Callable[[str], None],
    ) -> None:
        self._role: Role = role
        self._version = version
        self._model_dir = model_dir
        self._cache = cache
        self._policy = policy
        self._repository_lock = repository_lock
        self._progress = progress
        self._worker: Worker | None = None
        self._environment: Launchable | GatesError | None = None
        self._answers: dict[str, Answer] = {}
        self._explained: dict[str, Contributions | NoContributions] = {}
        self._ran_in: EnvironmentFacts | None = None

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

    @property
    def lock_path(self) -> Path:
        """The lock in the artifact.

        Raises:
            LockError: The artifact has none.
        """
        path = self._model_dir / "gates" / "requirements.txt"
        if not path.is_file():
            raise LockError(
                f"the {self._role} {self._version.uri} carries no lock",
                path=path,
                advice="package it with `gates package`, which puts the lock into the artifact",
            )
        return path

    def _built(self) -> Launchable:
        """The environment; a build that failed once is not tried again by every check."""
        if self._environment is None:
            try:
                self._environment = self._found_or_built()
            except GatesError as problem:
                self._environment = problem
        if isinstance(self._environment, GatesError):
            raise self._environment
        return self._environment

    def _found_or_built(self) -> Launchable:
        python = self._policy.python or self._version.tags.get("gates.python") or None
        if self._policy.image is None:
            return self._cache.ensure(self.lock_path, python=python, progress=self._progress)
        images = ImageCache(self._cache.root)
        return images.ensure(
            self.lock_path, image=self._policy.image, python=python, progress=self._progress
        )

    def facts(self) -> EnvironmentFacts | None:
        """What it ran in, as far as it came: None when it has no environment."""
        if self._worker is not None:
            try:
                return self._worker.ready()
            except ModelFault:
                pass
        if self._ran_in is not None:
            return self._ran_in
        if self._environment is None or isinstance(self._environment, GatesError):
            return None
        return self._environment.facts

    def start(self) -> None:
        """Start the worker without waiting for it.

        Raises:
            BuildError: Its environment could not be built.
            LockError: The artifact has no lock.
        """
        if self._worker is None:
            self._worker = self._started()

    def _started(self) -> Worker:
        limits = Limits(
            memory_mb=self._policy.memory_mb,
            start_seconds=self._policy.start_seconds,
            predict_seconds=self._policy.predict_seconds,
        )
        environment = self._built()
        self._progress(f"starting the {self._role}, version {self._version.version}")
        return Worker.start(environment, self._model_dir, limits, self._role)

    def environment(self) -> EnvironmentFacts:
        """What it ran in: known in full once the worker is ready."""
        return self._ready().ready()

    def scores(self, columns: Columns) -> Floats:
        """Score each row of a frame: float64[rows], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        rows = _rows(columns)
        return self._blame(lambda: as_scores(self._ask(columns), rows))

    def scores_again(self, columns: Columns) -> Floats:
        """Score each row once more, in a process of its own that ends afterwards.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """

        def ask() -> Floats:
            with self._started() as worker:
                return as_scores(worker.predict(columns), _rows(columns))

        return self._blame(ask)

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row of a frame, with each label's score: float64[rows], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        rows = _rows(columns)
        return self._blame(lambda: as_labels(self._ask(columns), rows))

    def contributions(self, columns: Columns) -> Contributions | NoContributions:
        """What each feature added to the score of each row of a frame, or why that is not known."""
        key = _frame_digest(columns)
        if key not in self._explained:
            self._explained[key] = self._explain(columns)
        return self._explained[key]

    def lock_report(self) -> LockReport:
        """What verifying its lock gave, against all it must agree with.

        Raises:
            LockError: The artifact has no lock.
            BuildError: Its environment could not be built.
        """
        lock = read_lock(self.lock_path)
        inputs = self.lock_path.with_name("requirements.in")
        unbuildable = [one for one in lock.problems if one.kind in {"unpinned", "unhashed"}]
        environment = None if unbuildable else self._built()
        return verify(
            lock,
            inputs=inputs if inputs.is_file() else None,
            installed=distributions(environment.path) if environment else None,
            repository=self._repository_lock,
            environment=target_environment(environment.facts.python) if environment else None,
        )

    def close(self) -> None:
        """Stop the worker, if one runs."""
        if self._worker is not None:
            self._worker.close()

    def _ready(self) -> Worker:
        self.start()
        assert self._worker is not None  # noqa: S101 - start() made it
        self._worker.ready()
        return self._worker

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
            what = f"{self._role} {self._version.uri}: {fault.what}"
            breach = fault.breach and self._role == "candidate"
            raise ModelFault(fault.kind, what, breach=breach, log=fault.log) from None


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
