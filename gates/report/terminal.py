"""What a person sees in the terminal when the gate ends: the verdict first, then why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gates.domain import Judgement, Outcome
from gates.evidence import Evidence
from gates.report import summary, text
from gates.report.differences import RankingDifference, ranking_differences

__all__ = ["render"]

_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.UNDECIDED: "yellow"}
_REASONS = 8
_WORST = 5
# As many passing slices as leave the failing ones and the advice on one screen.
_PASSING_SLICES = 3


def render(evidence: Evidence, console: Console, *, folder: Path | None = None) -> None:
    """Print a run: verdict and reasons, the bounds, the worst queries, what to do next.

    Text from evidence is printed as it is: it is never read as console markup, and what could
    drive the terminal is taken out.

    Args:
        evidence: The run.
        console: Where to; it decides about width and colour.
        folder: Where evidence and reports were written, when they were.

    Raises:
        EvidenceError: A ranking difference in it is damaged.
    """
    _verdict(evidence, console)
    console.print(_bounds(evidence))
    for difference in ranking_differences(evidence):
        if difference.worst(1):
            console.print(_worst(difference))
    console.print()
    console.print(Text("Next", style="bold"))
    for step in summary.next_steps(evidence):
        console.print(Padding(_text(text.with_signs(step.text)), (0, 0, 0, 2)))
        if step.command:
            # Unwrapped, so that it can be copied whole.
            console.print(Text(f"    {text.clean(step.command)}", style="bold"), soft_wrap=True)
    if folder:
        console.print()
        for name, file in (("Report", "report.html"), ("Evidence", "evidence.json")):
            console.print(Text(f"{name:<9} {text.clean(str(folder / file))}"), soft_wrap=True)


def _text(value: str, style: str = "", limit: int = 1000) -> Text:
    return Text(" ".join(text.clip(text.clean(value), limit).split()), style=style)


def _verdict(evidence: Evidence, console: Console) -> None:
    outcome, reasons = evidence.verdict.outcome, evidence.verdict.reasons
    style = _STYLES[outcome]
    line = Text(f"{summary.MARKS[outcome]} {outcome}  ", style=f"bold {style}")
    console.print(line + _text(summary.headline(evidence), "bold"))
    for reason in reasons[:_REASONS]:
        console.print(Padding(_text(text.with_signs(reason)), (0, 0, 0, 2)))
    if len(reasons) > _REASONS:
        console.print(f"  and {text.count(len(reasons) - _REASONS, 'more reason')}")
    golden = f"{summary.versions(evidence)}; golden set {evidence.golden.name}, "
    golden += text.count(evidence.golden.queries, "query", "queries")
    console.print(Padding(_text(golden, "dim"), (0, 0, 0, 2)))
    if evidence.golden.synthetic:
        console.print(Text("  SYNTHETIC DATA: says nothing about real customers", style="yellow"))
    for warning in evidence.golden.warnings[:3]:
        console.print(Padding(_text(f"golden set: {warning}", "dim"), (0, 0, 0, 2)))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _bounds(evidence: Evidence) -> Padding:
    shown, folded = _folded(summary.reading_order(evidence.judgements))
    table = _table("Outcome", "Measurement", "Value [interval]", "Demanded")
    for column in (0, 2, 3):
        table.columns[column].no_wrap = True
    for judgement in shown:
        bound, outcome = judgement.bound, judgement.outcome
        mark = Text(f"{summary.MARKS[outcome]} {outcome}", style=_STYLES[outcome])
        if bound.advisory:
            mark.append("\n  advisory", style="dim")
        name = _text(bound.check, "dim").append(" ")
        name.append_text(_text(bound.id.partition("::")[2], limit=120))
        table.add_row(mark, name, text.amount(judgement.measurement), text.demand(bound))
    if folded:
        table.add_row(
            Text("✓ PASS", style="green"), _text(f"{text.count(folded, 'more slice')} in bounds")
        )
    return Padding(table, (1, 0, 0, 0))


def _folded(judgements: Iterable[Judgement]) -> tuple[Sequence[Judgement], int]:
    """The judgements to list, and how many passing slices are only counted."""
    every = list(judgements)
    passing = [j for j in every if j.bound.slice and j.outcome is Outcome.PASS]
    if len(passing) <= _PASSING_SLICES:
        return every, 0
    return [j for j in every if j not in passing], len(passing)


def _worst(difference: RankingDifference) -> Padding:
    table = _table("Worst queries", difference.metric, "Change", "First document")
    table.columns[0].ratio = table.columns[3].ratio = 1
    table.columns[1].no_wrap = table.columns[2].no_wrap = True
    table.expand = True
    for query in difference.worst(_WORST):
        first = [
            places[0].title if places else "nothing" for places in (query.old_list, query.new_list)
        ]
        change = "same" if first[0] == first[1] else f"{first[0]} → {first[1]}"
        table.add_row(
            _text(query.text, limit=60),
            f"{text.number(query.old)} → {text.number(query.new)}",
            Text(text.signed(query.delta), style="red"),
            _text(change, limit=90),
        )
    counts = f"{difference.losses} worse ({difference.severe_losses} severely), "
    counts += f"{difference.ties} the same, {difference.wins} better"
    table.caption, table.caption_justify = Text(counts, style="dim"), "left"
    return Padding(table, (1, 0, 0, 0))
