"""Invariances of a classifier: planted defects are caught, and counterexamples become small."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest

from gates.checks._answers_by_text import TextAnswers
from gates.checks.behaviour.perturb import INVARIANCES, variants
from gates.checks.behaviour.shrink import ROUNDS, is_flip, shrink
from gates.domain.exhibits import Table
from gates.domain.judging import Bound, Outcome, judge
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, rows_of, run

FURNITURE = ("chair", "table", "shelf", "lamp", "sofa", "cabinet")
CLOTHES = ("pants", "shirt", "jacket", "dress", "sweater", "socks")
QUERIES = tuple(
    f"{word} {noun}{size}"
    for word in ("office", "garden", "yellow")
    for noun in (*FURNITURE, *CLOTHES)
    for size in ("", " 15in")
)

Label = Callable[[str], tuple[str, float]]


def even(text: str) -> str:
    """A query with everything evened out that is only another spelling."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("-", " ")
    text = re.sub(r"(\d+) ?(inches|inch|in|\")(?!\S)", r"\1in", text)
    return " ".join(text.split())


def letters(text: str) -> tuple[str, float]:
    """The class whose nouns share most runs of three letters with the query."""
    text = even(text)
    grams = {text[at : at + 3] for at in range(len(text) - 2)}

    def likeness(nouns: tuple[str, ...]) -> int:
        return max(len(grams & {n[at : at + 3] for at in range(len(n) - 2)}) for n in nouns)

    found = likeness(CLOTHES) > likeness(FURNITURE)
    return ("Clothes" if found else "Furniture"), 0.9


def by_word(text: str) -> tuple[str, float]:
    """The class of the noun, known only as it is written in the dictionary."""
    known = [word for word in even(text).split() if word in CLOTHES]
    return ("Clothes", 0.91) if known else ("Furniture", 0.47)


def classified(
    label: Label, *queries: str, slices: dict[str, tuple[str, ...]] | None = None
) -> FakeSubject:
    golden = golden_set(task="classification", texts=queries or QUERIES, slices=slices)
    return FakeSubject(golden, FakeArm(label=label), None)


def everything(subject: FakeSubject, *kinds: str) -> Result:
    return run("behaviour", subject, *(f"invariance.{one}" for one in kinds or INVARIANCES))


def counterexamples(result: Result) -> Table:
    return result.tables[-1]


def test_a_model_of_words_fails_a_bound_on_typos_that_one_of_letters_passes() -> None:
    bound = Bound("behaviour", "invariance.typo", maximum=0.2)
    outcomes = [
        judge(bound, everything(classified(label), "typo")["invariance.typo"]).outcome
        for label in (by_word, letters)
    ]
    assert outcomes == [Outcome.FAIL, Outcome.PASS]


def stumbles(pattern: str, *, after: Callable[[str], str] = str) -> Label:
    """A model that is confused by something in a query, and robust in all else."""

    def label(text: str) -> tuple[str, float]:
        confused = re.search(pattern, after(text))
        return ("Unknown", 0.5) if confused else ("Furniture", 0.9)

    return label


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("case", stumbles("[A-Z]")),
        ("unicode", stumbles("[Ａ-ｚ\u00a0ﬀ-ﬄ]")),
        ("whitespace", stumbles("^ | $|  |\t")),
        ("hyphens", stumbles("[a-z]-[a-z]")),
        ("units", stumbles(r"\d(?!\d|in\b)", after=plain)),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_planted_defect_is_caught_by_its_own_invariance_and_by_no_other(
    kind: str, label: Label
) -> None:
    result = everything(classified(label))
    shares = {one: result[f"invariance.{one}"].value for one in INVARIANCES}
    caught = {one for one, share in shares.items() if share}
    assert caught == {kind}


def test_all_variants_are_asked_in_one_call_and_shrinking_takes_few() -> None:
    steady = classified(lambda text: ("Furniture", 0.9))
    everything(steady)
    assert steady.candidate.calls == 2
    restless = classified(lambda text: (text, 0.9))
    everything(restless)
    assert restless.candidate.calls <= 2 + ROUNDS


def apparel_is_office(text: str) -> tuple[str, float]:
    return ("Apparel", 0.91) if "office" in text.lower() else ("Furniture", 0.47)


def test_a_large_set_is_asked_in_calls_of_many_thousand_and_no_text_twice() -> None:
    arm = FakeArm()
    asked = TextAnswers(arm)
    asked.ask(f"query {n}" for n in range(45_000))
    asked.ask(["query 3", "query 44999"])
    assert arm.calls == 3
    assert asked["query 44999"] == ("query 44999", 1.0)


