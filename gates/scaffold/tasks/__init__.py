"""What `gates init` writes for each task; one file a task.

task_scaffold.py    what each of them says
"""

from __future__ import annotations

from gates.scaffold.tasks.classification import ClassificationScaffold
from gates.scaffold.tasks.embedding import EmbeddingScaffold
from gates.scaffold.tasks.ranking import RankingScaffold
from gates.scaffold.tasks.task_scaffold import GoldenDraft, TaskScaffold

__all__ = ["SCAFFOLDS", "GoldenDraft", "TaskScaffold"]

SCAFFOLDS: dict[str, TaskScaffold] = {
    one.task.name: one for one in (ClassificationScaffold(), RankingScaffold(), EmbeddingScaffold())
}
"""The task's name → what is written for it."""
