"""What `gates lock bisect` prints: the answer in one line, then the tests, then the rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from gates.bisection import Bisection, DifferingRow, Trial
from gates.cli.common import Speech
from gates.report.text import clean, clip, count, number

__all__ = ["document", "render"]

_STYLES = {"nothing": "bold green", "changes": "bold red", "breaks": "bold red"}


def render(found: Bisection, speech: Speech, state_file: Path) -> None:
    """Print what was found, for people.

    Args:
        found: What was found.
        speech: Where to.
        state_file: What was tested is kept here.
    """
    speech.say(clean(found.sentence), _STYLES.get(found.kind, "bold yellow"))
    for note in found.notes:
        speech.say(f"  {clean(note)}")
    if found.trials:
        speech.out.print()
        speech.out.print(_tests(found))
    if found.alone and found.alone.difference and found.alone.difference.examples:
        speech.out.print()
        speech.out.print(_rows(found.alone.difference.examples))
    if found.advice:
        speech.out.print()
        speech.say("Next", "bold")
        for step in found.advice:
            speech.say(f"  {clean(step)}")
    kept = sum(one.kept for one in found.trials)
    tests = count(len(found.trials), "test") + (f", {kept} kept from before" if kept else "")
    built = count(found.built, "environment")
    speech.out.print()
    speech.say(
        f"{tests}; {built} built; {found.seconds:.0f} s; state: {state_file}",
        "dim",
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for one in columns:
        table.add_column(one, overflow="fold")
    return table


def _tests(found: Bisection) -> Table:
    table = _table("test", "changes", "outcome", "what", "seconds")
    for place, one in enumerate(found.trials, start=1):
        seconds = "kept" if one.kept else f"{one.seconds:.1f}"
        cells = str(place), _made(one, found), one.shows, _what(one), seconds
        table.add_row(*_plain(cells, 100))
    return table


def _made(trial: Trial, found: Bisection) -> str:
    count = f"{len(trial.changes)} of {len(found.changes)}"
    names = ", ".join(trial.changes[:3]) + (", …" if len(trial.changes) > 3 else "")
    return count if len(trial.changes) == len(found.changes) else f"{count}: {names}"


def _what(trial: Trial) -> str:
    if trial.failure:
        return trial.failure.words.partition("\n")[0]
    if trial.difference and trial.difference.any:
        return f"changes {trial.difference.words}"
    return "changes nothing"


def _rows(rows: Sequence[DifferingRow]) -> Table:
    documents = any(row.document for row in rows)
    what = "place" if documents else "label"
    first = ["query", "document"] if documents else ["query"]
    table = _table(*first, f"old {what}", f"new {what}", "old score", "new score")
    for row in rows:
        cells = [f"{row.query_id} {row.query}", *([row.document] if documents else [])]
        cells += [row.old, row.new, number(row.old_score), number(row.new_score)]
        table.add_row(*_plain(cells, 60))
    return table


def _plain(cells: Iterable[str], limit: int) -> list[Text]:
    """Cells that are never read as markup, and cannot drive the terminal."""
    return [Text(clip(clean(one), limit)) for one in cells]


def document(found: Bisection, state_file: Path) -> dict[str, Any]:
    """What was found, for machines.

    Args:
        found: What was found.
        state_file: What was tested is kept here.
    """

    def trial(one: Trial | None) -> dict[str, Any] | None:
        return asdict(one) if one else None

    def names(changes: Sequence[Any]) -> list[dict[str, str]]:
        return [
            {"name": one.name, "old": one.old, "new": one.new, "kind": one.kind} for one in changes
        ]

    return {
        "outcome": found.kind,
        "answer": found.sentence,
        "reason": found.reason or None,
        "notes": list(found.notes),
        "advice": list(found.advice),
        "changes": names(found.changes),
        "cause": names(found.cause),
        "roots": list(found.roots),
        "whole": trial(found.whole),
        "alone": trial(found.alone),
        "rest": trial(found.rest),
        "left_out": names(found.left_out),
        "smaller_sets_untold": found.untold,
        "tests": [trial(one) for one in found.trials],
        "environments_built": found.built,
        "seconds": round(found.seconds, 3),
        "state": str(state_file),
    }
