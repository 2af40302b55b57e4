"""`robustness`: planted defects, each caught by the metric that should and by no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from gates.checks import catalogue, find
from gates.checks.robustness.odd_inputs import FAMILIES, made_up_words
from gates.domain.judging import Bound, Cause, Outcome, judge
from gates.domain.subject import CheckPlan, Columns
from gates.errors import ModelFault
from gates.kernels.packed import Floats
from tests.checks.subjects import (
    FakeArm,
    FakeSubject,
    golden_set,
    rows_of,
    run,
    with_text_feature,
)

QUERIES = tuple(f"{colour} {thing}" for colour in ("red", "tall") for thing in ("lamp", "chair"))
_WORST = "missing-feature.worst"
ON_TEXT = (
    "repeatability",
    "order-dependence",
    "batch-dependence",
    "hostile-text.faults",
    "unseen-words.flips",
)
ON_FEATURES = (
    "repeatability",
    "order-dependence",
    "batch-dependence",
    "missing-feature.faults",
    "missing-feature.worst",
)


def last_word(text: str) -> tuple[str, float]:
    words = text.split()
    return ("chair" if words[1:2] == ["chair"] else "other"), 0.5


def classifier(label: Callable[[str], tuple[str, Any]] = last_word) -> FakeSubject:
    golden = golden_set(task="classification", texts=QUERIES)
    return FakeSubject(golden, FakeArm(label=label), None)


def ranker(score: Callable[[Columns], Any], *, queries: int = 4, depth: int = 30) -> FakeSubject:
    chance = np.random.default_rng(1)
    rows = queries * depth
    golden = golden_set(
        lists=[{f"d{doc:02}": 1.0 for doc in range(depth)} for _ in range(queries)],
        features={
            "good": chance.random(rows).tolist(),
            "unused": chance.random(rows).tolist(),
            "row": np.arange(rows).tolist(),
        },
        slices={"platform": tuple("app" if q % 2 else "web" for q in range(queries))},
    )
    return FakeSubject(golden, FakeArm(score=score), None)


def good(frame: Columns) -> Floats:
    found: Floats = np.nan_to_num(np.asarray(frame["good"], float))
    return found


def caught(subject: FakeSubject, metrics: tuple[str, ...]) -> dict[str, float | None]:
    """The metrics that are not what a well-behaved model gives: not 0."""
    found = run("robustness", subject, *metrics)
    values = {metric: found[metric].value for metric in metrics}
    values.pop("missing-feature.worst", None)
    return {metric: value for metric, value in values.items() if value != 0}


def fails(text: str) -> tuple[str, float]:
    if any(ord(letter) > 0xFFFF for letter in text):
        raise ModelFault("died", "the candidate died while predicting: killed by SIGSEGV")
    return last_word(text)


def test_a_well_behaved_classifier_is_asked_in_one_process() -> None:
    subject = classifier()
    assert caught(subject, ON_TEXT) == {}
    assert subject.candidate.started_apart == 1


def test_a_well_behaved_ranker_is_asked_in_one_process() -> None:
    subject = ranker(good)
    assert caught(subject, ON_FEATURES) == {}
    assert subject.candidate.started_apart == 1


def test_texts_that_kill_the_model_are_counted_and_named() -> None:
    subject = classifier(fails)
    expected = {
        text for texts in FAMILIES.values() for text in texts if any(ord(c) > 0xFFFF for c in text)
    }
    assert caught(subject, ON_TEXT) == {"hostile-text.faults": len(expected)}
    (table,) = (
        rows_of(one)
        for one in run("robustness", subject, "hostile-text.faults").tables
        if "odd texts" in one.title
    )
    assert {row[0] for row in table} == {"emoji", "very long"}
    assert ["emoji", r"'\U0001f600'"] in [row[:2] for row in table]
    assert all("SIGSEGV" in row[2] for row in table)


def test_nan_on_empty_text_is_a_fault_of_that_text() -> None:
    subject = classifier(lambda text: (text[:1], 0.5) if text else ("x", float("nan")))
    found = run("robustness", subject, "hostile-text.faults")
    assert found["hostile-text.faults"].value == 1
    assert found["hostile-text.faults"].reason == "empty: nan"
    assert found.tables[0].rows[0][:2] == ["empty", "''"]


def test_a_model_that_no_odd_text_leaves_well_wears_the_search_out() -> None:
    def label(text: str) -> tuple[str, float]:
        if text not in QUERIES:
            raise ModelFault("died", "gone")
        return "x", 0.5

    subject = classifier(label)
    measured = run("robustness", subject, "hostile-text.faults")["hostile-text.faults"]
    assert measured.value is not None
    assert measured.value >= len(FAMILIES)
    assert "at least" in measured.reason
    assert subject.candidate.started_apart < 40


def test_hangs_wear_the_search_out_sooner() -> None:
    def label(text: str) -> tuple[str, float]:
        if text not in QUERIES:
            raise ModelFault("hung", "had not finished")
        return "x", 0.5

    subject = classifier(label)
    measured = run("robustness", subject, "hostile-text.faults")["hostile-text.faults"]
    assert measured.value == 3
    assert "not tried: other scripts" in measured.reason
    judged = judge(Bound("robustness", "hostile-text.faults", maximum=5.0), measured)
    assert judged.outcome is Outcome.UNDECIDED, "what was not tried may break it as well"
    assert subject.candidate.started_apart == 3


def test_texts_that_break_the_model_only_together_are_one_fault() -> None:
    subject = classifier()

    def label(text: str) -> tuple[str, float]:
        seen.append(text)
        if seen[-2:] == ["\U0001f6cb\ufe0f sofa", FAMILIES["emoji"][3]]:
            raise ModelFault("died", "two in a row")
        return last_word(text)

    seen: list[str] = []
    subject.candidate.label = label
    measured = run("robustness", subject, "hostile-text.faults")["hostile-text.faults"]
    assert measured.value == 1
    assert "not told apart" in measured.reason


def test_a_made_up_word_that_changes_labels_is_told_as_a_share_with_an_interval() -> None:
    subject = classifier(lambda text: (f"{len(text.split())} words", 0.5))
    assert caught(subject, ON_TEXT) == {"unseen-words.flips": 1.0}
    measured = run("robustness", subject, "unseen-words.flips")["unseen-words.flips"]
    assert measured.lower is not None
    assert measured.lower < 1


def test_flips_with_a_made_up_word_are_a_share_of_traffic() -> None:
    """One query in ten flips, and it is what half of the shoppers type."""

    def label(text: str) -> tuple[str, float]:
        first, *more = text.split()
        return ("other" if more and int(first) % 10 == 0 else "chair"), 0.5

    golden = golden_set(
        task="classification",
        texts=[str(at) for at in range(200)],
        weight=[9.0 if at % 10 == 0 else 1.0 for at in range(200)],
    )
    subject = FakeSubject(golden, FakeArm(label=label), None)
    flips = run("robustness", subject, "unseen-words.flips")["unseen-words.flips"]
    assert flips.value == pytest.approx(0.5)
    assert (flips.n, flips.unit) == (200, "share of traffic")
    judged = judge(Bound("robustness", "unseen-words.flips", maximum=0.2), flips)
    assert judged.outcome is Outcome.FAIL


def test_a_word_nobody_has_seen_that_kills_the_model_fails_that_metric_alone() -> None:
    def label(text: str) -> tuple[str, float]:
        if len(text.split()) == 3 and len(text.split()[-1]) == 8:
            raise ModelFault("predict-failed", "KeyError")
        return last_word(text)

    found = run("robustness", classifier(label), "unseen-words.flips", "repeatability")
    assert found["repeatability"].value == 0
    judged = judge(
        Bound("robustness", "unseen-words.flips", maximum=0.1), found["unseen-words.flips"]
    )
    assert judged.outcome is Outcome.FAIL
    assert "KeyError" in judged.reason


def test_made_up_words_are_the_same_for_the_same_seed_and_stand_in_no_query() -> None:
    words = made_up_words(QUERIES, seed=3)
    assert words == made_up_words(QUERIES, seed=3)
    assert not set(words) & {word for text in QUERIES for word in text.split()}


def test_odd_texts_can_all_be_sent_to_a_model() -> None:
    for texts in FAMILIES.values():
        assert len(set(texts)) == len(texts)
        assert all(text.encode("utf-8") for text in texts if text)


def test_a_model_that_draws_lots_does_not_repeat_itself_and_no_more_is_said() -> None:
    chance = np.random.default_rng(4)
    subject = ranker(lambda frame: good(frame) + chance.random(len(frame["good"])))
    found = run("robustness", subject, *ON_FEATURES)
    assert found["repeatability"].value == 120
    for metric in ("order-dependence", "batch-dependence"):
        assert found[metric].value is None
        assert "cannot be told apart" in found[metric].reason


def test_noise_below_the_tolerance_is_no_difference() -> None:
    chance = np.random.default_rng(4)
    subject = ranker(lambda frame: good(frame) + 1e-8 * chance.random(len(frame["good"])))
    assert run("robustness", subject, "repeatability", absolute=1e-6)["repeatability"].value == 0
    assert run("robustness", subject, "repeatability")["repeatability"].value


def test_a_model_that_takes_rows_to_come_sorted_depends_on_order() -> None:
    def score(frame: Columns) -> Floats:
        row = np.asarray(frame["row"], float)
        unsorted = (np.diff(row) < 0).any()
        return good(frame) + np.where(unsorted, np.arange(row.size), 0)

    assert caught(ranker(score), ON_FEATURES) == {"order-dependence": 120}


def test_a_model_that_scales_by_its_batch_depends_on_batches() -> None:
    def score(frame: Columns) -> Floats:
        return good(frame) / good(frame).max() if good(frame).any() else good(frame)

    found = caught(ranker(score), ON_FEATURES)
    assert set(found) == {"batch-dependence"}


def test_a_model_that_scores_by_place_depends_on_order_and_batch() -> None:
    subject = ranker(lambda frame: good(frame) + 0.01 * np.arange(len(frame["good"])))
    assert set(caught(subject, ON_FEATURES)) == {"order-dependence", "batch-dependence"}
    (table,) = run("robustness", subject, "order-dependence").tables
    assert table.rows[0][0] == "all rows shuffled"


def test_batches_of_a_long_golden_set_are_a_sample() -> None:
    subject = ranker(good, queries=60)
    assert run("robustness", subject, "batch-dependence", batches=5)["batch-dependence"].n < 1800
    assert subject.candidate.calls == 2 + 3 * 5


def test_a_model_that_breaks_on_one_row_fails_only_the_batches() -> None:
    def score(frame: Columns) -> Floats:
        if len(frame["good"]) == 1:
            raise ModelFault("predict-failed", "needs two rows")
        return good(frame)

    found = run("robustness", ranker(score), *ON_FEATURES)
    assert found["batch-dependence"].cause is Cause.BREACH
    assert "a batch of 1: needs two rows" in found["batch-dependence"].reason
    assert found["missing-feature.faults"].value == 0


def test_a_text_feature_stays_while_a_number_is_missing() -> None:
    def score(frame: Columns) -> Any:
        return good(frame) + np.array([brand == "osmo" for brand in frame["brand"]], float)

    plain = ranker(score)
    brands = ["osmo", "kite"] * (len(plain.golden.row_doc) // 2)
    found = run("robustness", with_text_feature(plain, "brand", brands), *ON_FEATURES)
    assert found["missing-feature.faults"].value == 0
    assert found["missing-feature.faults"].cause is None


def test_a_feature_without_which_the_model_breaks_is_named() -> None:
    subject = ranker(lambda frame: np.asarray(frame["good"], float))
    found = run("robustness", subject, *ON_FEATURES)
    assert found["missing-feature.faults"].value == 1
    assert found["missing-feature.faults"].reason == "good: nan"
    worst = found["missing-feature.worst"]
    assert worst.value == 0, "what the others lose is still told"
    judged = judge(Bound("robustness", worst.metric, maximum=0.9), worst)
    assert judged.outcome is Outcome.UNDECIDED, "what this one loses is not known"
    assert caught(subject, ON_FEATURES) == {"missing-feature.faults": 1}


def test_the_worst_feature_to_lose_is_named_for_each_slice() -> None:
    subject = ranker(good)
    found = run("robustness", subject, "missing-feature.worst", slices=("platform",))
    measured = found["missing-feature.worst"]
    assert measured.value is not None
    assert measured.value > 0.3
    assert measured.reason == "without good"
    assert found.measurements["missing-feature.worst", "platform=app"].n == 2
    rows = found.tables[0].rows
    assert rows[0][0] == "good"
    assert rows[1][1:4] == [0.0, 0.0, 0.0]


def test_what_a_missing_feature_costs_is_said_of_traffic() -> None:
    golden = ranker(good, queries=12).golden
    every = run("robustness", FakeSubject(golden, FakeArm(score=good), None), _WORST)[_WORST]
    assert every.value is not None
    assert every.lower is not None
    assert every.upper is not None
    assert every.lower < every.value < every.upper
    # Twelve lists do not show that a mean just above theirs holds for all others.
    judged = judge(Bound("robustness", _WORST, maximum=every.value + 0.01), every)
    assert judged.outcome is Outcome.UNDECIDED
    heavy = replace(golden, weight=np.array([100.0] + [1.0] * 11))
    one = run("robustness", FakeSubject(heavy, FakeArm(score=good), None), _WORST)[_WORST]
    assert one.value != pytest.approx(every.value), "which is what the first list costs, mostly"


def test_features_the_model_does_not_ask_for_are_not_taken_from_it() -> None:
    subject = ranker(good)
    subject.candidate.inputs = ("good",)
    measured = run("robustness", subject, "missing-feature.faults")["missing-feature.faults"]
    assert measured.n == 1


def test_a_model_that_cannot_answer_the_golden_set_is_measured_in_nothing() -> None:
    def label(text: str) -> tuple[str, float]:
        raise ModelFault("died", "gone")

    with pytest.raises(ModelFault, match="gone"):
        list(find("robustness").measure(classifier(label), _plan("hostile-text.faults")))


def _plan(*metrics: str) -> CheckPlan[BaseModel]:
    return CheckPlan(metrics, (), catalogue()["robustness"].options.model_validate({}))


def test_a_model_that_needs_every_feature_wears_the_search_out() -> None:
    names = [f"f{number:02}" for number in range(26)]
    golden = golden_set(lists=[{"a": 1.0, "b": 0.0}], features={name: [1.0, 2.0] for name in names})
    subject = FakeSubject(
        golden, FakeArm(score=lambda frame: sum(frame[name] for name in names)), None
    )
    found = run("robustness", subject, "missing-feature.faults", "missing-feature.worst")
    assert found["missing-feature.faults"].value == 24
    assert "2 features were not tried" in found["missing-feature.faults"].reason
    enough = judge(
        Bound("robustness", "missing-feature.faults", maximum=25.0), found["missing-feature.faults"]
    )
    assert enough.outcome is Outcome.UNDECIDED, "the two may break it as well"
    assert found["missing-feature.worst"].value is None
    assert "f00: nan" in found["missing-feature.worst"].reason