def test_a_counterexample_is_shrunk_to_the_words_and_the_edits_that_matter() -> None:
    subject = classified(apparel_is_office, "large grey office pants with pockets in wool")
    for kind in ("typo", "two-typos"):
        result = run("behaviour", subject, f"invariance.{kind}", variants=20)
        rows = counterexamples(result).rows
        assert rows
        for _, words, query, typed, before, after, whole in rows:
            assert (query, before, after) == ("office", "Apparel 0.91", "Furniture 0.47")
            assert whole == "large grey office pants with pockets in wool"
            assert words == (
                f"query ‘{typed}’ (one letter from ‘office’): "
                "falls from Apparel 0.91 to Furniture 0.47"
            )


@pytest.mark.parametrize("kind", ["case", "typo", "two-typos", "unicode"])
@pytest.mark.parametrize("needed", [("lamp",), ("grey", "lamp"), ("large", "lamp", "shade")])
def test_what_is_left_is_no_more_than_what_the_label_needs(
    kind: str, needed: tuple[str, ...]
) -> None:
    def label(text: str) -> tuple[str, float]:
        return ("A", 0.9) if {*needed} <= {*text.split()} else ("B", 0.5)

    arm = FakeArm(label=label)
    asked = TextAnswers(arm)
    query = "large grey wooden lamp with shade"
    flips = [one for one in variants(kind, query) if label(one.typed)[0] == "B"][:5]
    asked.ask([query, *(one.typed for one in flips)])
    small = shrink(flips, asked)
    assert flips
    assert arm.calls <= 1 + ROUNDS
    assert all(one.query.split() == [*needed] and len(one.edits) == 1 for one in small)
    assert all(is_flip(one, "A", asked) for one in small)


def test_what_takes_two_words_keeps_both() -> None:
    def label(text: str) -> tuple[str, float]:
        return ("Apparel", 0.9) if "office pants" in text else ("Furniture", 0.5)

    subject = classified(label, "large office pants wool")
    kinds = ("invariance.word-order", "invariance.whitespace")
    rows = counterexamples(run("behaviour", subject, *kinds, variants=20)).rows
    left = {row[0]: row[2] for row in rows}
    assert left == {"whitespace": "office pants", "word-order": "large office pants"}


def test_long_queries_are_shrunk_within_the_bound_on_calls() -> None:
    def label(text: str) -> tuple[str, float]:
        needed = {"w3", "w17", "w29"} <= {*text.lower().split()}
        return ("A" if needed and text == text.lower() else "B"), 0.9

    query = " ".join(f"w{n}" for n in range(40))
    subject = classified(label, query)
    rows = rows_of(counterexamples(everything(subject, "case")))
    assert subject.candidate.calls <= 2 + ROUNDS
    (row,) = rows
    assert {"w3", "w17", "w29"} <= {*row[2].split()}
    assert len(row[2].split()) < 12


def test_a_score_that_does_not_fall_is_not_said_to() -> None:
    subject = classified(lambda text: ("A", 0.5) if text == "lamp" else ("B", 0.8), "lamp")
    (row,) = rows_of(counterexamples(everything(subject, "typo")))
    assert "goes from A 0.50 to B 0.80" in row[1]


def test_two_runs_show_the_same() -> None:
    first, second = (everything(classified(by_word)).tables for _ in range(2))
    assert first == second


def test_a_score_shift_is_the_mean_move_of_labels_that_stay() -> None:
    def label(text: str) -> tuple[str, float]:
        return ("Furniture", 0.9 if text == text.lower() else 0.7)

    subject = classified(label, slices={"size": ("", "15in") * 36})
    result = run("behaviour", subject, "score-shift.case", "score-shift.typo", slices=["size"])
    assert result["score-shift.case"].value == pytest.approx(0.2)
    assert result["score-shift.case"].upper is None, "another spelling of the same holds or not"
    assert result.measurements["score-shift.case", "size=15in"].n == 36
    typos = result["score-shift.typo"]
    assert typos.value == 0.0
    assert typos.upper is not None


def test_several_variants_of_a_query_count_as_one_observation() -> None:
    result = run("behaviour", classified(by_word), "invariance.typo", variants=8)
    measurement = result["invariance.typo"]
    assert measurement.n == len(QUERIES)
    assert measurement.extra["variants"] == 8 * len(QUERIES)
    assert measurement.lower is not None
    assert measurement.value is not None
    assert measurement.upper is not None
    assert measurement.lower < measurement.value < measurement.upper


def test_a_change_that_no_query_can_have_is_not_measured() -> None:
    measurement = everything(classified(by_word, "sofa"), "units")["invariance.units"]
    assert (measurement.value, measurement.n) == (None, 0)
    assert "no golden query has such a variant" in measurement.reason
