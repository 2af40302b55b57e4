"""What each task says of the card, the golden set and the first test that are made for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from gates.domain.judging import ModelVersion
from gates.domain.tasks import Task
from gates.scaffold.model import ModelFacts

__all__ = ["GoldenDraft", "TaskScaffold"]


@dataclass(frozen=True, slots=True)
class GoldenDraft:
    """A first golden set.

    Attributes:
        files: File name → text.
        source: Where its rows come from, in words.
        judged: Whether people said what is right.
        missing: What the gate will ask for and could not be had, in words.
        notes: What a reader should know.
        records: Whether the version's answers are to stand in for what people expect.
    """

    files: Mapping[str, str]
    source: str
    judged: bool
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()
    records: bool = False


class TaskScaffold(ABC):
    """The parts of a scaffold that differ by task.

    Attributes:
        introduction: What its models do, as a sentence.
        own_test: The body of a first test, which every version passes that works at all.
    """

    task: ClassVar[Task]
    introduction: ClassVar[str]
    own_test: ClassVar[str]

    @abstractmethod
    def checks(self, *, judged: bool) -> str:
        """The checks of the card that look at answers, as YAML, with cautious bounds.

        Args:
            judged: Whether people said what is right.
        """

    def environment(self, model: ModelFacts) -> tuple[str, ...]:  # noqa: ARG002 - of most, nothing
        """Further lines of the card's `environment`."""
        return ()

    @abstractmethod
    def golden(self, version: ModelVersion, model: ModelFacts, file: Path | None) -> GoldenDraft:
        """A first golden set.

        Args:
            version: The version it is made for.
            model: What its files say.
            file: The texts, or the candidates, that a person named.

        Raises:
            GoldenError: The file cannot be used.
        """
