"""What a person sees in the terminal when the gate ends: the verdict first, then why."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gates.domain.judging import Judgement, Outcome, deciding
from gates.evidence.evidence import Evidence
from gates.report import advice, summary, text, wording
from gates.report.console_text import STYLES, as_text, queries, say
from gates.report.differences import shown_differences
from gates.report.section import Section
from gates.report.sections import sections

__all__ = ["FILE", "print_report", "render"]

FILE = ""
_WIDTH = 100

# As many as leave the advice on the same screen.
_REMARK = 160
_REASONS = 8
_OWN_TESTS = 3
_CASES = 3
_HOLDS, _HOLDS_ADVISORY = ("PASS", False), ("PASS", True)


def render(evidence: Evidence) -> str:
    """What a terminal of a hundred columns without colours would show."""
    out = io.StringIO()
    print_report(evidence, Console(file=out, width=_WIDTH, color_system=None, highlight=False))
    return out.getvalue()


def print_report(evidence: Evidence, console: Console, *, folder: Path | None = None) -> None:
    """Print a run: the verdict, every bound that did not pass, what passed, what to do next.

    Text from evidence is printed as it is: it is never read as console markup, and what could
    drive the terminal is taken out. Lines are wrapped to the console's width, never cut; only
    commands and paths are left whole, so that they can be copied.

    Args:
        console: Where to; it decides about width and colour.
        folder: Where evidence and reports were written, when they were.
    """
    _head(evidence, console)
    _bounds(evidence, console)
    for difference in shown_differences(evidence.exhibits):
        queries(difference, console, listed=evidence.verdict.outcome is not Outcome.PASS)
    for section in sections(evidence):
        _section(section, console)
    console.print()
    console.print(Text("Next", style="bold"))
    for step in advice.next_steps(evidence):
        say(console, as_text(text.with_signs(step.text)), 2)
        if step.command:
            console.print(Text(f"    {text.clean(step.command)}", style="bold"), soft_wrap=True)
    if folder:
        console.print()
        for name, file in (("Report", "report.html"), ("Evidence", "evidence.json")):
            console.print(Text(f"{name:<9} {text.clean(str(folder / file))}"), soft_wrap=True)


def _head(evidence: Evidence, console: Console) -> None:
    outcome = evidence.verdict.outcome
    line = Text(f"{summary.MARKS[outcome]} {outcome}  ", style=f"bold {STYLES[outcome]}")
    say(console, line.append_text(as_text(summary.headline(evidence), "bold")))
    if not deciding(evidence.judgements):
        for reason in wording.reasons(evidence):
            say(console, as_text(text.with_signs(reason.text)), 2)
    golden = f"{summary.versions(evidence)}; golden set {evidence.golden.name}, "
    golden += summary.golden_size(evidence)
    say(console, as_text(golden, "dim"), 2)
    if evidence.golden.synthetic:
        words = "SYNTHETIC DATA: says nothing about real customers"
        say(console, Text(words, style="yellow"), 2)
    for warning in evidence.golden.warnings[:3]:
        say(console, as_text(f"golden set: {warning}", "dim"), 2)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How wide names and values are; `columns` is False where they do not fit side by side."""

    name: int
    value: int
    columns: bool


def _bounds(evidence: Evidence, console: Console) -> None:
    groups: dict[tuple[str, bool], list[Judgement]] = {}
    for one in summary.reading_order(evidence.judgements):
        groups.setdefault((summary.outcome_of(one), one.bound.advisory), []).append(one)
    shown = {key: _listed(group) for key, group in groups.items() if key != _HOLDS_ADVISORY}
    layout = _layout([one for group in shown.values() for one in group], console.width)
    for (outcome, is_advisory), group in shown.items():
        title = f"{summary.MARKS[outcome]} {outcome}{', advisory' if is_advisory else ''}"
        heading = Text(title, style=STYLES[outcome])
        if outcome == Outcome.UNDECIDED and group:
            heading.append(f"  {wording.ASTRIDE}", style="dim")
        console.print()
        say(console, heading)
        _rows(group, layout, console)
        if outcome != Outcome.PASS:
            _sentences(groups[outcome, is_advisory], console)
    _rest(groups.get(_HOLDS, []), shown.get(_HOLDS, []), groups.get(_HOLDS_ADVISORY, []), console)


def _listed(group: Sequence[Judgement]) -> list[Judgement]:
    """Those of a group to show with numbers; passing ones only where they have an interval."""
    numbers = [one.numbers for one in wording.told(group) if one.numbers]
    if group[0].outcome is not Outcome.PASS:
        return numbers[:_REASONS]
    return [
        one
        for one in numbers
        if not one.bound.slice and one.measurement and one.measurement.lower is not None
    ]


