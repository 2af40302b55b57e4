"""`invariance.synonyms`: the golden set's own list, and a model that does not know it."""

from __future__ import annotations

import pytest

from gates.checks.behaviour.perturb import variants
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run

PAIRS = (("sofa", "couch"), ("tv stand", "media console"))


@pytest.mark.parametrize(
    ("query", "typed"),
    [
        ("grey sofa", {"grey couch"}),
        ("Sofa, SOFA and sofa", {"Couch, COUCH and couch"}),
        ("sofa by tv  stand", {"couch by tv  stand", "sofa by media console"}),
        ("sofas sofa-bed sofa's", set()),
        ("grey couch", set()),
    ],
)
def test_a_synonym_stands_for_whole_words_in_one_direction(query: str, typed: set[str]) -> None:
    assert {one.typed for one in variants("synonyms", query, PAIRS)} == typed


def test_a_model_that_does_not_know_a_synonym_is_caught_and_the_counterexample_is_small() -> None:
    def label(text: str) -> tuple[str, float]:
        return ("Furniture", 0.9) if "sofa" in text or "table" in text else ("Unknown", 0.4)

    texts = ("large grey sofa", "tall table for tv stand", "lamp")
    golden = golden_set(task="classification", texts=texts, synonyms=PAIRS)
    subject = FakeSubject(golden, FakeArm(label=label), None)
    result = run("behaviour", subject, "invariance.synonyms")
    found = result["invariance.synonyms"]
    assert (found.value, found.n) == (0.5, 2)
    assert found.upper is not None
    (row,) = result.tables[-1].rows
    assert row[1] == (
        "query ‘couch’ (one synonym from ‘sofa’): falls from Furniture 0.90 to Unknown 0.40"
    )


def test_a_set_without_synonyms_is_not_measured_and_says_why() -> None:
    golden = golden_set(task="classification", texts=("sofa",))
    found = run("behaviour", FakeSubject(golden, FakeArm(), None), "invariance.synonyms")
    assert found["invariance.synonyms"].value is None
    assert "synonyms.csv" in found["invariance.synonyms"].reason
