"""`score-range`: the expected label, with a score in its range, and what changed since."""

from __future__ import annotations

import pytest

from gates.errors import NoChampion
from gates.subject import Expectation
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run

ANSWERS = {"desk": ("tables", 0.9), "lamp": ("lamps", 0.4), "sofa": ("chairs", 0.8)}
BEFORE = {"desk": ("tables", 0.9), "lamp": ("tables", 0.6), "sofa": ("sofas", 0.8)}


def subject(*, champion: bool = True) -> FakeSubject:
    golden = golden_set(
        task="classification",
        texts=tuple(ANSWERS),
        slices={"room": ("office", "office", "living")},
        expectations=[
            Expectation(0, "label", "tables", low=0.5, high=1.0, line=2),
            Expectation(1, "label", "lamps", low=0.5, high=1.0, line=3),
            Expectation(2, "label", "sofas", low=0.5, high=1.0, line=4),
        ],
    )
    old = FakeArm("champion", label=lambda text: BEFORE[text]) if champion else None
    return FakeSubject(golden, FakeArm(label=lambda text: ANSWERS[text]), old)


def test_labels_and_ranges_are_counted_exactly() -> None:
    result = run("score-range", subject(), "label-accuracy", "in-range")
    assert result["label-accuracy"].value == pytest.approx(2 / 3)
    assert result["label-accuracy"].lower is None
    assert result["in-range"].value == pytest.approx(1 / 3)


def test_misses_are_shown_with_their_line() -> None:
    (exhibit,) = run("score-range", subject(), "in-range").exhibits
    assert exhibit.data["rows"] == [
        ["lamp", "lamps", "0.5 to 1", "lamps", 0.4, 3],
        ["sofa", "sofas", "0.5 to 1", "chairs", 0.8, 4],
    ]


def test_slices_are_counted_by_themselves() -> None:
    result = run("score-range", subject(), "label-accuracy", slices=["room"])
    assert result.measurements["label-accuracy", "room=office"].value == 1.0
    assert result.measurements["label-accuracy", "room=living"].value == 0.0


def test_changes_against_the_champion() -> None:
    result = run("score-range", subject(), "label-changes", "label-accuracy.delta")
    assert result["label-changes"].value == pytest.approx(2 / 3)
    assert result["label-accuracy.delta"].value == 0.0
    changes = result.exhibits[1].data["rows"]
    assert changes == [["lamp", "lamps", "tables", "lamps"], ["sofa", "sofas", "sofas", "chairs"]]


def test_without_a_champion_only_the_comparison_is_missing() -> None:
    assert run("score-range", subject(champion=False), "in-range")["in-range"].n == 3
    with pytest.raises(NoChampion):
        run("score-range", subject(champion=False), "label-accuracy.delta")


def test_a_set_that_expects_no_label_measures_nothing_and_says_so() -> None:
    bare = FakeSubject(golden_set(task="classification", texts=["desk"]), FakeArm(), None)
    measurement = run("score-range", bare, "in-range")["in-range"]
    assert (measurement.value, measurement.n) == (None, 0)
    assert "expects no label" in measurement.reason
