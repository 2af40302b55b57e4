"""Sensitivities of a classifier: what it must not ignore, and models that do."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.checks.behaviour.edits import TextEdit, applied
from gates.checks.behaviour.products import brand, model_number, negation, size
from gates.domain.judging import Bound, Outcome, judge
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, run

QUERIES = ("acme jar without lid", "acme lamp 15in", "Bolt drill xr500", "jug 2 l", "sofa")
BRANDS = ("acme", "acme", "bolt", "", "")
KINDS = ("negation", "size", "model-number", "brand")

Label = Callable[[str], tuple[str, float]]
Rule = Callable[[str], list[tuple[TextEdit, ...]]]


def reads(see: Callable[[str], str] = str) -> Label:
    """A model that always says the same, with a score that hangs on all it sees of a query."""
    return lambda text: ("Home", zlib.crc32(see(text.lower()).encode()) / 2**32)


def subject(label: Label, *, brands: tuple[str, ...] | None = BRANDS) -> FakeSubject:
    slices = {"brand": brands} if brands else None
    golden = golden_set(task="classification", texts=QUERIES, slices=slices)
    return FakeSubject(golden, FakeArm(label=label), None)


def every(label: Label, noticeable: float = 1e-6) -> Result:
    metrics = [f"sensitivity.{one}" for one in KINDS]
    return run("behaviour", subject(label), *metrics, noticeable=noticeable)


def test_a_model_that_reads_everything_passes_every_rule_as_a_hard_one() -> None:
    result = every(reads())
    found = {kind: result[f"sensitivity.{kind}"] for kind in KINDS}
    assert {kind: (one.value, one.n) for kind, one in found.items()} == {
        "negation": (0.0, 1),
        "size": (0.0, 2),
        "model-number": (0.0, 1),
        "brand": (0.0, 3),
    }
    for one in found.values():
        assert judge(Bound("behaviour", one.metric, maximum=0.0), one).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("see", "caught"),
    [
        (lambda text: re.sub(r"\b(with|without)\b", "", text), {"negation"}),
        (lambda text: re.sub(r"\d", "", text), {"size", "model-number"}),
        (lambda text: re.sub("acme|bolt", "", text), {"brand"}),
    ],
    ids=["ignores without", "drops digits", "ignores brands"],
)
def test_a_model_that_ignores_something_fails_the_rule_about_it_and_no_other(
    see: Callable[[str], str], caught: set[str]
) -> None:
    result = every(reads(see))
    outcomes = {
        kind: judge(
            Bound("behaviour", f"sensitivity.{kind}", maximum=0.0), result[f"sensitivity.{kind}"]
        ).outcome
        for kind in KINDS
    }
    assert {kind for kind, one in outcomes.items() if one is Outcome.FAIL} == caught
    assert {row[0] for row in result.tables[-1].rows} == caught


def test_what_went_unnoticed_is_shown_as_it_was_changed() -> None:
    result = run("behaviour", subject(lambda text: ("Home", 0.5)), "sensitivity.negation")
    (exhibit,) = result.tables
    assert exhibit.rows == [["negation", "acme jar without lid", "acme jar with lid", "Home", 0.5]]
    assert exhibit.title == "1 of 1 queries are answered alike for another product"


def test_another_label_or_a_noticeable_move_of_the_score_is_a_reaction() -> None:
    def slight(text: str) -> tuple[str, float]:
        return "Home", 0.5 + 1e-3 * ("without" in text)

    assert every(lambda text: (text, 0.5))["sensitivity.negation"].value == 0.0
    assert every(slight)["sensitivity.negation"].value == 0.0
    assert every(slight, noticeable=0.01)["sensitivity.negation"].value == 1.0


def test_a_share_of_a_slice_is_of_its_queries_and_exact() -> None:
    deaf = subject(lambda text: ("Home", 0.5))
    found = run("behaviour", deaf, "sensitivity.size", slices=["brand"]).measurements
    one = found["sensitivity.size", "brand=acme"]
    assert (one.value, one.n, one.lower, one.upper) == (1.0, 1, None, None)
    none = found["sensitivity.size", "brand=bolt"]
    assert (none.value, none.n) == (None, 0)
    assert "applies to no golden query" in none.reason


def test_a_set_without_brands_cannot_tell_and_says_why() -> None:
    unbranded = subject(reads(), brands=None)
    one = run("behaviour", unbranded, "sensitivity.brand")["sensitivity.brand"]
    assert judge(Bound("behaviour", one.metric, maximum=0.0), one).outcome is Outcome.UNDECIDED
    assert "no slice column `brand`" in one.reason


def test_changes_go_to_the_model_with_the_variants_of_invariances() -> None:
    steady = subject(lambda text: ("Home", 0.5))
    metrics = ("invariance.case", "invariance.typo", *(f"sensitivity.{one}" for one in KINDS))
    run("behaviour", steady, *metrics)
    assert steady.candidate.calls == 2, "the queries, and everything else"


def test_two_runs_change_the_same() -> None:
    first, second = (every(lambda text: ("Home", 0.5)).tables for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("rule", "query", "changed"),
    [
        (negation, "jar without lid", {"jar with lid"}),
        (negation, "bin W/O lid", {"bin w/ lid"}),
        (negation, "no show socks", {"with show socks"}),
        (negation, "chanel no 5", set()),
        (negation, "non-slip mat", {"slip mat"}),
        (negation, "knot pillow nonstick", set()),
        (size, "15in lamp", {"30in lamp", "7in lamp"}),
        (size, "1.5 l jug", {"3 l jug", "0.75 l jug"}),
        (size, "1 l jug", {"2 l jug"}),
        (size, "2 in 1 vacuum", set()),
        (size, "tv 32 in", {"tv 64 in", "tv 16 in"}),
        (size, "8x10 rug", {"16x10 rug", "4x10 rug", "8x20 rug", "8x5 rug"}),
        (size, "shoes size 10", {"shoes size 20", "shoes size 5"}),
        (size, "shirt size m", {"shirt size l"}),
        (size, "men's s hook m", set()),
        (size, "XL shirt", {"xs shirt"}),
        (size, "queen size sheets", {"twin size sheets"}),
        (size, "lion king toy", set()),
        (model_number, "iphone g5", {"iphone g6"}),
        (model_number, "drill 190", {"drill 290", "drill 100", "drill 191"}),
        (model_number, "lamp 15in 500 ml 8x10 1st 2xl", set()),
        (model_number, "2 seater 40", set()),
    ],
)
def test_what_means_another_product(rule: Rule, query: str, changed: set[str]) -> None:
    assert {applied(query, edits) for edits in rule(query)} == changed


def test_a_brand_is_replaced_wherever_it_stands_as_whole_words() -> None:
    query = "Le Creuset pot, le  creuset, le creusets"
    assert applied(query, brand(query, "le creuset", "Bolt")) == "Bolt pot, Bolt, le creusets"
    assert brand(query, "staub", "Bolt") == ()
    assert brand(query, " ", "Bolt") == ()


@given(
    st.one_of(
        st.text(max_size=15),
        st.lists(
            st.sampled_from(
                ["no", "non-", "not", "w/o", "8x", "x10", "15", "999999999", "in", '"', "size",
                 "xl", "٣", "ſmall", "sİngle", "mx-500", "1.5", "0", "king", "bed", "m", "1e5"]
            ),
            max_size=6,
        ).map(" ".join),
    )
)  # fmt: skip
def test_every_change_is_another_text(text: str) -> None:
    for rule in (negation, size, model_number):
        for edits in rule(text):
            assert applied(text, edits) != text
