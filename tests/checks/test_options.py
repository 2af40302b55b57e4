"""Options reach a check as its own type: a name that its model lacks is found before anything runs.

Each `type: ignore` here is an assertion as well: mypy fails on one that nothing needs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from gates.card.card import CheckSpec
from gates.checks import Check, Found, find
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, Subject
from gates.domain.tasks import AnswerForm
from tests.checks.subjects import FakeArm, FakeSubject, golden_set


class _Options(BaseModel):
    rows: int = 3


class _Others(BaseModel):
    columns: int = 2


def _measure(_: Subject, plan: CheckPlan[_Options]) -> Iterator[Found]:
    yield Measurement("rows", float(plan.options.rows), 1, "rows")


def _misspelt(_: Subject, plan: CheckPlan[_Options]) -> Iterator[Found]:
    rows = plan.options.row  # type: ignore[attr-defined]  # what this test is about
    yield Measurement("rows", float(rows), 1, "rows")


SPEC = CheckSpec("toy", "a toy", AnswerForm.SCORES, (), _Options)


def subject() -> FakeSubject:
    return FakeSubject(golden_set(lists=[{"x": 1.0}]), FakeArm(), None)


def test_a_check_is_given_its_own_options() -> None:
    plan: CheckPlan[BaseModel] = CheckPlan(("rows",), (), _Options(rows=5))
    (found,) = Check(SPEC, _measure).measure(subject(), plan)
    assert isinstance(found, Measurement)
    assert found.value == 5


def test_an_option_that_a_check_does_not_have_is_a_type_error() -> None:
    with pytest.raises(AttributeError):
        list(Check(SPEC, _misspelt).measure(subject(), CheckPlan((), (), _Options())))


def test_a_function_for_the_options_of_another_check_is_a_type_error() -> None:
    others = CheckSpec("other", "another", AnswerForm.SCORES, (), _Others)
    wrong: Check[_Others] = Check(others, _measure)  # type: ignore[arg-type]  # as above
    assert wrong.spec.options is _Others


@pytest.mark.parametrize("name", ["latency", "features", "behaviour"])
def test_a_plan_that_was_made_for_another_check_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"'{name}' cannot be asked with _Others"):
        find(name).measure(subject(), CheckPlan((), (), _Others()))
