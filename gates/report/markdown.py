"""The run as Markdown for a pull request, with everything that comes from data escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gates.domain import Judgement, Measurement, Outcome
from gates.evidence import Evidence, canonical, evidence_digest
from gates.report import advice, counterexamples, summary, text, wording
from gates.report.differences import Place, QueryDifference, RankingDifference
from gates.report.exhibits import ranking_differences

__all__ = ["LIMIT", "escape", "render"]

# GitHub refuses a comment of more than 65,536 characters; others may add a line of their own.
LIMIT = 58_000

_WORST = 10
_REASONS = 10
_ROWS = 60
_COUNTEREXAMPLES = 10
# Entities rather than backslashes: inside an HTML block, such as a summary, only they work.
_SPECIAL = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]#|~<>&"}
# The one way to keep two prices in a line from becoming a formula.
_SPECIAL[ord("$")] = "<span>$</span>"


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
    parts = _parts(evidence)
    last = [_next(evidence), _run(evidence)]
    page = _Page(size=sum(len(block.encode()) + 2 for block in last))
    page.add(_head(evidence, parts), "the verdict")
    tables = (("Numbers", parts.main), ("Slices that moved", parts.moved))
    for title, judgements in tables:
        if judgements:
            page.add(f"### {title}\n\n{_bounds(judgements)}", f"the table “{title}”")
    if parts.rest:
        page.add(_folded(parts.rest), "the table of the other bounds")
    for difference in ranking_differences(evidence):
        worst = difference.worst(_WORST)
        if worst:
            page.add(_counts(difference), "the counts of queries")
        for query in worst:
            page.add(_query(query), f"the lists of “{escape(query.text, 60)}”")
    for block in _counterexamples(evidence):
        page.add(block, "counterexamples")
    page.blocks += last
    if page.cut:
        page.blocks.append(f"_Cut to fit a comment: {_listed(page.cut)}; report.html has it all._")
    return "\n\n".join(page.blocks) + "\n"


def _parts(evidence: Evidence) -> _Parts:
    reasons = wording.reasons(evidence)
    decided = [one.numbers for one in reasons if one.numbers]
    said = set(evidence.verdict.reasons)
    others = [
        j
        for j in summary.reading_order(evidence.judgements)
        if f"{j.bound.id}: {j.reason}" not in said
    ]
    main = [
        j
        for j in others
        if (not j.bound.slice and j.measurement and j.measurement.lower is not None)
        or (j.outcome is not Outcome.PASS and not j.bound.advisory)
    ]
    moved = [j for j in others if j not in main and j.bound.slice and _has_moved(j)]
    moved.sort(key=lambda j: (j.measurement.value or 0.0) if j.measurement else 0.0)
    kept = [*main, *moved[:_ROWS]]
    return _Parts(
        tuple(one.text for one in reasons if not one.numbers),
        tuple(decided),
        tuple(main),
        tuple(moved[:_ROWS]),
        tuple(j for j in others if j not in kept),
    )


def _counterexamples(evidence: Evidence) -> Iterator[str]:
    headline = counterexamples.headline(evidence)
    if not headline:
        return
    yield f"### Counterexamples\n\n{escape(headline, 1000)}."
    every = (one for each in evidence.records for one in counterexamples.told(evidence, each))
    failing = [one for one in every if one.fails]
    for one in failing[:_COUNTEREXAMPLES]:
        line = f"- {one.state}: {escape(one.words, 1000)}"
        yield f"{line}\n{_fenced(one.command)}" if one.command else line
    if len(failing) > _COUNTEREXAMPLES:
        yield f"and {len(failing) - _COUNTEREXAMPLES:,} more, in report.html"


def _fenced(command: str) -> str:
    """A command in a list's item, to be copied as it is: nothing in a code block is markup."""
    longest = max(map(len, re.findall(r"`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"  {fence}sh\n  {text.clean(command)}\n  {fence}"


def _has_moved(judgement: Judgement) -> bool:
    """Whether a slice did not pass, or its whole interval lies on one side of no difference."""
    m = judgement.measurement
    if m is None or m.lower is None or m.upper is None:
        return False
    return judgement.outcome is not Outcome.PASS or m.lower > 0 or m.upper < 0


def _counts(difference: RankingDifference) -> str:
    found = difference.counts
    return (
        f"### Worst queries\n\n{found.losses:,} worse ({found.severe:,} severely), "
        f"{found.ties:,} the same, {found.wins:,} better in {escape(difference.metric)}."
    )


def _head(evidence: Evidence, parts: _Parts) -> str:
    outcome = evidence.verdict.outcome
    lines = [f"## {summary.MARKS[outcome]} {outcome}: {escape(summary.headline(evidence))}", ""]
    if evidence.golden.synthetic:
        lines += ["> **Synthetic data**: these numbers say nothing about real customers.", ""]
    lines += [f"- {escape(text.with_signs(one), 1000)}" for one in parts.sentences[:_REASONS]]
    if len(parts.sentences) > _REASONS:
        lines.append(f"- and {text.count(len(parts.sentences) - _REASONS, 'more reason')}")
    if parts.decided:
        lines += [*([""] if parts.sentences else []), _bounds(parts.decided)]
    golden = f"golden set {evidence.golden.name}, {summary.golden_size(evidence)}"
    lines += ["", f"{escape(summary.versions(evidence))} · {escape(golden)}"]
    return "\n".join(lines)


def _next(evidence: Evidence) -> str:
    lines = ["### What to do next", ""]
    for step in advice.next_steps(evidence):
        command = f" <code>{escape(step.command)}</code>" if step.command else ""
        lines.append(f"1. {escape(text.with_signs(step.text), 1000)}{command}")
    return "\n".join(lines)


def _bounds(judgements: Sequence[Judgement]) -> str:
    rows = [
        [
            f"{summary.MARKS[j.outcome]} {j.outcome}" + (" (advisory)" if j.bound.advisory else ""),
            escape(wording.name(j.bound)),
            wording.state(j) if wording.is_own_test(j.bound) else _value(j.measurement),
            text.demand(j.bound),
            escape(" · ".join(_details(j)), 500),
        ]
        for j in judgements[:_ROWS]
    ]
    table = _table(["Outcome", "Measurement", "Value [interval]", "Demanded", "Details"], rows)
    if len(judgements) > _ROWS:
        hidden = judgements[_ROWS:]
        passing = sum(j.outcome is Outcome.PASS for j in hidden)
        table += f"\n\n_{len(hidden)} more rows, {passing} of them PASS, are in report.html._"
    return table


def _value(measurement: Measurement | None) -> str:
    words, numbers = wording.value_in_words(measurement), text.amount(measurement)
    rest = words.removeprefix(numbers)
    return escape(words) if rest == words else f"{numbers} {escape(rest)}"


def _details(judgement: Judgement) -> tuple[str, ...]:
    measurement = judgement.measurement
    if measurement is None or measurement.value is None:
        return () if judgement.outcome is Outcome.PASS else (text.with_signs(judgement.reason),)
    if judgement.outcome is not Outcome.UNDECIDED:
        return wording.changes(measurement)
    return (wording.remark(judgement), *wording.details(measurement))


def _folded(judgements: Sequence[Judgement]) -> str:
    passing = sum(j.outcome is Outcome.PASS for j in judgements)
    share = "all" if passing == len(judgements) else f"{passing} of them"
    title = f"{text.count(len(judgements), 'other bound')}, {share} PASS"
    return f"<details><summary>{title}</summary>\n\n{_bounds(judgements)}\n\n</details>"


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


def _isolation(layers: Mapping[str, bool]) -> str:
    """Layers that are off, and then those that are on."""
    named = {
        on: ", ".join(sorted(name for name in layers if layers[name] is on)) for on in (False, True)
    }
    return "; ".join(f"{'on' if on else 'off'}: {names}" for on, names in named.items() if names)


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
            escape(_isolation(one.layers)),
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
