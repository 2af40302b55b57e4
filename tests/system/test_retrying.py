"""What is tried again waits longer each time, and neither after the last try nor when stopped."""

from __future__ import annotations

import threading

from gates.system.retrying import Backoff


def test_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    waited: list[float] = []
    numbers = [one.number for one in Backoff(2.0, 6, longest=10.0).attempts(waited.append)]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert waited == [2.0, 4.0, 8.0, 10.0, 10.0]


def test_one_try_has_no_pause() -> None:
    waited: list[float] = []
    assert [one.is_last for one in Backoff(2.0, 1).attempts(waited.append)] == [True]
    assert waited == []


def test_who_succeeds_leaves() -> None:
    waited: list[float] = []
    for attempt in Backoff(1.0, 5).attempts(waited.append):
        if attempt.number == 3:
            break
    assert waited == [1.0, 2.0]


def test_another_time_may_be_told() -> None:
    waited: list[float] = []
    for attempt in Backoff(1.0, 3).attempts(waited.append):
        if attempt.number == 1:
            attempt.pause = 42.0
    assert waited == [42.0, 2.0]


def test_it_ends_when_nobody_wants_another_try() -> None:
    stopping = threading.Event()
    stopping.set()
    assert [one.number for one in Backoff(60.0, 5).attempts(stopping.wait)] == [1]


def test_a_pause_after_very_many_failures_is_still_a_number() -> None:
    assert Backoff(10.0, 8, longest=1_800.0).pause(10_000) == 1_800.0
