"""The bench: the same model binary, run under one lock after another, each time afresh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gates.bisection.answers import Answers
from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.outputs import as_labels, as_scores
from gates.environments.process import Limits, Worker
from gates.errors import BuildError, ModelFault, UsageError
from gates.subject import GoldenSet

__all__ = ["Bench", "Failure", "Run"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there are no answers.

    Attributes:
        kind: The fault of the worker by name, or `not-built`.
        words: What happened, as a sentence without a full stop.
    """

    kind: str
    words: str

    def like(self, other: Failure) -> bool:
        """Whether it is the same failure: one kind, and one type of exception where one is told."""
        return (self.kind, _exception(self)) == (other.kind, _exception(other))


Run = Answers | Failure

_NO_LONGER = {"load-failed": "loads", "predict-failed": "predicts"}


class Bench:
    """A model and what it is asked.

    Args:
        model_dir: The MLflow model folder.
        golden: What it is asked.
        cache: Where environments are kept.
        limits: What a worker may use.
        python: The Python version of the environments; None for the gate's own.
        progress: Told, in words, what takes long.
    """

    def __init__(
        self,
        model_dir: Path,
        golden: GoldenSet,
        *,
        cache: EnvironmentCache,
        limits: Limits,
        python: str | None,
        progress: Callable[[str], None],
    ) -> None:
        self._model_dir = model_dir
        self._golden = golden
        self._cache = cache
        self._limits = limits
        self._python = python
        self._progress = progress
        self._built: list[str] = []

    @property
    def built(self) -> int:
        """How many environments had to be built."""
        return len(self._built)

    def environment(self, lock: Path) -> Environment:
        """The environment of a lock.

        Raises:
            BuildError: It could not be built.
        """
        found = self._cache.ensure(lock, python=self._python, progress=self._progress)
        if not found.facts.cached:
            self._built.append(found.facts.key)
        return found

    def run(self, lock: Path) -> Run:
        """The model's answers under a lock, from a process that ends afterwards.

        Raises:
            UsageError: The golden set lacks what the model asks for.
        """
        try:
            environment = self.environment(lock)
        except BuildError as problem:
            return Failure("not-built", problem.what)
        return self._answers(environment)

    def run_all(self, locks: Sequence[Path]) -> list[Run]:
        """As `run`, two at a time."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(self.run, locks))

    def _answers(self, environment: Environment) -> Run:
        columns = self._golden.inputs()
        rows = len(next(iter(columns.values())))
        try:
            with Worker.start(environment, self._model_dir, self._limits, "candidate") as worker:
                answer = worker.predict(columns)
            if self._golden.manifest.task == "classification":
                labels, scores = as_labels(answer, rows)
                return Answers(scores, labels)
            return Answers(as_scores(answer, rows))
        except ModelFault as fault:
            if fault.kind == "missing-input":
                raise UsageError(
                    f"the golden set {self._golden.path} is not this model's: {fault.what}",
                    advice="name the golden set that was made for it: --golden DIR",
                ) from None
            return _failure(fault)


def _failure(fault: ModelFault) -> Failure:
    what = fault.what.removeprefix("the candidate ").removeprefix("the model ")
    if fault.kind in _NO_LONGER:
        return Failure(fault.kind, f"the model no longer {_NO_LONGER[fault.kind]}: {_reason(what)}")
    return Failure(fault.kind, f"the model {what}")


def _reason(what: str) -> str:
    """What follows `failed while …: `."""
    return what.partition(": ")[2] or what


def _exception(failure: Failure) -> str:
    return _reason(failure.words).partition(":")[0] if failure.kind in _NO_LONGER else ""
