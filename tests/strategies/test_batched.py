"""Single queries for the test, one call for the worker."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.errors import ModelFault
from gates.strategies import batched, feature_nulls, repeatable, typos, unseen_words
from tests.checks.subjects import FakeArm, golden_set

GOLDEN = golden_set(task="classification", texts=[f"storage box number {at}" for at in range(40)])
RANKING = golden_set(
    lists=[{f"d{at}": 1.0 for at in range(30)}] * 2,
    features={"bm25": list(range(60)), "rating": [4.0] * 60},
)


def test_a_test_of_200_examples_costs_a_handful_of_calls() -> None:
    arm = FakeArm(label=lambda text: (text[:1], 1.0))
    examples = 0

    @settings(repeatable, max_examples=200)
    @given(typos(GOLDEN), unseen_words(GOLDEN))
    def own_test(typo: Any, word: Any) -> None:
        nonlocal examples
        examples += 1
        ask = batched(arm)
        assert ask.label(typo)[0] == ask.label(typo.before)[0] == "s"
        ask.label(word)

    own_test()
    assert examples == 200
    assert arm.calls == 2


def test_rows_are_scored_all_at_once_missing_values_included() -> None:
    arm = FakeArm(score=lambda columns: np.nan_to_num(columns["rating"]) + columns["bm25"])

    @settings(repeatable, max_examples=200)
    @given(st.data())
    def own_test(data: st.DataObject) -> None:
        one = data.draw(feature_nulls(RANKING, features=["rating"]))
        ask = batched(arm)
        lost = 4.0 if one.change else 0.0
        assert ask.score(one.before) - ask.score(one) == lost

    own_test()
    assert arm.calls <= 2


def test_what_is_in_no_family_is_asked_by_itself_once() -> None:
    arm = FakeArm(label=lambda text: (text.upper(), 0.5))
    assert batched(arm).label("a mug") == ("A MUG", 0.5)
    assert batched(arm).label("a mug") == ("A MUG", 0.5)
    assert arm.calls == 1


def test_a_fault_is_pinned_on_the_query_that_is_to_blame() -> None:
    def label(text: str) -> tuple[str, float]:
        if text == "storge box number 0":
            raise ModelFault("predict-failed", "no such word", breach=True)
        return "storage", 1.0

    @repeatable
    @given(typos(GOLDEN))
    def own_test(one: Any) -> None:
        assert batched(arm).label(one)[0] == "storage"

    arm = FakeArm(label=label)
    with pytest.raises(ModelFault) as caught:
        own_test()
    assert "storge box number 0" in "".join(caught.value.__notes__)


def test_two_arms_do_not_share_answers_and_an_arm_that_is_gone_leaves_none() -> None:
    from gates.strategies.batched import _MEMOS

    gc.collect()
    one, other = FakeArm(label=lambda _: ("a", 1.0)), FakeArm(label=lambda _: ("b", 1.0))
    assert batched(one).label("x") != batched(other).label("x")
    held = len(_MEMOS)
    del one, other
    gc.collect()
    assert len(_MEMOS) == held - 2
