"""`ranking`: a query's candidate documents, each with its features → a score for each."""

from __future__ import annotations

from gates.domain.tasks.task import AnswerForm, Task

__all__ = ["RANKING"]

RANKING = Task(
    name="ranking",
    answers=AnswerForm.SCORES,
    expectations=("must-be-first", "in-top", "never-in-top"),
)
