"""Changes of a lock, as `gates lock diff` and `gates lock compile` show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.padding import Padding
from rich.text import Text

from gates.cli.common import Speech
from gates.domain.lock_changes import grouped, licence_words, relicensed, summary
from gates.domain.lock_report import LockChange

__all__ = ["changes_as_json", "show_changes"]

_HEADINGS = {
    "files swapped": "FILES SWAPPED: the same version, and none of the same files. An honest "
    "index never does that.",
    "files": "files more or fewer",
    "licence": "another licence",
}
_STYLES = {"files swapped": "bold red", "major": "bold yellow"}
_INDENT = 6
_NAME_WIDTH = 28  # a longer name pushes its own line, not all others


def show_changes(changes: Sequence[LockChange], speech: Speech) -> None:
    """Print changes under their headings, and one line that sums them up.

    Args:
        changes: What changed.
        speech: Where to.
    """
    out = speech.out
    names = min(max((len(one.name) for one in changes), default=0), _NAME_WIDTH)
    moves = max((len(_move(one)) for one in changes), default=0)
    for heading, members in grouped(changes).items():
        out.print(Text(_HEADINGS.get(heading, heading), _STYLES.get(heading, "bold")))
        for one in members:
            line = Text(f"  {one.name.ljust(names)}  ").append_text(_move(one))
            why = Text(_why(one), "dim")
            beside = max(2 + names + 2 + moves, len(line)) + 2
            fits = beside + len(why) <= out.width
            if fits and why:
                line = line.append(" " * (beside - len(line))).append_text(why)
            out.print(line)
            if not fits:
                out.print(Padding(why, (0, 0, 0, _INDENT), expand=False))
            if words := licence_words(one):
                loud = "bold red" if relicensed(one) == "changed" else "dim"
                out.print(Padding(Text(f"licence {words}", loud), (0, 0, 0, _INDENT), expand=False))
        out.print()
    swapped = any(one.kind == "files" for one in changes)
    # Words are kept whole for people; a file or a pipe gets the one line that it can search.
    closing = Text(summary(changes), "bold red" if swapped else "bold")
    out.print(closing, soft_wrap=not out.is_terminal)


def _move(change: LockChange) -> Text:
    if change.old == change.new or not (change.old and change.new):
        return Text(change.new or change.old)
    move = Text(f"{change.old} → {change.new}")
    return move.append(" ↓", "bold yellow") if change.kind == "downgraded" else move


def _why(change: LockChange) -> str:
    if change.direct:
        return "asked for"
    return f"via {' → '.join(change.chain[:-1])}" if change.chain else ""


def changes_as_json(changes: Sequence[LockChange]) -> list[dict[str, Any]]:
    """Changes as JSON values, in the order in which they are shown."""
    return [
        {**asdict(one), "chain": list(one.chain), "relicensed": relicensed(one) or None}
        for members in grouped(changes).values()
        for one in members
    ]
