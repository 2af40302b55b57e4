"""What each strategy draws: named, bounded, the same in every run, shrinking to the smallest."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import find
from hypothesis import strategies as st

from gates.errors import UsageError
from gates.strategies import (
    Row,
    Variant,
    feature_nulls,
    repeatable,
    typos,
    units,
    unseen_words,
)
from tests.checks.subjects import golden_set

QUERIES = ("office chair", "60l storage box", "led lamp 15 in", "tent 4 in 1")

Texts = st.SearchStrategy[Variant[str]]


def all_of(strategy: st.SearchStrategy[Variant[Any]]) -> list[Variant[Any]]:
    """Every variant of the family behind a strategy."""
    family = find(strategy, lambda _: True, settings=repeatable).family
    return [one for variants in family.variants for one in variants]


@pytest.mark.parametrize("draw", [typos, units, unseen_words])
def test_a_failure_shrinks_to_the_first_query_unchanged_and_says_so(
    draw: Callable[..., Texts],
) -> None:
    smallest = find(draw(QUERIES), lambda _: True, settings=repeatable)
    assert smallest.before == smallest.after
    assert repr(smallest) == f"<{smallest.before!r}, unchanged>"


def test_a_changed_query_says_what_was_done_to_it() -> None:
    smallest = find(typos(["office chair"]), lambda one: one.change != "", settings=repeatable)
    assert repr(smallest) == "<'office chair' → 'ofice chair': 'f' left out>"
    smallest = find(units(QUERIES), lambda one: one.change != "", settings=repeatable)
    assert repr(smallest) == "<'60l storage box' → '60 l storage box': '60l' written '60 l'>"


def test_a_typo_is_one_letter_off_and_never_in_a_short_word_or_a_first_letter() -> None:
    every = all_of(typos([*QUERIES, "a bcd 12ab storm", "Größe vierzehn"]))
    assert {one.before for one in every} == {*QUERIES, "a bcd 12ab storm", "Größe vierzehn"}
    for one in every:
        if one.change:
            pairs = zip(one.before.split(" "), one.after.split(" "), strict=True)
            ((before, after),) = [pair for pair in pairs if pair[0] != pair[1]]
            assert len(before) >= 4
            assert before.isalpha()
            assert before[0] == after[0]
            assert abs(len(before) - len(after)) <= 1
    with pytest.raises(UsageError, match="none of the 2 queries holds a word to mistype"):
        typos(["a b 12", "tea"])


def test_quantities_are_written_in_other_words_and_other_units() -> None:
    written = {one.after for one in all_of(units(["desk 160cm", "1.5 kg flour"]))}
    assert {"desk 160 cm", "desk 160 centimetres", "desk 1600mm", "desk 1.6m"} <= written
    assert {"1.5kg flour", "1500 g flour", "1.5 kilos flour"} <= written


def test_what_only_looks_like_a_quantity_stays_as_it_is() -> None:
    with pytest.raises(UsageError, match="quantity with its unit"):
        units(["tent 4 in 1", "iphone 15", "x2m cable", "5 minutes", "2 level shelf"])


def test_an_unseen_word_stands_in_no_query() -> None:
    own = {word for text in QUERIES for word in text.split()}
    for one in all_of(unseen_words(QUERIES)):
        if one.change:
            (new,) = [word for word in one.after.split() if f"'{word}' added" == one.change]
            assert new not in own
            assert sorted([*one.before.split(), new]) == sorted(one.after.split())
    with pytest.raises(UsageError, match="'Chair' is no unseen word"):
        unseen_words(QUERIES, words=["Chair"])


def ranking(rating: tuple[float, ...] = (4.0, math.nan)) -> Any:
    features = {"bm25": (1.0, 2.0), "rating": rating}
    return golden_set(texts=["mug"], lists=[{"a": 1.0, "b": 0.0}], features=features)


def test_a_row_loses_each_feature_by_itself_then_all_of_them() -> None:
    golden = ranking()
    told = [repr(one) for one in all_of(feature_nulls(golden))]
    assert told == [
        "<'a' for 'mug', unchanged>",
        "<'a' for 'mug': bm25 missing>",
        "<'a' for 'mug': rating missing>",
        "<'a' for 'mug': bm25, rating missing>",
        "<'b' for 'mug', unchanged>",
        "<'b' for 'mug': bm25 missing>",
    ]
    lost = all_of(feature_nulls(golden, features=["rating"]))[1]
    assert isinstance(lost.after, Row)
    assert lost.after.features["bm25"] == 1.0
    assert math.isnan(lost.after.features["rating"])


def test_features_that_are_not_there_cannot_go_missing() -> None:
    with pytest.raises(UsageError, match="no feature 'price'"):
        feature_nulls(ranking(), features=["price"])
    with pytest.raises(UsageError, match="no row"):
        feature_nulls(ranking((math.nan, math.nan)), features=["rating"])


@pytest.mark.parametrize("most", [2, 7, 100])
def test_a_family_is_bounded_and_the_same_again(most: int) -> None:
    texts = [f"storage box number {at}" for at in range(30)]

    def drawn(seed: int) -> list[str]:
        return [one.after for one in all_of(typos(texts, most=most, seed=seed))]

    assert 2 <= len(drawn(1)) <= most
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_no_room_for_a_change_is_refused() -> None:
    with pytest.raises(UsageError, match="most=1 leaves no room"):
        typos(QUERIES, most=1)


def test_importing_it_brings_neither_numpy_nor_an_adapter() -> None:
    code = "import sys, gates.strategies; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(found.stdout.split())
    assert not loaded & {"numpy", "pyarrow", "mlflow", "pydantic"}
    adapters = re.compile(r"gates\.(checks|registry|environments|locks|golden|rankings)\b")
    assert not [one for one in loaded if adapters.match(one)]
