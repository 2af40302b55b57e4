"""The run as Markdown for a pull request, with everything that comes from data escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gates.domain import Judgement, Outcome
from gates.evidence import Evidence, canonical, evidence_digest
from gates.report import summary, text
from gates.report.differences import Place, QueryDifference, ranking_differences

__all__ = ["LIMIT", "escape", "render"]

# GitHub refuses a comment of more than 65,536 characters; others may add a line of their own.
LIMIT = 58_000

_WORST = 10
_REASONS = 10
_ROWS = 60
# Entities rather than backslashes: inside an HTML block, such as a summary, only they work.
_SPECIAL = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]#|~<>&"}
# The one way to keep two prices in a line from becoming a formula.
_SPECIAL[ord("$")] = "<span>$</span>"


@dataclass(slots=True)
class _Page:
    """Blocks of Markdown that together stay below the limit, and what did not fit."""

    blocks: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, block: str, name: str) -> None:
        size = len(block.encode()) + 2
        if self.size + size > LIMIT:
            self.cut.append(name)
            return
        self.blocks.append(block)
        self.size += size


def escape(value: str, limit: int = 300) -> str:
    """Text from data, so that it shows as written: no markup, HTML, mention, reference or link."""
    words = " ".join(text.clip(text.clean(value), limit).split())
    shown = words.translate(_SPECIAL)
    # A zero-width space keeps a forge from calling people, linking issues or fetching addresses.
    shown = re.sub(r"(?<!\w)@(?=\w)", "@&#8203;", shown)
    shown = re.sub(r"&#35;(?=\d)", "&#35;&#8203;", shown)
    return re.sub(r"(?i)(?<=[a-z]):(?=//)|(?<=www)\.", r"\g<0>&#8203;", shown)


def render(evidence: Evidence) -> str:
    """The run as a comment for a pull request, verdict and reasons first.

    Args:
        evidence: The run; everything in it is treated as untrusted text.

    Returns:
        Markdown of at most `LIMIT` bytes and a sentence; the sentence says what was cut.

    Raises:
        EvidenceError: A ranking difference in it is damaged.
    """
    page = _Page()
    page.add(_head(evidence), "the verdict")
    page.add(_next(evidence), "what to do next")
    judgements = summary.reading_order(evidence.judgements)
    whole = [j for j in judgements if not j.bound.slice]
    slices = [j for j in judgements if j.bound.slice]
    page.add("### Numbers\n\n" + _bounds(whole), "the table of numbers")
    if slices:
        page.add("### Slices\n\n" + _bounds(slices), "the table of slices")
    page.add(_run(evidence), "environments and digests")
    for difference in ranking_differences(evidence):
        worst = difference.worst(_WORST)
        if worst:
            page.add(
                f"### Worst queries\n\n{difference.losses} worse, {difference.ties} the same, "
                f"{difference.wins} better in {escape(difference.metric)}.",
                "the counts of queries",
            )
        for query in worst:
            page.add(_query(query), f"the lists of “{escape(query.text, 60)}”")
    if page.cut:
        page.blocks.append(f"_Cut to fit a comment: {_listed(page.cut)}; report.html has it all._")
    return "\n\n".join(page.blocks) + "\n"


def _head(evidence: Evidence) -> str:
    outcome, reasons = evidence.verdict.outcome, evidence.verdict.reasons
    lines = [f"## {summary.MARKS[outcome]} {outcome}: {escape(summary.headline(evidence))}", ""]
    if evidence.golden.synthetic:
        lines += ["> **Synthetic data**: these numbers say nothing about real customers.", ""]
    lines += [f"- {escape(text.with_signs(one), 1000)}" for one in reasons[:_REASONS]]
    if len(reasons) > _REASONS:
        lines.append(f"- and {text.count(len(reasons) - _REASONS, 'more reason')}")
    golden = f"golden set {evidence.golden.name}, "
    golden += text.count(evidence.golden.queries, "query", "queries")
    lines += ["", f"{escape(summary.versions(evidence))} · {escape(golden)}"]
    return "\n".join(lines)


def _next(evidence: Evidence) -> str:
    lines = ["### What to do next", ""]
    for step in summary.next_steps(evidence):
        command = f" <code>{escape(step.command)}</code>" if step.command else ""
        lines.append(f"1. {escape(text.with_signs(step.text), 1000)}{command}")
    return "\n".join(lines)


def _bounds(judgements: Sequence[Judgement]) -> str:
    rows = [
        [
            f"{summary.MARKS[j.outcome]} {j.outcome}" + (" (advisory)" if j.bound.advisory else ""),
            escape(j.bound.id),
            text.amount(j.measurement),
            text.demand(j.bound),
            f"{j.measurement.n:,}" if j.measurement else "",
            escape(j.measurement.unit) if j.measurement else "",
        ]
        for j in judgements[:_ROWS]
    ]
    head = ["Outcome", "Measurement", "Value [interval]", "Demanded", "n", "Unit"]
    table = _table(head, rows)
    if len(judgements) > _ROWS:
        hidden = judgements[_ROWS:]
        passing = sum(j.outcome is Outcome.PASS for j in hidden)
        table += f"\n\n_{len(hidden)} more rows, {passing} of them PASS, are in report.html._"
    return table


def _query(query: QueryDifference) -> str:
    head = f"<code>{text.signed(query.delta)}</code> {escape(query.text, 160)}"
    rows = [
        [str(rank), _place(query.old_list, rank), _place(query.new_list, rank)]
        for rank in range(1, max(len(query.old_list), len(query.new_list)) + 1)
    ]
    table = _table(
        ["Rank", f"Old ({text.number(query.old)})", f"New ({text.number(query.new)})"], rows
    )
    return f"<details><summary>{head}</summary>\n\n{table}\n\n</details>"


def _place(places: Sequence[Place], rank: int) -> str:
    if rank > len(places):
        return ""
    place = places[rank - 1]
    grade = "not judged" if place.grade is None else f"grade {text.number(place.grade)}"
    move = f", {place.arrow}" if place.arrow else ""
    return f"{escape(place.title, 90)} ({grade}{move})"


def _run(evidence: Evidence) -> str:
    champion = evidence.champion
    digests = [
        ["evidence", evidence_digest(canonical(evidence))],
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
            escape(
                ", ".join(
                    f"{name} {'on' if on else 'off'}" for name, on in sorted(one.layers.items())
                )
            ),
            escape(one.encoding),
            text.duration(one.build_seconds + one.load_seconds),
        ]
        for role, one in sorted(evidence.environments.items())
    ]
    head = ["Version", "Python", "Platform", "Isolation", "Encoding", "Time to be ready"]
    warnings = "".join(f"\n- {escape(one)}" for one in evidence.golden.warnings[:20])
    return (
        "<details><summary>Environments and digests</summary>\n\n"
        + (f"Warnings about the golden set:\n{warnings}\n\n" if warnings else "")
        + _table(head, environments)
        + "\n\n"
        + _table(["Of", "Digest"], [[n, f"<code>{escape(d)}</code>"] for n, d in digests])
        + f"\n\nmlgates {escape(evidence.gate.version)}, run {escape(evidence.run_id)}, "
        + f"seed {evidence.seed}\n\n</details>"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
