"""`behaviour`: expectations hold or do not, and variants are asked in batches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gates.domain.subject import Expectation
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run

QUERIES = ("office chair", "led lamp 15 in", "garden hose", "a b 12")


def ranked(*expectations: Expectation) -> FakeSubject:
    golden = golden_set(
        lists=[{"a": 3.0, "b": 1.0, "c": 0.0}],
        features={"f": [3.0, 2.0, 1.0]},
        expectations=expectations,
    )
    return FakeSubject(golden, FakeArm(score=lambda columns: columns["f"]), None)


@pytest.mark.parametrize(
    ("expectation", "share"),
    [
        (Expectation(0, "must-be-first", "a"), 1.0),
        (Expectation(0, "must-be-first", "b"), 0.0),
        (Expectation(0, "in-top", "b", k=2), 1.0),
        (Expectation(0, "in-top", "c", k=2), 0.0),
        (Expectation(0, "never-in-top", "c", k=2), 1.0),
        (Expectation(0, "never-in-top", "b", k=2), 0.0),
        (Expectation(0, "never-in-top", "never listed", k=2), 1.0),
        (Expectation(0, "in-top", "never listed", k=2), 0.0),
    ],
)
def test_an_expectation_holds_or_does_not(expectation: Expectation, share: float) -> None:
    measurement = run("behaviour", ranked(expectation), expectation.kind)[expectation.kind]
    assert (measurement.value, measurement.n, measurement.lower) == (share, 1, None)


def test_broken_expectations_are_shown_with_where_the_document_stands() -> None:
    broken = Expectation(0, "must-be-first", "b", line=7)
    (exhibit,) = run("behaviour", ranked(broken), "must-be-first").tables
    assert exhibit.rows == [["query 0", "must-be-first", "b", "2", 7]]


def test_a_golden_set_without_expectations_measures_nothing_and_says_so() -> None:
    measurement = run("behaviour", ranked(), "in-top")["in-top"]
    assert (measurement.value, measurement.n) == (None, 0)
    assert "no 'in-top' expectation" in measurement.reason


def test_an_expectation_that_no_order_could_break_holds_for_nothing() -> None:
    loose = Expectation(0, "in-top", "a", k=3)
    measurement = run("behaviour", ranked(loose), "in-top")["in-top"]
    assert (measurement.value, measurement.n) == (None, 0)
    assert "that any order could break" in measurement.reason
    tight = Expectation(0, "in-top", "a", k=2)
    assert run("behaviour", ranked(loose, tight), "in-top")["in-top"].n == 1


def classified(label: Callable[[str], tuple[str, float]]) -> FakeSubject:
    golden = golden_set(task="classification", texts=QUERIES)
    return FakeSubject(golden, FakeArm(label=label), None)


def test_a_model_that_reads_words_exactly_flips_on_every_variant() -> None:
    exact = classified(lambda text: (text, 0.9))
    metrics = ("invariance.case", "invariance.whitespace", "invariance.typo")
    result = run("behaviour", exact, *metrics)
    assert all(result[metric].value == 1.0 for metric in metrics)
    rows = result.tables[0].rows
    assert all(row[1] != row[2] for row in rows)


def test_a_model_that_normalises_does_not_flip_and_is_asked_once() -> None:
    steady = classified(lambda text: (" ".join(text.lower().split()), 0.9))
    result = run("behaviour", steady, "invariance.case", "invariance.whitespace")
    assert result["invariance.case"].value == 0.0
    assert result["invariance.whitespace"].value == 0.0
    assert steady.candidate.calls == 2, "the queries, and all their variants"


def test_typos_are_a_sample_and_carry_an_interval() -> None:
    measurement = run("behaviour", classified(lambda text: ("x", 1.0)), "invariance.typo")[
        "invariance.typo"
    ]
    assert measurement.value == 0.0
    assert measurement.upper is not None
    assert measurement.upper > 0.5, "three queries cannot rule much out"


def test_a_ranker_is_given_features_so_its_invariances_are_undecided() -> None:
    measurement = run("behaviour", ranked(), "invariance.case")["invariance.case"]
    assert measurement.value is None
    assert "features" in measurement.reason
