"""ddmin: what it gives differs, cannot lose an atom, and is found with few tests."""

from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from gates.locks.ddmin import Shows, ddmin

Part = tuple[int, ...]
sizes = st.integers(1, 14)


class Counted:
    """A test function of a part that remembers what it was asked."""

    def __init__(self, outcomes: dict[Part, Shows]) -> None:
        self.outcomes = outcomes
        self.asked: list[Part] = []

    def __call__(self, part: Part) -> Shows:
        self.asked.append(part)
        return self.outcomes[part]


class Random(Counted):
    """Any outcome for any part, decided when it is first asked for."""

    def __init__(self, source: random.Random, whole: Part) -> None:
        super().__init__({(): "same", whole: "differs"})
        self.random = source

    def __call__(self, part: Part) -> Shows:
        drawn: Shows = self.random.choice(["differs", "same", "unresolved"])
        self.outcomes.setdefault(part, drawn)
        return super().__call__(part)


def is_one_minimal(test: Counted, found: Part) -> bool:
    shown = test.outcomes[found] == "differs"
    return shown and all(
        test.outcomes[tuple(a for a in found if a != gone)] != "differs" for gone in found
    )


@given(sizes, st.randoms(use_true_random=True))
def test_whatever_the_outcomes_the_result_differs_and_cannot_lose_one_atom(
    size: int, source: random.Random
) -> None:
    whole = tuple(range(size))
    test = Random(source, whole)
    assert is_one_minimal(test, ddmin(whole, test))


@given(sizes, st.randoms(use_true_random=True))
def test_nothing_is_tested_twice_and_neither_everything_nor_nothing(
    size: int, source: random.Random
) -> None:
    whole = tuple(range(size))
    test = Random(source, whole)
    ddmin(whole, test)
    assert len(set(test.asked)) == len(test.asked) <= size**2 + 3 * size
    assert not {(), whole} & set(test.asked)


@given(sizes, st.data())
def test_of_monotone_outcomes_the_result_is_one_of_the_causes(
    size: int, data: st.DataObject
) -> None:
    whole = tuple(range(size))
    parts = st.sets(st.sampled_from(whole), min_size=1)
    causes = [frozenset(one) for one in data.draw(st.lists(parts, min_size=1, max_size=3))]

    def test(part: Part) -> Shows:
        return "differs" if any(cause <= set(part) for cause in causes) else "same"

    assert frozenset(ddmin(whole, test)) in causes


@given(st.integers(1, 300), st.data())
def test_a_single_culprit_costs_a_logarithm_of_tests(size: int, data: st.DataObject) -> None:
    culprit = data.draw(st.integers(0, size - 1))
    asked: list[Part] = []

    def test(part: Part) -> Shows:
        asked.append(part)
        return "differs" if culprit in part else "same"

    assert ddmin(tuple(range(size)), test) == (culprit,)
    assert len(asked) <= 2 * math.ceil(math.log2(size)) if size > 1 else not asked


@given(st.integers(2, 40), st.data())
def test_parts_that_cannot_be_tested_hide_no_culprit_that_can_stand_alone(
    size: int, data: st.DataObject
) -> None:
    whole = tuple(range(size))
    culprit = data.draw(st.sampled_from(whole))
    untestable = data.draw(st.sets(st.sampled_from([2, 3, 4, 5, 6, 7])))

    def test(part: Part) -> Shows:
        if len(part) in untestable:
            return "unresolved"
        return "differs" if culprit in part else "same"

    assert culprit in ddmin(whole, test)
