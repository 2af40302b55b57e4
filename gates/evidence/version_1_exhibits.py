"""The exhibits of `mlgates.evidence/1`, brought to the form of today.

That form held all of an exhibit but kind and title in one object without a schema, and what it was
was told by its headings. Those are read here and nowhere else, as that version wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gates.domain.exhibits import TableId

__all__ = ["exhibit_brought_up"]

_LINES = {
    "lock": "line of the lock",
    "expectations.csv": "line of expectations.csv",
    "never-show.csv": "line of never-show.csv",
}
_TITLES = {
    TableId.JUDGE_NEXT: "Documents to judge next",
    TableId.WORST_SLICES: "Where the candidate is worst",
}
_WORDS = "in words"


def exhibit_brought_up(exhibit: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same exhibit in the form of today; a damaged one stays so, for its reader to find.

    Args:
        exhibit: `kind`, `title` and `data`.
    """
    data = exhibit.get("data")
    if not isinstance(data, dict):
        return exhibit
    known = {"kind": exhibit.get("kind"), "title": exhibit.get("title")}
    try:
        if exhibit.get("kind") == "ranking-diff":
            return {**data, **known, **_ranking(data)}
        return {**data, **known, **_table(str(exhibit.get("title")), data)}
    except (AttributeError, IndexError, KeyError, TypeError):
        return exhibit


def _table(title: str, data: Mapping[str, Any]) -> dict[str, Any]:
    columns: Sequence[str] = data["columns"]
    lines = [(file, columns.index(words)) for file, words in _LINES.items() if words in columns]
    examples = []
    if _WORDS in columns:
        at = columns.index(_WORDS)
        examples = [(f"invariance.{row[0]}", row[at]) for row in data["rows"]]
    return {
        "id": next((one for one, words in _TITLES.items() if title.startswith(words)), None),
        "lines": lines[0] if lines else None,
        "examples": examples,
    }


def _ranking(data: Mapping[str, Any]) -> dict[str, Any]:
    why = data.get("why") or {}
    return {
        "queries": [
            {**one, "moves": [_move(move) for move in one.get("why") or ()]}
            for one in data["queries"]
        ],
        "why_note": why.get("note") or "",
        "why_reason": why.get("reason") or "",
    }


def _move(move: Mapping[str, Any]) -> dict[str, Any]:
    before, after = move.get("from"), move.get("to")
    features = move.get("features") or ()
    return {
        "document": move.get("doc"),
        "before": before,
        "after": after,
        "dcg": move.get("dcg"),
        "features": features,
    }
