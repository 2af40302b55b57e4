"""What a share would be without the items of queries that the card waives."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

__all__ = ["share_without"]


def share_without(waived: AbstractSet[str], items: Iterable[tuple[str, bool]]) -> float | None:
    """The share of items that hold, without those of waived queries.

    Args:
        waived: Ids of golden queries.
        items: For each item its query's id, and whether it holds.

    Returns:
        None where no query is waived, or nothing else is left.
    """
    kept = [holds for query, holds in items if query not in waived]
    return sum(kept) / len(kept) if waived and kept else None
