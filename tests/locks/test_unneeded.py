"""Pins that nothing needs."""

from __future__ import annotations

import pytest

from gates.domain.lock_report import Distribution, LockReport
from gates.locks.lock import Lock
from gates.locks.markers import target_environment
from gates.locks.verify import verify

from .samples import SHA, Locked, Write, only


def lock_of(locked: Locked, *names: str) -> Lock:
    return locked("".join(f"{name}==1 {SHA}\n" for name in names))


def looked(
    lock: Lock, write: Write, asked: str, *installed: Distribution, python: str = "3.11"
) -> LockReport:
    return verify(
        lock,
        inputs=write(asked),
        installed=installed,
        repository=None,
        environment=target_environment(python),
    )


def one(name: str, *requires: str) -> Distribution:
    return Distribution(name, "1", requires)


def test_a_pin_that_nothing_reaches_is_named_with_its_line(locked: Locked, write: Write) -> None:
    lock = lock_of(locked, "miner", "six")
    problem = only(looked(lock, write, "six", one("miner"), one("six")))
    assert (problem.kind, problem.requirement, problem.line) == ("unneeded", "miner", 1)
    assert problem.message == "miner 1 is pinned, but nothing asks for it"


def test_what_is_asked_for_through_others_is_needed(locked: Locked, write: Write) -> None:
    lock = lock_of(locked, "a", "b", "c")
    report = looked(
        lock, write, "a", one("a", "B>=1"), one("b", "c ; sys_platform != 'x'"), one("c")
    )
    assert (report.problems, report.looked_at["unneeded"]) == ((), 3)


def test_distributions_that_only_need_each_other_are_not_needed(
    locked: Locked, write: Write
) -> None:
    lock = lock_of(locked, "a", "b", "six")
    report = looked(lock, write, "six", one("a", "b"), one("b", "a"), one("six"))
    assert [p.requirement for p in report.problems] == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "needs", "unneeded"),
    [
        ("a[deep]", ("b ; extra == 'deep'",), []),
        ("a[Deep.Er]", ("b ; extra == 'deep-er'",), []),
        ("a", ("b ; extra == 'deep'",), ["b"]),
        ("a[other]", ("b ; extra == 'deep'",), ["b"]),
        ("a[all]", ("a[deep] ; extra == 'all'", "b ; extra == 'deep'"), []),
        ("a", ("b ; python_version < '3.11'",), ["b"]),
        ("a", ("b (>=1)",), []),
        ("a\n-c limits.txt", (), ["b"]),
        ("a ; python_version < '3'\nb", (), ["a"]),
    ],
)
def test_extras_and_markers_are_followed_for_the_target_python(
    locked: Locked, write: Write, asked: str, needs: tuple[str, ...], unneeded: list[str]
) -> None:
    write("b==1", "limits.txt")
    report = looked(lock_of(locked, "a", "b"), write, asked, one("a", *needs), one("b"))
    assert [p.requirement for p in report.problems] == unneeded


def test_an_extra_reached_through_another_distribution_is_active(
    locked: Locked, write: Write
) -> None:
    lock = lock_of(locked, "a", "b", "c")
    report = looked(lock, write, "a", one("a", "b[x]"), one("b", "c ; extra == 'x'"), one("c"))
    assert report.problems == ()


def test_a_requirement_of_another_age_is_taken_to_be_needed(locked: Locked, write: Write) -> None:
    lock = lock_of(locked, "a", "b")
    assert looked(lock, write, "a", one("a", "b >dev-1"), one("b")).problems == ()


def test_what_a_missing_distribution_needs_is_not_guessed(locked: Locked, write: Write) -> None:
    report = looked(lock_of(locked, "a", "b"), write, "a", one("b"))
    assert [p.kind for p in report.problems] == ["environment"]
    assert report.absent["unneeded"] == ("a 1 is not installed, so what it asks for is not known")


def test_without_an_environment_nothing_can_be_told(locked: Locked, write: Write) -> None:
    report = verify(
        lock_of(locked, "miner", "six"), inputs=write("six"), installed=None, repository=None
    )
    assert report.absent["unneeded"] == "the environment was not looked at"
    assert report.problems == ()
