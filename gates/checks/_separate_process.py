"""Asking a version what may break it: in a process apart, with a fresh one after each fault."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from gates.comparison.answers import Answers, ask
from gates.domain.subject import Apart, Arm, Columns
from gates.domain.tasks import AnswerForm
from gates.errors import ModelFault

__all__ = ["SeparateProcess"]

_HANG = 8  # a hang costs all of predict_seconds, other faults a start


class SeparateProcess:
    """Asks one version in processes apart, and wears out: faults are bounded in number.

    Args:
        form: What it gives: scores or labels.
        patience: How many faults it may have before `worn`; a hang counts as eight.
    """

    def __init__(self, arm: Arm, *, form: AnswerForm, patience: int) -> None:
        self.arm = arm
        self._form = form
        self._patience = patience
        self._processes = ExitStack()
        self._process: Apart | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.close()

    @property
    def worn(self) -> bool:
        """Whether there were so many faults that no more should be looked for."""
        return self._patience <= 0

    def answers(self, columns: Columns) -> Answers:
        """What it answers.

        Raises:
            ModelFault: It could not start, or could not answer, by name.
        """
        answer = self.attempt(columns)
        if isinstance(answer, ModelFault):
            raise answer
        return answer

    def attempt(self, columns: Columns) -> Answers | ModelFault:
        """What it answers, or the fault that the input brought about.

        Raises:
            ModelFault: It could not start, which is no matter of the input.
        """
        if self._process is None:
            self._process = self._processes.enter_context(self.arm.apart())
        try:
            return ask(self._process, self._form, columns)
        except ModelFault as fault:
            self._patience -= _HANG if fault.kind == "hung" else 1
            self._process = None
            self._processes.close()
            return fault
