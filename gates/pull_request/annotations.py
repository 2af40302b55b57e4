"""Findings that have a file and a line, as annotations that GitHub shows in the changed files.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gates.card.card import Card
from gates.domain.exhibits import Table
from gates.domain.judging import Judgement, Outcome
from gates.domain.review import Review
from gates.evidence.evidence import Evidence
from gates.report.summary import outcome_of

__all__ = ["Annotation", "annotate", "commands"]

# GitHub shows ten of each level a step, and drops the rest.
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark at a line of a file.

    Attributes:
        level: How loud.
        path: The file, from the project's folder.
        line: Its line, from 1.
        title: A few words.
        message: A sentence or more.
    """

    level: Literal["error", "warning"]
    path: str
    line: int
    title: str
    message: str


def annotate(review: Review, evidence: Evidence | None, card: Card | None) -> list[Annotation]:
    """What can be said at a line: of an invalid file, of the lock, of a bound, of an expectation.

    Args:
        evidence: Its evidence, when it has one.
        card: The card as it is now, when it can be read.
    """
    found: list[Annotation] = []
    trouble = review.trouble
    if trouble and trouble.path:
        level: Literal["error", "warning"] = "error" if review.outcome == "ERROR" else "warning"
        words = f"{trouble.message}\n{trouble.advice}".strip()
        found.append(Annotation(level, trouble.path, trouble.line or 1, review.change.model, words))
    if evidence and card:
        golden = card.golden_path.relative_to(card.project).as_posix()
        lock = f"models/{review.change.model}/requirements.txt"
        found += _of_tables(evidence, lock, golden)
        found += _of_bounds(evidence.judgements, card)
    return found


def commands(
    found: Iterable[Annotation], inside: str, changed_lines: Callable[[str], frozenset[int]]
) -> list[str]:
    """Annotations as workflow commands, those on changed lines first, as many as are shown.

    Args:
        inside: The project's folder from the top of the repository, with a slash; may be empty.
        changed_lines: Gives the lines of a file that the pull request changed.
    """

    def is_elsewhere(one: Annotation) -> bool:
        return one.line not in changed_lines(one.path)

    lines: list[str] = []
    ordered = sorted(dict.fromkeys(found), key=is_elsewhere)
    for level in ("error", "warning"):
        chosen = [one for one in ordered if one.level == level][:_SHOWN]
        lines += [
            f"::{level} file={_property(inside + one.path)},line={one.line},"
            f"title={_property(one.title)}::{_data(one.message)}"
            for one in chosen
        ]
    return lines


def _of_tables(evidence: Evidence, lock: str, golden: str) -> Iterator[Annotation]:
    """Rows of tables that say in which line of the lock, or of a golden file, they stand."""
    for record in evidence.records:
        for table in record.exhibits:
            if not isinstance(table, Table) or table.lines is None:
                continue
            file, at = table.lines
            path = lock if file == "lock" else f"{golden}/{file}"
            # Evidence of a fork's run may hold anything: a row may be shorter than its heading.
            for row in (one for one in table.rows if at < len(one)):
                line = row[at]
                if isinstance(line, int) and line > 0:
                    pairs = zip(table.columns, row, strict=False)
                    cells = [f"{column}: {cell}" for column, cell in pairs]
                    words = ", ".join(cells[:at] + cells[at + 1 :])[:1000]
                    yield Annotation("error", path, line, record.check, words)


def _of_bounds(judgements: Sequence[Judgement], card: Card) -> Iterator[Annotation]:
    """Bounds that did not hold, at their line of the card."""
    path = card.path.relative_to(card.project).as_posix()
    if not path.startswith("model_cards/"):
        return
    for one in judgements:
        if one.outcome is Outcome.PASS or one.bound.check == "tests":
            continue
        place = ["checks", one.bound.check, "bounds", one.bound.metric]
        if one.bound.slice:
            column = one.bound.slice.partition("=")[0]
            named = card.policy.checks.get(one.bound.check)
            limits = (named.bounds or {}).get(one.bound.metric) if named else None
            exact = limits is not None and one.bound.slice in limits.slices
            place += ["slices", one.bound.slice if exact else column]
        failed = one.outcome is Outcome.FAIL and not (one.bound.advisory or one.is_waived)
        level: Literal["error", "warning"] = "error" if failed else "warning"
        line = card.lines.of(*place) or 1
        yield Annotation(level, path, line, f"{outcome_of(one)}: {one.bound.id}", one.reason[:1000])


def _data(text: str) -> str:
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "�", text)
    return clean.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
