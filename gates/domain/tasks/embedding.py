"""`embedding`: a text → a vector, whose neighbours mean the same."""

from __future__ import annotations

from gates.domain.tasks.task import AnswerForm, Task

__all__ = ["EMBEDDING"]

EMBEDDING = Task(
    name="embedding",
    article="an",
    answers=AnswerForm.VECTORS,
    text_columns=("text", "query"),
    expectations=("closer",),
    item="text",
    items="texts",
)
