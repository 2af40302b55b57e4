"""What a version is asked for, whichever process of it answers: scores, labels, vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from gates.card.policy import UNWRITTEN, EnvironmentPolicy
from gates.domain.subject import Columns
from gates.environments.outputs import as_labels, as_scores, as_vectors
from gates.environments.process import Worker
from gates.kernels.packed import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Answer", "Predictor", "ResultT", "SeparateWorker", "WorkerPredictor", "rows_of"]

Answer = Mapping[str, "NDArray[Any] | list[Any]"]
"""Output column → values, as the model named them."""

ResultT = TypeVar("ResultT")


class Predictor(ABC):
    """A version that answers; what it answers is checked for form, and its faults bear its name."""

    @abstractmethod
    def predicted(self, columns: Columns) -> Answer:
        """What the model answers for a frame, without blame.

        Raises:
            ModelFault: It could not, by name.
        """

    @abstractmethod
    def blamed(self, ask: Callable[[], ResultT]) -> ResultT:
        """Ask, and name the version in what goes wrong.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """

    @abstractmethod
    def as_scores(self, answer: Answer, rows: int) -> Floats:
        """What a worker of the version answered, as scores.

        Args:
            answer: What it answered.
            rows: How many rows it was given.

        Raises:
            ModelFault: It breaks the contract, by name.
        """

    @abstractmethod
    def as_labels(self, answer: Answer, rows: int) -> tuple[tuple[str, ...], Floats]:
        """What a worker of the version answered, as labels and scores.

        Args:
            answer: What it answered.
            rows: How many rows it was given.

        Raises:
            ModelFault: It breaks the contract, by name.
        """

    def scores(self, columns: Columns) -> Floats:
        """Score each row of a frame: float64[rows], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self.blamed(lambda: self.as_scores(self.predicted(columns), rows_of(columns)))

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row of a frame, with each label's score: float64[rows], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self.blamed(lambda: self.as_labels(self.predicted(columns), rows_of(columns)))

    def vectors(self, columns: Columns) -> Floats:
        """A vector for each row of a frame: float64[rows, dimensions], finite.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self.blamed(lambda: as_vectors(self.predicted(columns), rows_of(columns)))


@dataclass(frozen=True)
class WorkerPredictor(Predictor):
    """A worker by itself, asked anew each time.

    Attributes:
        worker: The process.
        policy: What a card says of its answers.
    """

    worker: Worker
    policy: EnvironmentPolicy = field(default=UNWRITTEN, kw_only=True)

    def predicted(self, columns: Columns) -> Answer:
        """What the model answers for a frame; nothing is remembered.

        Raises:
            ModelFault: It could not, by name.
        """
        return self.worker.predict(columns)

    def blamed(self, ask: Callable[[], ResultT]) -> ResultT:
        """Ask; what goes wrong bears no version's name.

        Raises:
            ModelFault: It could not, by name.
        """
        return ask()

    def as_scores(self, answer: Answer, rows: int) -> Floats:
        """See `Predictor.as_scores`."""
        return as_scores(answer, rows, self.policy.answer)

    def as_labels(self, answer: Answer, rows: int) -> tuple[tuple[str, ...], Floats]:
        """See `Predictor.as_labels`."""
        return as_labels(answer, rows, self.policy.answer, alone=self.policy.labels_only)


@dataclass(frozen=True)
class SeparateWorker(WorkerPredictor):
    """A worker beside an arm's own.

    Attributes:
        arm: Whose version it runs.
    """

    arm: Predictor

    def blamed(self, ask: Callable[[], ResultT]) -> ResultT:
        """Ask, and name the arm's version in what goes wrong.

        Raises:
            ModelFault: It could not, by name; a champion's fault is never a breach.
        """
        return self.arm.blamed(ask)

    def as_scores(self, answer: Answer, rows: int) -> Floats:
        """See `Predictor.as_scores`."""
        return self.arm.as_scores(answer, rows)

    def as_labels(self, answer: Answer, rows: int) -> tuple[tuple[str, ...], Floats]:
        """See `Predictor.as_labels`."""
        return self.arm.as_labels(answer, rows)


def rows_of(columns: Columns) -> int:
    """How many rows a frame has.

    Args:
        columns: Name → values, all of one length.
    """
    return len(next(iter(columns.values()))) if columns else 0
