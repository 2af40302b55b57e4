"""New arrivals: a product searched for by name is found before anybody has bought it.

Ordinary pytest, for what only this model needs. Runs with the card:
`pytest model_cards/product-ranker.md golden/product-ranker --candidate models:/product-ranker/2`
"""

# ruff: noqa: S101 - a test asserts

import math

import numpy as np

from gates.subject import Arm, GoldenSet

NEW = {"popularity": 0.0, "rating": math.nan}


def test_a_product_nobody_has_bought_yet_is_found_by_its_name(
    candidate: Arm, golden: GoldenSet
) -> None:
    """A new product's full name brings it into the top 3 without sales or ratings."""
    named = {(e.query, e.target) for e in golden.expectations if e.kind == "must-be-first"}
    pairs = zip(golden.row_query.tolist(), golden.row_doc, strict=True)
    new = np.array([pair in named for pair in pairs])
    columns = {name: np.array(values) for name, values in golden.features.items()}
    for name, value in NEW.items():
        columns[name][new] = value

    scores = candidate.scores(columns)

    better = [
        int(np.sum(scores[golden.row_query == golden.row_query[row]] > scores[row]))
        for row in np.flatnonzero(new)
    ]
    assert better, "the golden set names no product"
    assert max(better) < 3, f"documents above each new arrival: {better}"
