"""Counterexamples of earlier runs are asked beside what is drawn, and are no part of any rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gates.domain.counterexamples import Counterexample, KnownCounterexample, Recall
from gates.domain.judging import Bound, Outcome, judge
from gates.domain.phrases import Template, Templates
from gates.domain.subject import Columns
from gates.errors import ModelFault
from gates.kernels.packed import Floats
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, run

QUERIES = ("office pants", "garden chair")
REPLAYED = Bound("behaviour", "replayed", maximum=0.0)


def by_word(text: str) -> tuple[str, float]:
    return ("Clothes" if "pants" in text.split() else "Furniture"), 0.9


def spelling(text: str) -> tuple[str, float]:
    return ("Clothes" if "p" in text else "Furniture"), 0.9


def dying(text: str) -> tuple[str, float]:
    raise ModelFault("died", f"at {text}")


def case(typed: str, metric: str = "invariance.typo") -> Counterexample:
    return Counterexample(metric, "pants", typed, "Clothes")


def recalling(
    check: str, *cases: Counterexample, subject: FakeSubject, runs: int = 2
) -> FakeSubject:
    known = tuple(KnownCounterexample(one, "models:/m/1") for one in cases)
    return replace(subject, recalls={check: Recall(known, runs, "sha256:f", "f.json")})


def classified(champion: FakeArm | None = None, **golden: object) -> FakeSubject:
    made = golden_set(task="classification", texts=QUERIES, **golden)  # type: ignore[arg-type] # passed on
    return FakeSubject(made, FakeArm(label=by_word), champion)


def states(result: Result) -> list[tuple[bool | None, bool | None]]:
    assert result.replay is not None
    return [(one.fails, one.champion_fails) for one in result.replay.cases]


def test_a_known_case_is_counted_by_itself_and_not_in_the_rate() -> None:
    asked = ("invariance.typo", "replayed")
    before = run("behaviour", classified(), *asked)
    subject = recalling("behaviour", case("pnats"), case("pants!"), subject=classified())
    after = run("behaviour", subject, *asked)
    assert after["invariance.typo"] == before["invariance.typo"]
    assert (after["replayed"].value, after["replayed"].n) == (2.0, 2)
    assert judge(REPLAYED, after["replayed"]).outcome is Outcome.FAIL
    assert after.tables[-1].title == "2 of 2 counterexamples of earlier runs still fail"


def test_known_cases_cost_no_call_more() -> None:
    alone, with_known = classified(), recalling("behaviour", case("anats"), subject=classified())
    for subject in (alone, with_known):
        subject.candidate.label = spelling
        found = run("behaviour", subject, "invariance.typo")
        assert found["invariance.typo"].value == 0.0
    assert states(found) == [(True, None)]
    assert with_known.candidate.calls == alone.candidate.calls == 2


def test_what_a_version_learnt_no_longer_fails_and_the_champion_is_said() -> None:
    subject = recalling("behaviour", case("pnats"), subject=classified(FakeArm(label=by_word)))
    subject.candidate.label = spelling
    found = run("behaviour", subject, "invariance.typo", "replayed")
    assert states(found) == [(False, True)]
    assert judge(REPLAYED, found["replayed"]).outcome is Outcome.PASS


def test_a_champion_that_cannot_answer_stops_nothing() -> None:
    subject = recalling("behaviour", case("pnats"), subject=classified(FakeArm(label=dying)))
    assert states(run("behaviour", subject, "invariance.typo")) == [(True, None)]


def test_without_memory_it_cannot_be_told_and_with_an_empty_one_it_holds() -> None:
    first = run("behaviour", classified(), "replayed")
    assert judge(REPLAYED, first["replayed"]).outcome is Outcome.UNDECIDED
    empty = recalling("behaviour", subject=classified())
    assert judge(REPLAYED, run("behaviour", empty, "replayed")["replayed"]).outcome is Outcome.PASS


def test_memory_that_cannot_be_read_is_never_a_pass() -> None:
    subject = replace(classified(), recalls={"behaviour": Recall(trouble="it is not JSON")})
    found = run("behaviour", subject, "replayed")
    assert judge(REPLAYED, found["replayed"]).outcome is Outcome.UNDECIDED
    assert found["replayed"].reason == "it is not JSON"


def test_a_synonym_that_is_listed_no_more_is_forgotten_and_not_counted() -> None:
    known = case("trousers", "invariance.synonyms")
    gone = recalling("behaviour", known, subject=classified())
    assert states(run("behaviour", gone, "invariance.synonyms")) == [(None, None)]
    listed = recalling("behaviour", known, subject=classified(synonyms=[("pants", "trousers")]))
    assert states(run("behaviour", listed, "invariance.synonyms")) == [(True, None)]


def test_a_metric_that_the_card_does_not_bound_now_is_not_asked() -> None:
    subject = recalling("behaviour", case("pnats"), subject=classified())
    assert states(run("behaviour", subject, "invariance.case")) == []


def test_another_product_answered_alike_is_a_counterexample_too() -> None:
    golden = golden_set(task="classification", texts=("desk without lamp",))
    subject = FakeSubject(golden, FakeArm(label=by_word), None)
    (found,) = run("behaviour", subject, "sensitivity.negation").counterexamples
    assert found.label == ""
    again = recalling("behaviour", found, subject=subject)
    assert states(run("behaviour", again, "sensitivity.negation")) == [(True, None)]


def test_made_up_words_are_asked_again_beside_new_ones() -> None:
    def fickle(text: str) -> tuple[str, float]:
        return ("Odd" if len(text.split()) > 2 else by_word(text)[0]), 0.9

    subject = classified()
    subject.candidate.label = fickle
    found = run("robustness", subject, "unseen-words.flips")
    assert [one.query for one in found.counterexamples] == [*QUERIES]
    again = replace(recalling("robustness", *found.counterexamples, subject=subject), seed=6)
    after = run("robustness", again, "unseen-words.flips", "replayed")
    assert (after["unseen-words.flips"].n, after["replayed"].value) == (2, 2.0)
    word = replace(found.counterexamples[0], typed="office pants chair")
    gone = recalling("robustness", word, subject=subject)
    assert states(run("robustness", gone, "unseen-words.flips")) == [(None, None)]


def test_a_query_of_a_template_is_asked_again_while_a_template_makes_it() -> None:
    words = {"type": {"pants": "Clothes", "shirt": "Clothes"}, "how": {"red": "", "dark red": ""}}
    templates = Templates(words, (Template("{how} {type}", "{type}"),))
    subject = classified()
    subject.golden = replace(subject.golden, templates=templates)
    found = run("functionality", subject, "templates").counterexamples
    assert {one.query for one in found} == {"red shirt", "dark red shirt"}
    other = replace(found[0], label="Shoes")
    again = recalling("functionality", *found, other, subject=subject)
    result = run("functionality", again, "templates", "replayed")
    assert states(result) == [(True, None), (True, None), (None, None)]
    assert (result["templates"].n, result["replayed"].value) == (4, 2.0)


def falling(columns: Columns) -> Floats:
    return -np.asarray(columns["stock"], float)


def rising(columns: Columns) -> Floats:
    return np.asarray(columns["stock"], float)


def ranked(champion: FakeArm | None = None) -> FakeSubject:
    golden = golden_set(
        lists=[{"a": 1.0, "b": 0.0}], features={"stock": [0.0, 4.0], "price": [1.0, 2.0]}
    )
    return FakeSubject(golden, FakeArm(score=falling), champion)


def test_steps_of_rows_are_asked_again_and_follow_what_the_card_declares() -> None:
    below = [{"feature": "stock", "equals": 0.0, "than": 1.0}]
    metrics = ("monotone.violations", "order.violations", "replayed")
    found = run("directional", ranked(), *metrics, rising=["stock"], below=below)
    kept = found.counterexamples
    assert {one.metric for one in kept} == {"monotone.violations", "order.violations"}
    subject = recalling("directional", *kept, subject=ranked(FakeArm(score=rising)))
    again = run("directional", subject, *metrics, rising=["stock"], below=below)
    assert states(again) == [(True, False)] * len(kept)
    assert again["replayed"].value == len(kept)
    subject.candidate.score = rising
    mended = run("directional", subject, *metrics, rising=["stock"], below=below)
    assert states(mended) == [(False, False)] * len(kept)
    undeclared = run("directional", subject, *metrics, falling=["price"])
    assert set(states(undeclared)) == {(None, None)}


def test_a_row_that_left_the_golden_set_is_forgotten() -> None:
    step = Counterexample(
        "monotone.violations", "query 0", "", "", "q0", "gone", "stock", (0.0, 1.0)
    )
    subject = recalling("directional", step, subject=ranked())
    found = run("directional", subject, "monotone.violations", rising=["stock"])
    assert states(found) == [(None, None)]
    assert found.replay is not None
    assert "no such candidate" in found.replay.cases[0].reason
