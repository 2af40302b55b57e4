"""The bench: the same model binary, run under one lock after another, each time afresh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates.card.policy import EnvironmentPolicy
from gates.comparison.answers import Answers, ask
from gates.domain.golden_set import GoldenSet
from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.errors import BuildError, ModelFault, UsageError
from gates.locks.lock import read_installable
from gates.run.predictions import WorkerPredictor
from gates.system.interruption import in_threads

__all__ = ["Bench", "Failure", "Run"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there are no answers.

    Attributes:
        kind: The fault of the worker by name, or `not-built`.
        reason: What happened: an exception where it did not load or predict, else a predicate.
    """

    kind: str
    reason: str

    @property
    def words(self) -> str:
        """What happened, as a sentence without a full stop."""
        verb = _VERBS.get(self.kind)
        return f"the model does not {verb}: {self.reason}" if verb else f"the model {self.reason}"

    @property
    def no_longer(self) -> str:
        """The same of a model that once ran."""
        verb = _VERBS.get(self.kind)
        return f"the model no longer {verb}s: {self.reason}" if verb else self.words

    def like(self, other: Failure) -> bool:
        """Whether it is the same failure: one kind, and one type of exception where one is told."""
        return (self.kind, self._exception) == (other.kind, other._exception)

    @property
    def _exception(self) -> str:
        return self.reason.partition(":")[0] if self.kind in _VERBS else ""


Run = Answers | Failure

_VERBS = {"load-failed": "load", "predict-failed": "predict"}


class Bench:
    """A model and what it is asked.

    Args:
        model_dir: The MLflow model folder.
        golden: What it is asked.
        cache: Where environments are kept.
        limits: What a worker may use.
        python: The Python version of the environments; None for the gate's own.
        policy: What a card says of the model's answers.
    """

    def __init__(
        self,
        model_dir: Path,
        golden: GoldenSet,
        *,
        cache: EnvironmentCache,
        limits: Limits,
        python: str | None,
        policy: EnvironmentPolicy,
    ) -> None:
        self._model_dir = model_dir
        self._golden = golden
        self._cache = cache
        self._limits = limits
        self._python = python
        self._policy = policy
        self._built: list[str] = []

    @property
    def built(self) -> int:
        """How many environments had to be built."""
        return len(self._built)

    def environment(
        self, lock: Path, progress: Callable[[str], None] = lambda _: None
    ) -> Environment:
        """The environment of a lock.

        Args:
            progress: Told, a line at a time, what takes long.

        Raises:
            BuildError: It could not be built.
            LockError: It has a problem.
        """
        found = self._cache.ensure(read_installable(lock), python=self._python, progress=progress)
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
            return Failure("not-built", f"was not run: {problem.what}")
        return self._answers(environment)

    def run_all(self, locks: Sequence[Path]) -> list[Run]:
        """As `run`, two at a time."""
        return in_threads(self.run, locks)

    def _answers(self, environment: Environment) -> Run:
        form, columns = self._golden.manifest.task.answers, self._golden.inputs()
        try:
            with Worker.start(environment, self._model_dir, self._limits, "candidate") as worker:
                return ask(WorkerPredictor(worker, policy=self._policy), form, columns)
        except ModelFault as fault:
            if fault.kind == "missing-input":
                raise UsageError(
                    f"the golden set {self._golden.path} is not this model's: {fault.what}",
                    advice="name the golden set that was made for it: --golden DIR",
                ) from None
            return _failure(fault)


def _failure(fault: ModelFault) -> Failure:
    what = fault.what.removeprefix("the candidate ").removeprefix("the model ")
    if fault.kind in _VERBS:  # `failed while loading: …`
        return Failure(fault.kind, what.partition(": ")[2] or what)
    return Failure(fault.kind, what)
