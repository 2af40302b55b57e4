"""Candidate rows with features missing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.strategies.variants import Edit, Family, Row, bounded, of_rows

if TYPE_CHECKING:
    from gates.domain.subject import GoldenSet

__all__ = ["null_families"]


class _Same:
    """A golden set as a key: itself and no other."""

    def __init__(self, golden: GoldenSet) -> None:
        self.golden = golden

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.golden is self.golden

    def __hash__(self) -> int:
        return id(self.golden)


def null_families(
    golden: GoldenSet, features: tuple[str, ...], most: int, seed: int
) -> Family[Row]:
    """Rows of a set without some of their features; the same call gives the same family.

    Args:
        golden: A ranking set.
        features: Which may be missing.
        most: How many variants at most.
        seed: Which rows, where there are more.

    Raises:
        UsageError: No row has one of them.
    """
    return _family(_Same(golden), features, most, seed)


@lru_cache(maxsize=32)
def _family(same: _Same, features: tuple[str, ...], most: int, seed: int) -> Family[Row]:
    import numpy as np

    golden = same.golden
    columns = {name: np.asarray(values, float) for name, values in golden.features.items()}
    has_some = np.logical_or.reduce([~np.isnan(columns[name]) for name in features])
    rows = np.flatnonzero(has_some)
    if not rows.size:
        raise UsageError(
            "no row of the golden set has a feature that could be missing",
            advice="Name features that some row has.",
        )
    # Whole rows are kept: one that loses each of its features says more than many that lose one.
    wanted = max(1, most // (len(features) + 2))
    if rows.size > wanted:
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.choice(rows, wanted, replace=False))
    groups = []
    for at in rows.tolist():
        text, document = golden.query_text[golden.row_query[at]], golden.row_doc[at]
        row = Row(text, document, {name: float(values[at]) for name, values in columns.items()})
        groups.append((row, tuple(_missing(row, features))))
    return of_rows(bounded(groups, most, seed))


def _missing(row: Row, features: tuple[str, ...]) -> Iterator[Edit[Row]]:
    held = [name for name in features if not math.isnan(row.features[name])]
    alone = [(name,) for name in held]
    for lost in (*alone, *((tuple(held),) if len(held) > 1 else ())):
        values = {**row.features, **dict.fromkeys(lost, math.nan)}
        yield Edit(Row(row.query, row.document, values), f"{', '.join(lost)} missing")
