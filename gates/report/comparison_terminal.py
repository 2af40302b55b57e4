"""What a person sees in the terminal when two rankings were compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gates.domain.comparison import Comparison
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Judgement, Outcome
from gates.report import contrasts, summary, text, wording
from gates.report.console_text import STYLES, WORST, as_text, queries, say
from gates.report.differences import shown_differences

__all__ = ["render"]

_ROWS, _ROWS_VERBOSE = 5, 50
_WORST_VERBOSE = 20
_NOTES = 3


def render(
    comparison: Comparison, console: Console, *, verbose: bool = False, page: Path | None = None
) -> None:
    """Print a comparison: the verdict, the metrics, slices, the worst queries, what to look at.

    Text from the files is printed as it is: it is never read as console markup, and what could
    drive the terminal is taken out.

    Args:
        comparison: The record.
        console: Where to; it decides about width and colour.
        verbose: Show every note and slice, and more queries and rows of tables.
        page: Where the HTML page was written, when it was.
    """
    _head(comparison, console, verbose=verbose)
    _quality(comparison, console, verbose=verbose)
    _likeness(comparison, console)
    _slices(comparison.judgements, console, verbose=verbose)
    for difference in shown_differences(comparison.exhibits):
        queries(difference, console, listed=True, n=_WORST_VERBOSE if verbose else WORST)
    for exhibit in comparison.exhibits:
        if isinstance(exhibit, Table):
            _table(exhibit, console, _ROWS_VERBOSE if verbose else _ROWS)
    if page:
        console.print()
        console.print(Text(f"Page  {text.clean(str(page))}"), soft_wrap=True)


def _head(comparison: Comparison, console: Console, *, verbose: bool) -> None:
    outcome = comparison.verdict.outcome
    line = Text(f"{summary.MARKS[outcome]} {outcome}  ", style=f"bold {STYLES[outcome]}")
    say(console, line.append_text(as_text(summary.comparison_headline(comparison), "bold")))
    for reason in wording.reasons(comparison):
        say(console, as_text(text.with_signs(reason.text)), 2)
    asked = f"{text.count(comparison.queries, 'query', 'queries')} judged by {comparison.metric}, "
    asked += f"which may lose {text.number(comparison.margin)}"
    say(console, as_text(asked, "dim"), 2)
    notes = comparison.notes if verbose else comparison.notes[:_NOTES]
    for note in notes:
        say(console, as_text(f"note: {text.with_signs(note)}", "yellow"), 2)
    if hidden := len(comparison.notes) - len(notes):
        say(console, Text(f"and {text.count(hidden, 'more note')}", style="dim"), 2)


def _quality(comparison: Comparison, console: Console, *, verbose: bool) -> None:
    measured = contrasts.quality(comparison)
    rows = [contrasts.COLUMNS, *map(contrasts.cells, measured)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    if not measured:
        return
    console.print()
    if 2 + sum(widths) + 2 * (len(widths) - 1) <= console.width:
        for number, row in enumerate(rows):
            cells = [
                cell + " " * (width - cell_len(cell)) if first else cell.rjust(width)
                for first, cell, width in zip(
                    (i == 0 for i in range(len(row))), row, widths, strict=True
                )
            ]
            say(console, Text("  ".join(cells), style="" if number else "dim"), 2)
    else:
        for row in rows[1:]:
            say(console, Text(row[0], style="bold"), 2)
            pairs = zip(contrasts.COLUMNS[1:], row[1:], strict=True)
            say(
                console,
                Text(", ".join(f"{name.lower()} {cell}" for name, cell in pairs if cell)),
                4,
            )
    for one in measured if verbose else measured[:1]:
        if remarks := contrasts.remarks(one):
            name = one.metric.removesuffix(".delta")
            say(console, as_text(f"{name}: {', '.join(remarks)}", "dim"), 2)


def _likeness(comparison: Comparison, console: Console) -> None:
    measured = contrasts.likeness(comparison)
    if not measured:
        return
    width = max(cell_len(text.clean(one.metric)) for one in measured)
    console.print()
    for one in measured:
        name = as_text(one.metric, "dim")
        name.pad_right(width - name.cell_len + 2)
        say(console, name.append(wording.value_in_words(one)), 2)


def _slices(judgements: Sequence[Judgement], console: Console, *, verbose: bool) -> None:
    judged = summary.reading_order(one for one in judgements if one.bound.slice)
    held = [one for one in judged if one.outcome is Outcome.PASS]
    shown = judged if verbose else [one for one in judged if one not in held]
    if judged:
        console.print()
        say(console, Text(f"{text.count(len(judged), 'slice')} judged, {len(held)} within bounds"))
    for one in shown:
        mark = Text(f"{summary.MARKS[one.outcome]} {one.outcome}  ", style=STYLES[one.outcome])
        words = f"{wording.value_in_words(one.measurement)}, demanded {text.demand(one.bound)}"
        if one.measurement is None or one.measurement.value is None:
            words = text.with_signs(one.reason)
        say(console, mark.append_text(as_text(f"{one.bound.slice}  {words}")), 2)


def _table(exhibit: Table, console: Console, limit: int) -> None:
    rows = exhibit.rows
    console.print()
    say(console, as_text(exhibit.title))
    for row in rows[:limit]:
        pairs = zip(exhibit.columns, row, strict=False)
        first, *others = [(name, _cell(value)) for name, value in pairs if value is not None]
        line = as_text(first[1], limit=90)
        rest = ", ".join(f"{name.lower()} {value}" for name, value in others)
        say(console, line.append("  ").append_text(as_text(rest, "dim", limit=300)), 2)
    if len(rows) > limit:
        more = text.count(len(rows) - limit, "more row")
        say(console, Text(f"and {more}", style="dim"), 2)


def _cell(value: Cell) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return text.number(value) if isinstance(value, (int, float)) else text.clip(str(value), 90)
