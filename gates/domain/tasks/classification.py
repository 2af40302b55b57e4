"""`classification`: a query's text → its label, and how sure the model is of it."""

from __future__ import annotations

from gates.domain.tasks.task import AnswerForm, Task

__all__ = ["CLASSIFICATION"]

CLASSIFICATION = Task(
    name="classification",
    answers=AnswerForm.LABELS,
    text_columns=("query",),
    expectations=("label",),
    must_expect=True,
)
