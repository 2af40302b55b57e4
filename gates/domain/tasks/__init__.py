"""The tasks: what each kind of model is asked, and in which form it answers; one file a task.

A new task is one file here, its line in `TASKS`, and one file in `gates.scaffold.tasks`. Cards,
golden sets, checks, reports and the command line ask the `Task` and know none by name.

    task.py       what a task is
    written.py    its name in a card or a manifest
"""

from __future__ import annotations

from gates.domain.tasks.classification import CLASSIFICATION
from gates.domain.tasks.embedding import EMBEDDING
from gates.domain.tasks.ranking import RANKING
from gates.domain.tasks.task import AnswerForm, ExpectationKind, Task

__all__ = ["TASKS", "AnswerForm", "ExpectationKind", "Task"]

TASKS: dict[str, Task] = {one.name: one for one in (CLASSIFICATION, RANKING, EMBEDDING)}
"""Name, as cards and golden sets write it → the task."""
