"""Metrics with a depth: `ndcg@{k}` in a catalogue, `ndcg@10` where somebody asks for it."""

from __future__ import annotations

import re

__all__ = ["depth_in"]


def depth_in(name: str, catalogued: str) -> int | None:
    """What `{k}` stands for in a name: 10 in `ndcg@10`, 0 in one without; None for another metric.

    Args:
        name: As a card or a command has it.
        catalogued: As a catalogue has it, perhaps with `{k}`.
    """
    pattern = re.escape(catalogued).replace(re.escape("{k}"), r"([1-9]\d{0,3})")
    found = re.fullmatch(pattern, name)
    if found is None:
        return None
    return int(found[1]) if found.groups() else 0
