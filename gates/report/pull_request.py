"""The comment of a pull request: the verdict, the numbers that matter, and what to do next.

A short form of the report, from reviews and their evidence alone. Each model has its share of what
GitHub takes; what does not fit is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gates import __version__
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Judgement, Outcome, deciding
from gates.domain.review import Review
from gates.evidence.evidence import Evidence
from gates.report import advice, criteria, moved_bar, summary, text, waivers, wording
from gates.report.blocks import (
    bounds_table,
    code,
    counts,
    escape,
    folded,
    has_moved,
    query_lists,
    table,
    titled,
)
from gates.report.differences import shown_differences

__all__ = ["LIMIT", "MARKER", "render"]

# GitHub refuses a comment of more than 65,536 characters; none of ours is more than one byte each.
LIMIT = 60_000
MARKER = "<!-- mlgates: pull request -->"

_NUMBERS = 3
_DECIDED = 6
_SLICES = 10
_WORST = 8
_ROWS = 25
_MODELS = 60
_MARKS = {**{str(one): mark for one, mark in summary.MARKS.items()}, "ERROR": "✕"}
_RANK = ("ERROR", "FAIL", "UNDECIDED", "PASS")

Reviewed = tuple[Review, Evidence | None, Evidence | None]


@dataclass(slots=True)
class _Section:
    """Blocks of one model that together stay below its share, and the names of those that do not.

    What is `kept` is always there: its size is taken from the share first.
    """

    share: int
    kept: tuple[str, ...]
    blocks: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)

    def add(self, block: str, name: str) -> None:
        if block and sum(_size(one) for one in (block, *self.blocks, *self.kept)) <= self.share:
            self.blocks.append(block)
        elif block:
            self.cut.append(name)

    def render(self) -> str:
        head, *rest = self.kept
        names = list(dict.fromkeys(self.cut))
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        cut = [
            f"_Left out to fit a comment: {', '.join(names[:3])}{more}; report.html has it all._"
        ]
        return "\n\n".join([head, *self.blocks, *(cut if names else []), *rest])


def render(
    reviewed: Sequence[Reviewed],
    *,
    run_url: str = "",
    of_stranger: bool = False,
    limit: int = LIMIT,
) -> str:
    """All reviews of a pull request as one comment.

    Args:
        reviewed: Each review with its evidence, and with that of before. All of it is untrusted
            text, but for commits and models' names, which `read_reviews` has checked.
        run_url: The page of the run whose artifact holds the reports; from the trusted side only.
        of_stranger: Whether the reviews come from a run of a fork.
        limit: How many bytes it may have; the verdicts are said in any case.

    Returns:
        Markdown of at most `limit` bytes, `MARKER` in its first line.
    """
    ordered = sorted(reviewed, key=lambda one: _RANK.index(one[0].outcome))
    head = [MARKER]
    if not ordered:
        head.append("## mlgates: no model changed\n\nThere is nothing to gate here any more.")
    if len(ordered) > 1:
        head.append(_overview([review for review, _, _ in ordered]))
    if of_stranger:
        head.append(
            "> **From a run of a fork, without secrets**: the numbers are what that run reported. "
            "They promote nothing."
        )
    foot = _foot([review for review, _, _ in ordered], run_url)
    left = limit - sum(_size(one) for one in (*head, foot)) - 400
    blocks = []
    for place, one in enumerate(ordered):
        section = _section(*one, share=left // (len(ordered) - place), alone=len(ordered) == 1)
        if _size(section) > left:
            hidden = len(ordered) - place
            blocks.append(f"_{text.count(hidden, 'more model')}: see the artifact of the run._")
            break
        blocks.append(section)
        left -= _size(section)
    return "\n\n".join([*head, *blocks, foot]) + "\n"


def _size(block: str) -> int:
    return len(block.encode()) + 2


def _overview(reviews: Sequence[Review]) -> str:
    worst = reviews[0].outcome
    rows = [
        [f"{_MARKS[one.outcome]} {one.outcome}", escape(one.change.model, 80), _what(one)]
        for one in reviews[:_MODELS]
    ]
    title = f"## {_MARKS[worst]} {worst}: {text.count(len(reviews), 'model')} gated"
    more = len(reviews) - len(rows)
    note = f"\n\n_{text.count(more, 'more model')}, all of them in the artifact._" if more else ""
    return f"{title}\n\n{table(['Verdict', 'Model', 'What changed'], rows)}{note}"


def _what(review: Review) -> str:
    return {
        "new": "a new model",
        "model": f"the model ({', '.join(review.change.parts)})",
        "lock": "its lock alone: an upgrade of libraries",
        "criteria": f"its {' and '.join(review.change.parts)} alone: the model is the same",
        "removed": "removed",
    }[review.change.kind]


def _section(
    review: Review, evidence: Evidence | None, before: Evidence | None, *, share: int, alone: bool
) -> str:
    section = _Section(share, (_head(review, evidence, alone), _next(review, evidence)))
    if evidence:
        if (bar := moved_bar.section(evidence)).lead:
            shown = "\n".join(f"- {escape(one, 300)}" for one in moved_bar.in_brief(evidence))
            said = f"{escape(bar.lead, 1000)}:\n\n{shown}"
            section.add(titled(bar.title, said), "how the bar moved")
        parts = _parts(evidence)
        if review.change.kind == "criteria" and before:
            section.add(
                criteria.moved_measurements(before, evidence), "the measurements that moved"
            )
        elif review.change.kind != "criteria":
            section.add(titled("Numbers", bounds_table(parts.numbers)), "the numbers")
        if parts.slices:
            moved = bounds_table(parts.slices, _SLICES)
            section.add(titled("Slices that moved", moved), "the slices that moved")
    if review.criteria:
        section.add(criteria.described(review.criteria), "what the model is judged by changed")
    if evidence:
        for exhibit in _tables(evidence, review):
            section.add(_table_of(exhibit), f"“{escape(exhibit.title, 60)}”")
        for difference in shown_differences(evidence.exhibits):
            worst = difference.worst(_WORST)
            if worst:
                section.add(counts(difference, "####"), "the counts of queries")
            for query in worst:
                section.add(query_lists(query), "some of the worst queries")
    return section.render()


@dataclass(frozen=True, slots=True)
class _Parts:
    """The judgements that a comment shows in tables: what decided is in the head."""

    numbers: tuple[Judgement, ...]
    slices: tuple[Judgement, ...]


def _parts(evidence: Evidence) -> _Parts:
    said = {one.bound for one in deciding(evidence.judgements)}
    others = [j for j in summary.reading_order(evidence.judgements) if j.bound not in said]
    uncertain = [j for j in others if j.measurement and j.measurement.lower is not None]
    numbers = [j for j in uncertain if not j.bound.slice]
    numbers.sort(key=lambda j: j.bound.advisory)
    slices = [j for j in uncertain if j.bound.slice and has_moved(j)]
    slices.sort(key=lambda j: (j.measurement.value or 0.0) if j.measurement else 0.0)
    return _Parts(tuple(numbers[:_NUMBERS]), tuple(slices))


def _head(review: Review, evidence: Evidence | None, alone: bool) -> str:
    sign = f"{_MARKS[review.outcome]} {review.outcome}"
    resting = summary.resting_on(evidence) if evidence and review.outcome == "PASS" else ""
    lines = [f"{'##' if alone else '###'} {sign}: {_sentence(review)}{resting}", ""]
    if evidence and evidence.golden.synthetic:
        lines += ["> **Synthetic data**: these numbers say nothing about real customers.", ""]
    if review.trouble:
        lines += [*_trouble(review), ""]
    if evidence:
        lines += [*_reasons(evidence), ""]
        items = waivers.section(evidence).items
        lines += [f"- {one.state}: {escape(text.with_signs(one.words), 1000)}" for one in items]
        lines += [""] if items else []
        queries = summary.golden_size(evidence)
        against = f" against {review.champion}" if review.champion else ", with no champion"
        if review.change.kind == "criteria":
            against = f", judging {review.champion}"
        golden = f"golden set {evidence.golden.name}, {queries}"
        lines.append(escape(f"{review.candidate}{against} · {golden}"))
    return "\n".join(lines).rstrip()


def _sentence(review: Review) -> str:
    model = escape(review.change.model, 80)
    if review.change.kind == "criteria" and review.outcome != "ERROR":
        return {
            "PASS": f"{model} meets its card as it is here",
            "FAIL": f"{model}, which did not change, does not meet its card as it is here",
            "UNDECIDED": f"{model} may or may not meet its card as it is here",
        }[review.outcome]
    against = "replace the champion" if review.champion else "be the first"
    return {
        "PASS": f"{model} may {against}",
        "FAIL": f"{model} must not {against}",
        "UNDECIDED": f"{model} may not {against} yet",
        "ERROR": f"{model} could not be gated",
    }[review.outcome]


def _trouble(review: Review) -> Iterator[str]:
    trouble = review.trouble
    if trouble is None:
        return
    where = trouble.path + (f":{trouble.line}" if trouble.line else "")
    place = f"<code>{escape(where, 200)}</code>: " if where else ""
    told = "" if review.outcome == "ERROR" or not review.evidence else "Nothing to compare with: "
    yield f"{told}{place}{escape(trouble.message, 800)}"


def _reasons(evidence: Evidence) -> list[str]:
    found = wording.reasons(evidence)
    decided = [one.numbers for one in found if one.numbers]
    sentences = [one.text for one in found if not one.numbers]
    lines = [f"- {escape(text.with_signs(one), 600)}" for one in sentences[:_DECIDED]]
    if len(sentences) > _DECIDED:
        lines.append(f"- and {text.count(len(sentences) - _DECIDED, 'more reason')}")
    if decided:
        lines += [*([""] if lines else []), bounds_table(decided, _DECIDED)]
    return lines


def _tables(evidence: Evidence, review: Review) -> Iterator[Table]:
    """What the lock changed, and the tables of the checks that decided."""
    wanted = {"lockfile", "equivalence"} if "lock" in review.change.parts else set()
    wanted |= {j.bound.check for j in deciding(evidence.judgements)}
    for record in evidence.records:
        if record.check in wanted:
            yield from (one for one in record.exhibits if isinstance(one, Table))


def _table_of(exhibit: Table) -> str:
    cells = [[escape(_cell(one), 120) for one in row] for row in exhibit.rows[:_ROWS]]
    shown = table([escape(one, 60) for one in exhibit.columns], cells)
    if len(exhibit.rows) > _ROWS:
        shown += f"\n\n_{len(exhibit.rows) - _ROWS} more rows are in report.html._"
    return folded(escape(exhibit.title, 200), shown)


def _cell(value: Cell) -> str:
    return text.number(value) if isinstance(value, int | float) else str(value or "")


def _next(review: Review, evidence: Evidence | None) -> str:
    steps = [one.text for one in advice.next_steps(evidence) if not one.command] if evidence else []
    if review.trouble and review.trouble.advice:
        steps.insert(0, review.trouble.advice)
    if evidence and evidence.verdict.outcome is Outcome.PASS:
        steps.append(
            "Merge the new golden set or card, if these changes are what was meant."
            if review.change.kind == "criteria"
            else "It may be merged; what is promoted after the merge is gated once more."
        )
    lines = [f"1. {escape(text.with_signs(one), 800)}" for one in steps[:6]]
    command = f"gates pr gate --base {review.base[:12]} --model {review.change.model}"
    lines.append(f"1. To see it on your machine: {code(command)}")
    blocks = [titled("What to do next", "\n".join(lines))]
    if evidence:
        digests = [
            ("evidence", evidence.digest),
            ("candidate", evidence.candidate.digest),
            ("champion", evidence.champion.digest if evidence.champion else "none"),
            ("golden set", evidence.golden.digest),
            ("card", evidence.card.digest),
        ]
        rows = [[name, f"<code>{escape(digest, 80)}</code>"] for name, digest in digests]
        blocks.append(folded("Digests", table(["Of", "Digest"], rows)))
    return "\n\n".join(blocks)


def _foot(reviews: Sequence[Review], run_url: str) -> str:
    parts = [f"mlgates {__version__}"]
    if reviews:
        first = reviews[0]
        parts.insert(0, f"{first.head[:8]} on {first.base[:8]}")
        parts.append(text.duration(sum(one.seconds for one in reviews)))
    if run_url:
        parts.append(f"[report and evidence]({run_url})")
    return f"<sub>{' · '.join(parts)}</sub>"
