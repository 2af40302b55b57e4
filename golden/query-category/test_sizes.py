"""Sizes: another number in a query is another product, not another category.

Ordinary pytest, for what only this model needs. Runs with the card:
`pytest model_cards/query-category.md golden/query-category --candidate models:/query-category/2`
"""

# ruff: noqa: S101 - a test asserts

import re

from gates.subject import Arm, GoldenSet


def test_another_size_is_not_another_category(candidate: Arm, golden: GoldenSet) -> None:
    """Every number raised by one changes the label of at most one query in twenty."""
    sized = [text for text in golden.query_text if re.search(r"\d", text)]
    other = [re.sub(r"\d+", lambda found: str(int(found[0]) + 1), text) for text in sized]

    before, _ = candidate.labels({"query": sized})
    after, _ = candidate.labels({"query": other})

    changed = [text for text, old, new in zip(sized, before, after, strict=True) if old != new]
    assert sized, "the golden set holds no query with a number"
    assert len(changed) <= 0.05 * len(sized), f"{len(changed)} of {len(sized)}: {changed[:5]}"
