"""The run as Markdown for a pull request, with everything that comes from data escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gates.domain.judging import Judgement, Outcome, deciding
from gates.evidence.evidence import Evidence
from gates.report import advice, summary, text, wording
from gates.report.blocks import (
    ROWS,
    bounds_table,
    counts,
    escape,
    has_moved,
    query_lists,
    table,
)
from gates.report.differences import shown_differences
from gates.report.section import Section
from gates.report.sections import sections

__all__ = ["FILE", "LIMIT", "render"]

FILE = "report.md"

# GitHub refuses a comment of more than 65,536 characters; others may add a line of their own.
LIMIT = 58_000

_WORST = 10
_REASONS = 10
_CASES = 10


@dataclass(slots=True)
class _Page:
    """Blocks of Markdown that together stay below the limit, and what did not fit."""

    size: int = 0
    blocks: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)

    def add(self, block: str, name: str) -> None:
        size = len(block.encode()) + 2
        if self.size + size > LIMIT:
            self.cut.append(name)
            return
        self.blocks.append(block)
        self.size += size


@dataclass(frozen=True, slots=True)
class _Parts:
    """Every judgement once: what decided, the numbers to look at, the slices that moved, the rest.

    What decided is a sentence where it has no numbers, one for all bounds that share it.
    """

    sentences: tuple[str, ...]
    decided: tuple[Judgement, ...]
    main: tuple[Judgement, ...]
    moved: tuple[Judgement, ...]
    rest: tuple[Judgement, ...]


def render(evidence: Evidence) -> str:
    """The run as a comment for a pull request, verdict and reasons first.

    Args:
        evidence: The run; everything in it is treated as untrusted text.

    Returns:
        Markdown of at most `LIMIT` bytes and a sentence; the sentence says what was cut.
    """
    parts = _parts(evidence)
    last = [_next(evidence), _run(evidence)]
    page = _Page(size=sum(len(block.encode()) + 2 for block in last))
    page.add(_head(evidence, parts), "the verdict")
    tables = (("Numbers", parts.main), ("Slices that moved", parts.moved))
    for title, judgements in tables:
        if judgements:
            page.add(f"### {title}\n\n{bounds_table(judgements)}", f"the table “{title}”")
    if parts.rest:
        page.add(_folded(parts.rest), "the table of the other bounds")
    for difference in shown_differences(evidence.exhibits):
        worst = difference.worst(_WORST)
        if worst:
            page.add(counts(difference), "the counts of queries")
        for query in worst:
            page.add(query_lists(query), f"the lists of “{escape(query.query.text, 60)}”")
    for section in sections(evidence):
        for block in _section(section):
            page.add(block, section.title.lower())
    page.blocks += last
    if page.cut:
        page.blocks.append(f"_Cut to fit a comment: {_listed(page.cut)}; report.html has it all._")
    return "\n\n".join(page.blocks) + "\n"


def _parts(evidence: Evidence) -> _Parts:
    reasons = wording.reasons(evidence)
    decided = [one.numbers for one in reasons if one.numbers]
    said = {one.bound for one in deciding(evidence.judgements)}
    others = [j for j in summary.reading_order(evidence.judgements) if j.bound not in said]
    main = [
        j
        for j in others
        if (not j.bound.slice and j.measurement and j.measurement.lower is not None)
        or (j.outcome is not Outcome.PASS and not (j.bound.advisory and j.bound.slice))
    ]
    moved = [j for j in others if j not in main and j.bound.slice and has_moved(j)]
    moved.sort(key=lambda j: (j.measurement.value or 0.0) if j.measurement else 0.0)
    kept = [*main, *moved[:ROWS]]
    return _Parts(
        tuple(one.text for one in reasons if not one.numbers),
        tuple(decided),
        tuple(main),
        tuple(moved[:ROWS]),
        tuple(j for j in others if j not in kept),
    )


def _section(section: Section) -> Iterator[str]:
    """What there is in all, and the first urgent cases, with what to type for each."""
    yield f"### {escape(section.title)}\n\n{escape(section.lead, 1000)}."
    shown, hidden = section.few(_CASES)
    for one in shown:
        line = f"- {escape(one.state)}: {escape(one.words, 1000)}"
        yield f"{line}\n{_fenced(one.command)}" if one.command else line
    if caution := section.caution_for(shown):
        yield escape(caution)
    if hidden:
        yield f"and {hidden:,} more, in report.html"


def _fenced(command: str) -> str:
    """A command in a list's item, to be copied as it is: nothing in a code block is markup."""
    longest = max(map(len, re.findall(r"`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"  {fence}sh\n  {text.clean(command)}\n  {fence}"


def _head(evidence: Evidence, parts: _Parts) -> str:
    outcome = evidence.verdict.outcome
    lines = [f"## {summary.MARKS[outcome]} {outcome}: {escape(summary.headline(evidence))}", ""]
    if evidence.golden.synthetic:
        lines += ["> **Synthetic data**: these numbers say nothing about real customers.", ""]
    lines += [f"- {escape(text.with_signs(one), 1000)}" for one in parts.sentences[:_REASONS]]
    if len(parts.sentences) > _REASONS:
        lines.append(f"- and {text.count(len(parts.sentences) - _REASONS, 'more reason')}")
    if parts.decided:
        lines += [*([""] if parts.sentences else []), bounds_table(parts.decided)]
    golden = f"golden set {evidence.golden.name}, {summary.golden_size(evidence)}"
    lines += ["", f"{escape(summary.versions(evidence))} · {escape(golden)}"]
    return "\n".join(lines)


def _next(evidence: Evidence) -> str:
    lines = ["### What to do next", ""]
    for step in advice.next_steps(evidence):
        command = f" <code>{escape(step.command)}</code>" if step.command else ""
        lines.append(f"1. {escape(text.with_signs(step.text), 1000)}{command}")
    return "\n".join(lines)


def _folded(judgements: Sequence[Judgement]) -> str:
    passing = sum(j.outcome is Outcome.PASS for j in judgements)
    share = "all" if passing == len(judgements) else f"{passing} of them"
    title = f"{text.count(len(judgements), 'other bound')}, {share} PASS"
    return f"<details><summary>{title}</summary>\n\n{bounds_table(judgements)}\n\n</details>"


def _isolation(layers: Mapping[str, bool]) -> str:
    """Layers that are off, and then those that are on."""
    named = {
        on: ", ".join(sorted(name for name in layers if layers[name] is on)) for on in (False, True)
    }
    return "; ".join(f"{'on' if on else 'off'}: {names}" for on, names in named.items() if names)


def _run(evidence: Evidence) -> str:
    champion = evidence.champion
    digests = [
        ["evidence", evidence.digest],
        ["candidate", evidence.candidate.digest],
        ["champion", champion.digest if champion else "none"],
        ["golden set", evidence.golden.digest],
        ["card", evidence.card.digest],
    ]
    environments = [
        [
            role,
            escape(one.python),
            escape(one.platform),
            escape(_isolation(one.layers)),
            escape(text.installation(one)),
            escape(one.encoding),
            text.duration(one.build_seconds + one.load_seconds),
        ]
        for role, one in sorted(evidence.environments.items())
    ]
    head = [
        "Version",
        "Python",
        "Platform",
        "Isolation",
        "Installed",
        "Encoding",
        "Time to be ready",
    ]
    warnings = "".join(f"\n- {escape(one)}" for one in evidence.golden.warnings[:20])
    return (
        "<details><summary>Environments and digests</summary>\n\n"
        + (f"Warnings about the golden set:\n{warnings}\n\n" if warnings else "")
        + table(head, environments)
        + "\n\n"
        + table(["Of", "Digest"], [[n, f"<code>{escape(d)}</code>"] for n, d in digests])
        + f"\n\nmlgates {escape(evidence.gate.version)}, run {escape(evidence.run_id)}, "
        + f"seed {evidence.seed}\n\n</details>"
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
