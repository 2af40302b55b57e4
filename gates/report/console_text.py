"""Paragraphs and lists of queries for a terminal, wrapped to its width, safe to print."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from gates.domain.judging import Outcome
from gates.report import text
from gates.report.differences import ShownDifference

__all__ = ["STYLES", "WORST", "as_text", "queries", "say"]

STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.UNDECIDED: "yellow",
    "WAIVED": "magenta",
}
WORST = 5


def as_text(value: str, style: str = "", limit: int = 1000) -> Text:
    """Text from evidence on one line, never read as markup."""
    return Text(" ".join(text.clip(text.clean(value), limit).split()), style=style)


def say(console: Console, line: Text, indent: int = 0) -> None:
    """Print a paragraph, wrapped and indented, without blanks at the ends of its lines."""
    width = max(console.width - indent, 20)
    broken = Text("\n").join(line.divide(_cuts(line.plain, width)))
    for part in broken.wrap(console, width, overflow="fold"):
        part.rstrip()
        console.print(Text(" " * indent).append_text(part), soft_wrap=True)


def _cuts(line: str, width: int) -> Iterator[int]:
    """Where names too long for a line may be broken: after a sign between their words."""
    for word in re.finditer(rf"\S{{{width + 1},}}", line):
        start = word.start()
        while word.end() - start > width:
            signs = [
                sign.end() for sign in re.finditer(r"[_./:,=\]-]", line[start : start + width])
            ]
            start += signs[-1] if signs else width
            yield start


def queries(difference: ShownDifference, console: Console, *, listed: bool, n: int = WORST) -> None:
    """How queries came out, and the worst of them with what stood first.

    Args:
        difference: Old and new lists.
        console: Where to.
        listed: Whether single queries are listed.
        n: How many.
    """
    counts = f"{difference.counts.losses:,} worse ({difference.counts.severe:,} severely), "
    counts += f"{difference.counts.ties:,} the same, {difference.counts.wins:,} better"
    console.print()
    say(console, Text(f"Queries in {text.clean(difference.difference.metric)}: {counts}"))
    for shown in difference.worst(n) if listed else ():
        query = shown.query
        change = f"{text.number(query.old)} → {text.number(query.new)}"
        line = Text(f"{text.signed(query.delta):<9}", style="red")
        say(
            console, line.append_text(as_text(query.text, limit=60)).append(f"  {change}", "dim"), 2
        )
        old, new = (
            places[0].title if places else "nothing" for places in (shown.old_list, shown.new_list)
        )
        if old != new:
            say(console, as_text(f"first was {text.clip(old, 90)}", "dim"), 11)
            say(console, as_text(f"now {text.clip(new, 90)}", "dim"), 17)
