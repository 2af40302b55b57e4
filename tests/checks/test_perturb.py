"""Variants of queries: what each invariance changes, and what none of them may touch."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.checks.behaviour.edits import EditedQuery, TextEdit
from gates.checks.behaviour.perturb import INVARIANCES, draw, variants

QUERIES = ("office chair", "led lamp 15 in", "garden hose", "a b 12")
# Words, numbers and signs as queries hold them, and anything else that a file may.
TEXTS = st.one_of(
    st.lists(
        st.sampled_from(
            ["office", "Coffee", "t-shirt", "v", "neck", "15in", "15", 'x"', "for", "without",
             "the", "MX5000", "knives", "crème", "straße", "İ", "ﬁne", "it's", "mugs"]
        ),
        max_size=6,
    ).map(" ".join),
    st.text(max_size=12),
)  # fmt: skip


def typed(kind: str, text: str) -> set[str]:
    return {one.typed for one in variants(kind, text)}


@pytest.mark.parametrize("kind", INVARIANCES)
@given(text=TEXTS)
def test_every_variant_is_another_text_with_the_same_digits(kind: str, text: str) -> None:
    for one in variants(kind, text):
        assert one.query == text
        assert one.typed != text
        assert re.findall(r"\d", one.typed) == re.findall(r"\d", text)


@pytest.mark.parametrize("kind", ["typo", "two-typos", "doubled-letters"])
@given(text=TEXTS)
def test_slips_leave_short_words_model_numbers_and_first_letters_alone(
    kind: str, text: str
) -> None:
    for one in variants(kind, text):
        before, after = text.split(), one.typed.split()
        assert len(before) == len(after)
        assert all(old[0] == new[0] for old, new in zip(before, after, strict=True))
        changed = [old for old, new in zip(before, after, strict=True) if old != new]
        assert all(len(old) >= 4 and old.isalpha() for old in changed)


@given(text=TEXTS)
def test_letter_case_and_white_space_change_nothing_else(text: str) -> None:
    assert all(one.lower() == text.lower() for one in typed("case", text))
    assert all(one.split() == text.split() for one in typed("whitespace", text))


@given(text=TEXTS)
def test_unicode_forms_are_the_same_but_for_curly_quotes(text: str) -> None:
    def plain(one: str) -> str:
        return unicodedata.normalize("NFKC", one.replace("’", "'").replace("”", '"'))

    assert all(plain(one).split() == plain(text).split() for one in typed("unicode", text))


@pytest.mark.parametrize(
    ("kind", "query", "some", "never"),
    [
        ("typo", "office", {"offce", "offfice", "offuce", "ofifce"}, {"pffice", "foffice"}),
        ("doubled-letters", "coffee mug", {"cofee mug", "coffe mug", "cooffee mug"}, set()),
        ("unicode", "fine crème", {"ﬁne crème", "ｆｉｎｅ ｃｒèｍｅ", "fine\u00a0crème"}, set()),
        ("unicode", "boy's shelf", {"boy’s shelf"}, set()),
        ("hyphens", "t-shirt", {"t shirt", "tshirt"}, set()),
        ("hyphens", "t shirt", {"t-shirt", "tshirt"}, set()),
        ("hyphens", "office chair", {"office-chair"}, {"officechair"}),
        ("hyphens", "sofa with ottoman", set(), {"sofa-with ottoman"}),
        ("hyphens", "mx-5000 90 cm", set(), {"mx5000 90 cm"}),
        ("units", "15in lamp", {"15 in lamp", "15 inch lamp", '15" lamp', "15-inch lamp"}, set()),
        ("units", '15" lamp', {"15in lamp", "15 inches lamp"}, set()),
        ("units", "2 in 1 vacuum", set(), {"2 inch 1 vacuum"}),
        ("units", "mx15in", set(), {"mx15 in"}),
        ("plural", "office chair for women", {"office chairs for women"}, set()),
        ("plural", "coffee mugs", {"coffee mug"}, set()),
        ("plural", "berry dishes", {"berry dish"}, set()),
        ("plural", "book shelf", {"book shelves"}, set()),
        ("plural", "blanket 150 centimetre", set(), {"blanket 150 centimetres"}),
        ("plural", "scissors", set(), {"scissor"}),
        ("word-order", "office chair", {"chair office"}, set()),
        ("word-order", "lamp without shade", set(), {"without lamp shade"}),
        ("stop-words", "lamp for the desk", {"lamp desk", "lamp the desk"}, set()),
        ("stop-words", "lamp without shade", set(), {"lamp shade"}),
    ],
)
def test_what_shoppers_also_type(kind: str, query: str, some: set[str], never: set[str]) -> None:
    found = typed(kind, query)
    assert some <= found
    assert not never & found
    if not some:
        assert not found


def test_two_typos_are_two() -> None:
    found = variants("two-typos", "office pants")
    assert found
    assert all(len(one.edits) == 2 for one in found)


@pytest.mark.parametrize("kind", INVARIANCES)
def test_the_same_seed_draws_the_same_variants(kind: str) -> None:
    assert draw(kind, QUERIES, seed=3) == draw(kind, QUERIES, seed=3)


def test_another_seed_draws_others() -> None:
    assert draw("typo", QUERIES, seed=3) != draw("typo", QUERIES, seed=4)


def test_what_is_drawn_for_a_query_does_not_hang_on_its_neighbours() -> None:
    alone = draw("typo", QUERIES[:1], seed=3, count=4).rows
    among = draw("typo", QUERIES, seed=3, count=4).rows
    assert alone == among[: len(alone)]


def test_queries_without_a_variant_are_counted() -> None:
    drawn = draw("typo", QUERIES, seed=3)
    assert ([at for at, _ in drawn.rows], drawn.without) == ([0, 1, 2], 1)


def test_a_variant_loses_words_and_keeps_its_edit() -> None:
    whole = EditedQuery("big office pants", (TextEdit(5, 6, ""), TextEdit(12, 13, "")))
    assert whole.typed == "big ofice pnts"
    small = whole.reduced([False, True, False], [True, True])
    assert small is not None
    assert (small.query, small.typed) == ("office", "ofice")
    assert whole.reduced([True, False, False], [True, True]) is None


@given(text=TEXTS, data=st.data())
def test_what_is_left_of_a_variant_is_a_variant_of_what_is_left_of_its_query(
    text: str, data: st.DataObject
) -> None:
    for kind in INVARIANCES:
        for one in variants(kind, text)[:3]:
            words = data.draw(st.lists(st.booleans(), min_size=one.words, max_size=one.words))
            small = one.reduced(words, [True] * len(one.edits))
            if small is not None:
                kept = [word for word, stays in zip(text.split(), words, strict=True) if stays]
                assert small.query.split() == kept
                assert small.typed != small.query