def _layout(judgements: Iterable[Judgement], width: int) -> _Layout:
    every = list(judgements)
    names = [cell_len(part) for one in every for part in _name_lines(one)]
    values = [cell_len(_value(one)) for one in every]
    demands = [cell_len(text.demand(one.bound)) for one in every]
    name, value, demand = (max(sizes, default=0) for sizes in (names, values, demands))
    return _Layout(name, value, columns=2 + name + 2 + value + 2 + demand <= width)


def _value(judgement: Judgement) -> str:
    """The value with its interval, or with what it was counted over when it has none."""
    measurement = judgement.measurement
    is_exact = measurement and measurement.lower is None and measurement.upper is None
    return wording.value_in_words(measurement) if is_exact else text.amount(measurement)


def _name_lines(judgement: Judgement) -> list[str]:
    """The measurement, and on a line of its own the slice."""
    bound = judgement.bound
    parts = [f"{bound.check} {bound.metric}", *([f"  {bound.slice}"] if bound.slice else [])]
    return [text.clean(part) for part in parts]


def _rows(group: Sequence[Judgement], layout: _Layout, console: Console) -> None:
    before = ""
    for one in group:
        name, *of_slice = _name_lines(one)
        heading = as_text(one.bound.check, "dim").append(" ").append_text(as_text(one.bound.metric))
        if of_slice and name != before:
            say(console, heading, 2)
        last = as_text(of_slice[0]) if of_slice else heading
        indent = 4 if of_slice else 2
        value, demand = _value(one), text.demand(one.bound)
        if layout.columns:
            last.pad_right(2 + layout.name + 2 - indent - last.cell_len)
            last.append(f"{value:<{layout.value}}  {demand}")
            say(console, last, indent)
        else:
            say(console, last, indent)
            say(console, Text(f"{value}, demanded {demand}"), indent + 2)
        if remark := _remark(one):
            say(console, as_text(remark, "dim"), indent + 2)
        before = name


def _remark(judgement: Judgement) -> str:
    """What an exact value that is not as demanded was counted from, such as names of features."""
    measurement = judgement.measurement
    if judgement.outcome is Outcome.PASS or measurement is None or measurement.value is None:
        return ""
    exact = measurement.lower is None and measurement.upper is None
    return text.clip(text.with_signs(measurement.reason), _REMARK) if exact else ""


def _sentences(group: Sequence[Judgement], console: Console) -> None:
    """What has no numbers to show, and how many are left out."""
    told = wording.told(group)
    plain = [one for one in told if not one.numbers]
    for one in plain[:_REASONS]:
        say(console, as_text(text.with_signs(one.text)), 2)
    hidden = max(len(plain) - _REASONS, 0) + max(len(told) - len(plain) - _REASONS, 0)
    if hidden:
        say(console, Text(f"and {text.count(hidden, 'more reason')}"), 2)


def _rest(
    holding: Sequence[Judgement],
    shown: Sequence[Judgement],
    advisory: Sequence[Judgement],
    console: Console,
) -> None:
    """Own tests that passed, a row each while they are few, and one line for all that holds."""
    own = [one for one in holding if wording.is_own_test(one.bound)][:_OWN_TESTS]
    for one in own:
        test = wording.test_name(one.bound).partition("::")[2]
        say(console, Text("own test ", style="dim").append_text(as_text(test)), 2)
    kinds = Counter(_kinds(one for one in holding if one not in [*shown, *own]))
    if advisory:
        kinds["advisory"] = len(advisory)
    if kinds:
        counts = ", ".join(f"{kind} {n:,}" for kind, n in kinds.items())
        words = f"and {kinds.total():,} more within bounds: {counts}"
        say(console, as_text(words, "dim"), 2)


def _section(section: Section, console: Console) -> None:
    """What there is in all, and the first urgent cases, with what to type for each."""
    console.print()
    say(console, Text(f"{section.title}  ", style="bold").append_text(as_text(section.lead)))
    shown, hidden = section.few(_CASES)
    for one in shown:
        state = Text(f"{text.clean(one.state)}  ", style="red")
        say(console, state.append_text(as_text(one.words)), 2)
        if one.command:
            console.print(Text(f"    {text.clean(one.command)}", style="bold"), soft_wrap=True)
    if caution := section.caution_for(shown):
        say(console, as_text(caution, "dim"), 2)
    if hidden:
        say(console, Text(f"and {hidden:,} more in the report", style="dim"), 2)


def _kinds(judgements: Iterable[Judgement]) -> Iterator[str]:
    for one in judgements:
        is_own = wording.is_own_test(one.bound)
        yield "own tests" if is_own else "slices" if one.bound.slice else one.bound.check
