"""What a model is judged by, before and after: queries added, removed, changed; the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gates.card.card import Card
from gates.domain.review import CriteriaChanges, PolicyMove, QueryMove
from gates.domain.subject import GoldenSet
from gates.golden import read_golden

__all__ = ["criteria_changes"]

_LISTED = 50
_CLIP = 200
_TABLES = frozenset(
    {"queries.csv", "candidates.csv", "candidates.parquet", "judgments.csv", "annotations.csv"}
    | {"expectations.csv"}
)
_Facts = Mapping[str, Mapping[str, Any]]


def criteria_changes(before: Card, after: Card, files: tuple[str, ...]) -> CriteriaChanges:
    """What differs between two cards and the golden sets that they name.

    Args:
        before: The card in the base, its golden set beside it.
        after: The card as it is now, likewise.
        files: The changed files, from the project's folder.

    Returns:
        What moved; lists are cut to their first 50.

    Raises:
        GoldenError: One of the golden sets is not valid.
    """
    old, new = read_golden(before.golden_path), read_golden(after.golden_path)
    was, now = _facts(old), _facts(new)
    texts = dict(zip(old.query_id, old.query_text, strict=True))
    texts |= dict(zip(new.query_id, new.query_text, strict=True))
    added = [one for one in now if one not in was]
    removed = [one for one in was if one not in now]
    changed = [
        (one, what) for one in now if one in was and (what := _differing(was[one], now[one]))
    ]

    def move(query: str, what: str = "") -> QueryMove:
        return QueryMove(query[:_CLIP], texts[query][:_CLIP], what)

    golden = after.golden_path.relative_to(after.project).as_posix() + "/"
    others = [one for one in files if one.startswith(golden) and Path(one).name not in _TABLES]
    return CriteriaChanges(
        (len(was), len(now)),
        tuple(move(one) for one in added[:_LISTED]),
        tuple(move(one) for one in removed[:_LISTED]),
        tuple(move(*one) for one in changed[:_LISTED]),
        (len(added), len(removed), len(changed)),
        tuple(_policy(before, after))[:_LISTED],
        tuple(others[:_LISTED]),
    )


def _differing(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return ", ".join(name for name in now if was.get(name) != now[name])


def _facts(golden: GoldenSet) -> _Facts:
    """Query → what the set says of it, part by part."""
    found: dict[str, dict[str, Any]] = {
        one: {"text": text, "weight": [], "slices": [], "candidates": {}, "judgments": {}}
        | {"expectations": []}
        for one, text in zip(golden.query_id, golden.query_text, strict=True)
    }
    by_place = list(found.values())
    for q, facts in enumerate(by_place):
        facts["weight"] = [golden.weight[q], golden.census[q], golden.inclusion[q]]
        facts["slices"] = [(column, values[q]) for column, values in golden.slices.items()]
    columns = [(name, values) for name, values in golden.inputs().items()]
    for row, q in enumerate(golden.row_query):
        known = [golden.row_title[row], *((name, _plain(values[row])) for name, values in columns)]
        by_place[q]["candidates"][golden.row_doc[row]] = known
    for place, q in enumerate(golden.judged_query):
        by_place[q]["judgments"][golden.judged_doc[place]] = float(golden.grade[place])
    for one in golden.expectations:
        wanted = (one.kind, one.target, one.k, one.low, one.high, one.than)
        by_place[one.query]["expectations"].append(wanted)
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any type
    # NaN differs from itself, and a missing feature is no change.
    return None if value != value else value


def _policy(before: Card, after: Card) -> Iterator[PolicyMove]:
    was = dict(_flat(before.policy.model_dump(mode="json", exclude_unset=True)))
    now = dict(_flat(after.policy.model_dump(mode="json", exclude_unset=True)))
    for key in [*now, *(one for one in was if one not in now)]:
        if was.get(key) != now.get(key):
            yield PolicyMove(key[:_CLIP], was.get(key, "")[:_CLIP], now.get(key, "")[:_CLIP])


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON values
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _flat(one, f"{place} › {key}" if place else str(key))
    elif isinstance(value, list):
        yield place, ", ".join(map(str, value))
    else:
        yield place, "on" if value is None or value == {} else str(value)
