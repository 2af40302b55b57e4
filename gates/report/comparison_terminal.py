"""What a person sees in the terminal when two rankings were compared."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gates.comparison import Comparison
from gates.domain import Measurement
from gates.report import summary, text, wording
from gates.report.exhibits import ranking_difference
from gates.report.terminal import STYLES, queries, say, worded

__all__ = ["render"]


def render(comparison: Comparison, console: Console) -> None:
    """Print a comparison: the verdict and why, every metric, how alike the lists are, the slices.

    Args:
        comparison: What was compared; its text is never read as console markup.
        console: Where to; it decides about width and colour.
    """
    outcome = comparison.verdict.outcome
    line = Text(f"{summary.MARKS[outcome]} {outcome}  ", style=f"bold {STYLES[outcome]}")
    say(console, line.append_text(worded(summary.comparison_headline(comparison), "bold")))
    for reason in wording.reasons(comparison):
        say(console, worded(text.with_signs(reason.text)), 2)
    for note in comparison.notes:
        say(console, worded(f"note: {note}", "yellow"), 2)
    whole = [one for one in comparison.measurements if not one.slice]
    console.print()
    console.print(_differences([one for one in whole if one.metric.endswith(".delta")]))
    console.print()
    for one in whole:
        if not one.metric.endswith(".delta"):
            name = Text(f"{one.metric:<18}", "dim")
            say(console, name.append(wording.value_in_words(one)), 2)
    _slices(comparison, console)
    for exhibit in comparison.exhibits:
        if exhibit.kind == "ranking-diff":
            queries(ranking_difference("diff", exhibit), console, listed=True)
        elif exhibit.data["rows"]:
            _table(exhibit.title, exhibit.data["columns"], exhibit.data["rows"], console)


def _differences(measured: Sequence[Measurement]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("metric", style="bold")
    for name in ("old", "new", "difference", "interval", "queries", "n_eff", "mde"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in measured:
        known = one.extra
        mde, effective = known.get("mde"), known.get("n_eff")
        table.add_row(
            text.clean(one.metric.removesuffix(".delta")),
            text.number(known.get("old")),
            text.number(known.get("new")),
            text.signed(one.value),
            text.interval(one),
            f"{one.n:,}",
            f"{effective:,.0f}" if effective else "–",
            text.roughly(mde) if mde else "–",
        )
    return table


def _slices(comparison: Comparison, console: Console) -> None:
    judged = [one for one in comparison.judgements if one.bound.slice]
    if not judged:
        return
    console.print()
    table = Table(box=None, pad_edge=False)
    for name in ("slice", "", "difference", "demanded", "queries"):
        table.add_column(name, justify="right" if name in ("difference", "queries") else "left")
    for one in summary.reading_order(judged):
        table.add_row(
            Text(text.clean(one.bound.slice)),
            Text(f"{summary.MARKS[one.outcome]} {one.outcome}", style=STYLES[one.outcome]),
            text.amount(one.measurement),
            text.demand(one.bound),
            f"{one.measurement.n:,}" if one.measurement else "–",
        )
    console.print(table)


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], console: Console
) -> None:
    console.print()
    table = Table(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for name in columns:
        table.add_column(name)
    for row in rows[:10]:
        table.add_row(*(_cell(one) for one in row))
    console.print(table)


def _cell(value: object) -> Text:
    shown = text.number(value) if isinstance(value, int | float) else str(value or "–")
    return Text(text.clip(text.clean(shown), 60))
