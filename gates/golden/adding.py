"""Putting one query with its label into a golden set, as a person who found it would."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gates.domain.golden_set import GoldenSet
from gates.errors import UsageError
from gates.golden.expectations import JUDGED
from gates.golden.files import read_text
from gates.golden.recording import COLUMNS
from gates.golden.sheet import difference, read_sheet
from gates.system.strict_yaml import nearest

__all__ = ["Addition", "FileChange", "PersonsAnswer", "add"]


@dataclass(frozen=True, slots=True)
class PersonsAnswer:
    """What a person says of one query.

    Attributes:
        query: What a shopper types.
        label: The label it must get.
        low: Least score; None for 0.
        high: Greatest score; None for 1.
        weight: Its traffic; None for the least of the set.
        slices: Slice column → value; those not given stay empty.
    """

    query: str
    label: str
    low: float | None = None
    high: float | None = None
    weight: float | None = None
    slices: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file as it is and as it would be."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The difference as a unified diff; empty when nothing changes."""
        return difference(self.path, self.before, self.after)


@dataclass(frozen=True, slots=True)
class Addition:
    """What adding makes of a golden set; nothing is written yet.

    Attributes:
        query_id: The query's id.
        is_new: Whether the query was not in the set.
        changes: The files that change, in the order in which they are safely written.
        warnings: What may be a slip: a label that nothing else expects, a query like another.
    """

    query_id: str
    is_new: bool
    changes: tuple[FileChange, ...]
    warnings: tuple[str, ...] = ()


def add(golden: GoldenSet, judged: PersonsAnswer) -> Addition:
    """What one more judged query makes of a classification set.

    A query that is in the set gets its expectation. A new one also gets a row of `queries.csv`: it
    was chosen, not drawn, so it is marked `census` and stands for its own traffic alone.

    Args:
        judged: The query and what is expected of it.

    Returns:
        The addition; nothing is written.

    Raises:
        UsageError: The set is no classification set, something judged makes no sense, or the query
            has its expectation already.
        GoldenError: A file has line ends that cannot be kept.
    """
    _require_sense(golden, judged)
    if judged.query in golden.query_text:
        at = golden.query_text.index(judged.query)
        query_id = golden.query_id[at]
        _require_unexpected(golden, at)
        changes: tuple[FileChange, ...] = (_expecting(golden, judged, query_id),)
        return Addition(query_id, False, changes, tuple(_new_label(golden, judged.label)))
    query_id = _new_id(golden, judged.query)
    # In this order a set is valid whenever the writing ends: a query may be without expectation.
    changes = (_listing(golden, judged, query_id), _expecting(golden, judged, query_id))
    warnings = (*_alike(golden, judged.query), *_new_label(golden, judged.label))
    return Addition(query_id, True, changes, warnings)


def _alike(golden: GoldenSet, query: str) -> Iterator[str]:
    for held, name in zip(golden.query_text, golden.query_id, strict=True):
        if _plain(held) == _plain(query):
            yield f"'{held}' ({name}) is in the set already; only case or blanks tell them apart"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _new_label(golden: GoldenSet, label: str) -> Iterator[str]:
    known = {one.target for one in golden.expectations}
    if known and label not in known:
        close = difflib.get_close_matches(label, sorted(known), n=1)
        near = f"; did you mean '{close[0]}'?" if close else ""
        yield f"no other query of the set is expected to be '{label}'{near}"


def _new_id(golden: GoldenSet, query: str) -> str:
    """An id made from the text, so that two people's additions do not meet in one id."""
    digest, taken = hashlib.sha256(query.encode()).hexdigest(), set(golden.query_id)
    ids = (f"added-{digest[:length]}" for length in range(8, len(digest) + 1))
    return next(one for one in ids if one not in taken)


def _require_sense(golden: GoldenSet, judged: PersonsAnswer) -> None:
    task = golden.manifest.task
    if "label" not in task.expectations:
        raise UsageError(
            f"{golden.path} is for {task.called} model: a query alone says nothing",
            advice="add its candidates, and who must be first, in the top or not there, by hand",
        )
    for name, text in (("query", judged.query), ("label", judged.label)):
        if not text.strip() or not text.isprintable():
            raise UsageError(
                f"--{name} {text!r} is blank or has characters that cannot be seen",
                advice="give what a shopper types, in one line" if name == "query" else "",
            )
    low = 0.0 if judged.low is None else judged.low
    high = 1.0 if judged.high is None else judged.high
    if not float("-inf") < low <= high < float("inf"):
        raise UsageError(
            f"no score is at least {low:g} and at most {high:g}",
            advice="give --low and --high as numbers, the lower one first (0 and 1 if left out)",
        )
    if judged.weight is not None and not 0 < judged.weight < float("inf"):
        raise UsageError(f"--weight {judged.weight:g} is no traffic", advice="give more than 0")
    for column in judged.slices or {}:
        if column not in golden.slices:
            raise UsageError(
                f"the golden set has no slice column '{column}'",
                advice=nearest(column, golden.slices),
            )


def _require_unexpected(golden: GoldenSet, at: int) -> None:
    held = next((one for one in golden.expectations if one.query == at), None)
    if held:
        raise UsageError(
            f"'{golden.query_text[at]}' is expected to be {held.target} already: "
            f"{golden.path / 'expectations.csv'}:{held.line}",
            advice="change that line if it is wrong",
        )


def _listing(golden: GoldenSet, judged: PersonsAnswer, query_id: str) -> FileChange:
    path = golden.path / "queries.csv"
    before = read_text(path)
    sheet = read_sheet(path, before, len(golden.query_id), ())
    weight = min(golden.weight.tolist()) if judged.weight is None else judged.weight
    cells = {"query_id": query_id, "query": judged.query, **(judged.slices or {})}
    cells |= {"weight": f"{weight:.10g}", "sampling": "census"}
    return FileChange(path, before, sheet.text([*sheet.raw, sheet.row(cells)]))


def _expecting(golden: GoldenSet, judged: PersonsAnswer, query_id: str) -> FileChange:
    path = golden.path / "expectations.csv"
    before = read_text(path) if path.exists() else ""
    sheet = read_sheet(path, before, len(golden.expectations), tuple(COLUMNS))
    sheet.widen(COLUMNS)
    cells = {"query_id": query_id, "expect": "label", "target": judged.label, "source": JUDGED}
    cells |= {
        name: f"{value:.10g}"
        for name, value in (("low", judged.low), ("high", judged.high))
        if value is not None
    }
    return FileChange(path, before, sheet.text([*sheet.raw, sheet.row(cells)]))
