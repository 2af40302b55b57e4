"""`brand-rank`: a query with a brand must not lower that brand's best rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from gates.checks.behaviour.brands import BrandPair, pairs_of
from gates.domain.subject import Columns
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, run


def test_a_pair_is_two_queries_that_differ_in_one_brand() -> None:
    texts = ["Office chair", "acme  office chair", "office chair Acme", "bolt office chair", "acme"]
    assert pairs_of(texts, ["Acme", "Zeta"]) == [BrandPair(0, 1, "Acme"), BrandPair(0, 2, "Acme")]


def test_a_brand_may_have_several_words_and_stands_as_whole_words() -> None:
    texts = ["drill", "black & decker drill", "blackdrill", "drill black"]
    assert pairs_of(texts, ["Black & Decker"]) == [BrandPair(0, 1, "Black & Decker")]


def measured(
    texts: Sequence[str],
    scores: Sequence[Mapping[str, float]],
    brands: Mapping[str, str] | None,
    **options: Any,
) -> Result:
    """Lists of one score a document, whose brand is known."""
    flat = [score for some in scores for score in some.values()]
    of = {"brand": [brands[doc] for some in scores for doc in some]} if brands else {}
    golden = golden_set(
        texts=texts,
        lists=[dict.fromkeys(some, 1.0) for some in scores],
        features={"score": flat},
        attributes=of,
    )

    def score(columns: Columns) -> Any:
        return np.asarray(columns["score"])

    subject = FakeSubject(golden, FakeArm(score=score), None)
    return run("directional", subject, "brand-rank", **options)


BRANDS = {"a1": "acme", "a2": "acme", "b1": "bolt", "c1": "", "x": ""}


def test_a_brand_that_falls_when_it_is_asked_for_is_found_and_shown() -> None:
    plain = {"a1": 3.0, "b1": 2.0, "a2": 1.0, "c1": 0.0}
    fallen = {"b1": 9.0, "c1": 8.0, "a2": 7.0, "a1": 6.0}
    risen = {"b1": 9.0, "a1": 1.0, "a2": 0.0, "c1": -1.0}
    found = measured(["lamp", "acme lamp", "bolt lamp"], [plain, fallen, risen], BRANDS)
    one = found["brand-rank"]
    assert (one.value, one.n) == (0.5, 2)
    assert one.lower is not None
    assert one.lower < 0.5
    rows = found.tables[0].rows
    assert rows == [["lamp", "acme lamp", "acme", "title of a1", 1, 3]]


def test_only_documents_that_both_queries_list_are_compared() -> None:
    plain = {"x": 9.0, "b1": 8.0, "a1": 7.0}
    branded = {"b1": 5.0, "a1": 4.0, "a2": 3.0}
    assert measured(["lamp", "acme lamp"], [plain, branded], BRANDS)["brand-rank"].value == 1
    new = {"b1": 5.0, "a2": 3.0}
    found = measured(["lamp", "acme lamp"], [plain, new], BRANDS)["brand-rank"]
    assert (found.value, found.n) == (None, 0)
    assert found.reason.startswith("1 of 1 pairs list no product of the brand for both queries")


def test_pairs_of_queries_of_their_own_get_exact_bounds() -> None:
    texts = [f"{brand}thing{at}" for at in range(29) for brand in ("", "acme ")]
    found = measured(texts, [{"a1": 1.0, "b1": 0.0}] * 58, BRANDS)["brand-rank"]
    assert (found.value, found.n) == (1, 29)
    assert found.lower == pytest.approx(0.05 ** (1 / 29))
    assert (found.lower or 0) >= 0.9


def test_pairs_that_share_a_query_do_not_count_as_independent() -> None:
    brands = {f"d{at}": f"brand{at}" for at in range(30)}
    listed = {doc: float(-at) for at, doc in enumerate(brands)}
    texts = ["lamp", *(f"brand{at} lamp" for at in range(30)), "tent", "brand1 tent"]
    found = measured(texts, [listed] * 33, brands)["brand-rank"]
    assert (found.value, found.n) == (1, 31)
    assert found.extra["queries"] == 2
    assert found.lower is not None
    assert found.lower < 0.9


def test_without_a_pair_the_reason_says_what_one_is_and_how_many_it_takes() -> None:
    found = measured(["lamp", "tent"], [{"a1": 1.0}, {"b1": 1.0}], BRANDS)["brand-rank"]
    assert (found.value, found.n) == (None, 0)
    assert "'office chair' and 'acme office chair'" in found.reason
    assert "29 pairs" in found.reason


def test_without_the_attribute_the_reason_says_where_to_name_it() -> None:
    found = measured(["lamp"], [{"a1": 1.0}], None, brand="maker")["brand-rank"]
    assert "no attribute 'maker'" in found.reason
    assert "manifest.yaml" in found.reason
