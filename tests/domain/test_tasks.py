"""A task beside its name."""

from __future__ import annotations

import pytest

from gates.domain.tasks import TASKS


@pytest.mark.parametrize("name", TASKS)
def test_a_task_equals_its_name_as_a_manifest_writes_it(name: str) -> None:
    assert TASKS[name] == name
    assert {name: 1}[TASKS[name]] == 1  # type: ignore[index]  # a task stands where its name may


def test_tasks_differ_from_each_other_and_from_other_words() -> None:
    assert len(set(TASKS.values())) == len(TASKS)
    assert TASKS["ranking"] != "rankings"
    assert TASKS["ranking"] != 1
