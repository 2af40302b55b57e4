"""What was found, in one line, whatever it is."""

from __future__ import annotations

from gates.bisection import Bisection, Difference, Failure, Trial, changed
from gates.domain.lock_report import LockChange

NUMPY = LockChange("numpy", "1.26.4", "2.0.1", "upgraded", "major")
PANDAS = LockChange("pandas", "2.2.3", "3.0.1", "upgraded", "major")
SCIPY = LockChange("scipy", "1.11.4", "1.14.0", "upgraded", "minor")
REBUILT = LockChange("six", "1.17.0", "1.17.0", "files")
MANY = tuple(LockChange(f"p{at}", "1", "2", "upgraded") for at in range(20))
LABELS = Difference(480, 52, labels=37)


def found(
    *cause: LockChange,
    roots: tuple[str, ...] = (),
    others: tuple[LockChange, ...] = MANY,
    difference: Difference | None = LABELS,
    failure: Failure | None = None,
) -> Bisection:
    names = tuple(one.name for one in cause)
    trial = Trial(names, "differs", difference, failure, 1.0)
    return Bisection(
        "breaks" if failure else "changes",
        (*cause, *others),
        cause=cause,
        roots=roots or names,
        whole=trial,
        alone=trial,
    )


def test_one_change_alone() -> None:
    assert found(NUMPY).sentence == "numpy 1.26.4 → 2.0.1 alone changes 37 of 480 labels"
    ranking = Difference(3960, 233, queries=180, orders=12)
    assert found(NUMPY, difference=ranking).sentence == (
        "numpy 1.26.4 → 2.0.1 alone changes the order of 12 of 180 queries, 233 of 3,960 scores"
    )
    assert found(REBUILT).sentence == "six 1.17.0 (other files) alone changes 37 of 480 labels"


def test_several_changes_together() -> None:
    assert found(NUMPY, SCIPY).sentence == (
        "numpy 1.26.4 → 2.0.1 and scipy 1.11.4 → 1.14.0 together change 37 of 480 labels"
    )
    assert found(NUMPY, PANDAS, SCIPY, roots=("pandas", "scipy")).sentence == (
        "pandas 2.2.3 → 3.0.1 and scipy 1.11.4 → 1.14.0, which cannot be made without numpy "
        "1.26.4 → 2.0.1, together change 37 of 480 labels"
    )


def test_everything_together() -> None:
    assert found(NUMPY, PANDAS, SCIPY, others=()).sentence == (
        "only all 3 changes together change 37 of 480 labels"
    )
    assert found(NUMPY, others=()).sentence == "numpy 1.26.4 → 2.0.1 alone changes 37 of 480 labels"


def test_a_model_that_breaks() -> None:
    failure = Failure("load-failed", "ImportError: cannot import name 'DataFrame'")
    assert found(NUMPY, PANDAS, roots=("pandas",), difference=None, failure=failure).sentence == (
        "pandas 2.2.3 → 3.0.1, which cannot be made without numpy 1.26.4 → 2.0.1: the model no "
        "longer loads: ImportError: cannot import name 'DataFrame'"
    )
    died = Failure("died", "died while loading: it was killed by SIGSEGV")
    assert found(NUMPY, difference=None, failure=died).sentence == (
        "numpy 1.26.4 → 2.0.1 alone: the model died while loading: it was killed by SIGSEGV"
    )


def test_failures_are_alike_when_kind_and_exception_are() -> None:
    one = Failure("load-failed", "ImportError: no a")
    assert one.like(Failure("load-failed", "ImportError: no b"))
    assert not one.like(Failure("load-failed", "ValueError: no a"))
    assert not one.like(Failure("predict-failed", "ImportError: no a"))
    assert Failure("hung", "had not finished loading after 1 s").like(Failure("hung", "later"))


def test_long_lists_are_cut() -> None:
    assert changed(MANY[:2]) == "p0 1 → 2 and p1 1 → 2"
    assert changed(MANY).endswith("p5 1 → 2 and 14 more")
    assert "more" not in changed(MANY[:7])


def test_advice_names_what_to_write() -> None:
    added = LockChange("numba", "", "0.60", "added")
    removed = LockChange("pytz", "2024.1", "", "removed")
    assert found(NUMPY).advice[0] == (
        "Keep it back: write numpy==1.26.4 into requirements.in, and compile the lock again."
    )
    assert found(added, removed).advice[0] == (
        "Keep it back (one of them is enough): put pytz==2024.1 back into requirements.in, or see "
        "what asks for numba and leave it out, and compile the lock again."
    )
    assert found(NUMPY, roots=("numpy",)).exit_code == 1
