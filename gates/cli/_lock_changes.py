"""Changes of a lock, as `gates lock diff` and `gates lock compile` show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gates.cli.common import Speech
from gates.dependencies import LockChange
from gates.locks.changes import grouped, licence_words, relicensed, summary

__all__ = ["changes_as_json", "show_changes"]

_HEADINGS = {
    "files swapped": "FILES SWAPPED: the same version, and none of the same files. An honest "
    "index never does that.",
    "files": "files more or fewer",
    "licence": "another licence",
}
_STYLES = {"files swapped": "bold red", "major": "bold yellow", "licence": "bold red"}
_WIDEST = 30
_INDENT = 2


def show_changes(changes: Sequence[LockChange], speech: Speech) -> None:
    """Print changes under their headings, and one line that sums them up.

    Args:
        changes: What changed.
        speech: Where to.
    """
    out = speech.out
    names = min(max((len(one.name) for one in changes), default=0), _WIDEST)
    moves = min(max((len(_move(one)) for one in changes), default=0), _WIDEST)
    for heading, members in grouped(changes).items():
        out.print(Text(_HEADINGS.get(heading, heading), _STYLES.get(heading, "bold")))
        for one in members:
            row = Table.grid(padding=(0, 2, 0, 0))
            row.add_column(width=names, overflow="fold")
            row.add_column(width=moves, overflow="fold")
            row.add_column(overflow="fold")
            row.add_row(one.name, _move(one), Text(_why(one), "dim"))
            out.print(Padding(row, (0, 0, 0, _INDENT), expand=False))
            if words := licence_words(one):
                loud = "bold red" if relicensed(one) == "changed" else "dim"
                line = Text(f"licence {words}", loud)
                out.print(Padding(line, (0, 0, 0, _INDENT + names + 2), expand=False))
        out.print()
    swapped = any(one.kind == "files" for one in changes)
    # Words are kept whole for people; a file or a pipe gets the one line that it can search.
    closing = Text(summary(changes), "bold red" if swapped else "bold")
    out.print(closing, soft_wrap=not out.is_terminal)


def _move(change: LockChange) -> Text:
    if change.kind == "added":
        return Text(change.new)
    if change.new and change.old != change.new:
        move = Text(f"{change.old} → {change.new}")
        return move.append(" ↓ downgraded", "yellow") if change.kind == "downgraded" else move
    return Text(change.old)


def _why(change: LockChange) -> str:
    if change.direct:
        return "asked for by name"
    return f"via {' → '.join(change.chain[:-1])}" if change.chain else ""


def changes_as_json(changes: Sequence[LockChange]) -> list[dict[str, Any]]:
    """Changes as JSON values, in the order in which they are shown."""
    return [
        {**asdict(one), "chain": list(one.chain), "relicensed": relicensed(one) or None}
        for members in grouped(changes).values()
        for one in members
    ]
