"""Blocks of Markdown for a forge, with everything that comes from data escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gates.domain.judging import Judgement, Measurement, Outcome
from gates.report import summary, text, wording
from gates.report.differences import ShownDifference, ShownDocument, ShownQuery

__all__ = [
    "ROWS",
    "bounds_table",
    "code",
    "counts",
    "escape",
    "folded",
    "has_moved",
    "query_lists",
    "table",
    "titled",
    "value",
]

ROWS = 60
# Entities rather than backslashes: inside an HTML block, such as a summary, only they work.
_SPECIAL = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]#|~<>&"}
# The one way to keep two prices in a line from becoming a formula.
_SPECIAL[ord("$")] = "<span>$</span>"

# A zero-width space keeps a forge from calling people, linking issues, commits and addresses, and
# from turning names between colons into pictures.
_BREAK = "&#8203;"
_BROKEN = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<!\w)@(?=\w)|(?<=\w)@(?=[\w-]+\.\w)", f"@{_BREAK}"),
        (r"&#35;(?=\d)", f"&#35;{_BREAK}"),
        (r"(?i)(?<=[a-z]):(?=//)|(?<=www)\.", rf"\g<0>{_BREAK}"),
        (r"(?i)\b(gh-)(?=\d)", rf"\g<1>{_BREAK}"),
        (r"(?<!\w):(?=[\w+-]+:)", f":{_BREAK}"),
        (r"(?<![\w#-])(?=[0-9a-f]*[a-f])([0-9a-f]{4})(?=[0-9a-f]{3,36}(?!\w))", rf"\g<1>{_BREAK}"),
        # One commit in forty begins with eight digits; decimals stay as they are.
        (r"(?<![\w#.-])(\d{4})(?=\d{4,36}(?!\w|\.\d))", rf"\g<1>{_BREAK}"),
    )
)


def escape(value: str, limit: int = 300) -> str:
    """Text from data, so that it shows as written: no markup, HTML, mention, reference or link."""
    words = " ".join(text.clip(text.clean(value), limit).split())
    shown = words.translate(_SPECIAL)
    for pattern, broken in _BROKEN:
        shown = pattern.sub(broken, shown)
    return shown


def code(value: str) -> str:
    """Something to be copied, as code; only for text of ours, since nothing in it is broken up."""
    return f"<code>{value.translate(_SPECIAL)}</code>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; its cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def has_moved(judgement: Judgement) -> bool:
    """Whether a slice did not pass, or its whole interval lies on one side of no difference."""
    m = judgement.measurement
    if m is None or m.lower is None or m.upper is None:
        return False
    return judgement.outcome is not Outcome.PASS or m.lower > 0 or m.upper < 0


def counts(difference: ShownDifference, level: str = "###") -> str:
    """How many queries came out worse, the same and better, under a heading."""
    found = difference.counts
    return (
        f"{level} Worst queries\n\n{found.losses:,} worse ({found.severe:,} severely), "
        f"{found.ties:,} the same, {found.wins:,} better in {escape(difference.difference.metric)}."
    )


def bounds_table(judgements: Sequence[Judgement], limit: int = ROWS) -> str:
    """Judged bounds with value, interval and demand, and how many more there are."""
    rows = [
        [
            summary.marked(j) + (" (advisory)" if j.bound.advisory else ""),
            escape(wording.name(j.bound)),
            wording.state(j) if wording.is_own_test(j.bound) else value(j.measurement),
            text.demand(j.bound),
            escape(" · ".join(_details(j)), 500),
        ]
        for j in judgements[:limit]
    ]
    shown = table(["Outcome", "Measurement", "Value [interval]", "Demanded", "Details"], rows)
    if len(judgements) > limit:
        hidden = judgements[limit:]
        passing = sum(j.outcome is Outcome.PASS for j in hidden)
        shown += f"\n\n_{len(hidden)} more rows, {passing} of them PASS, are in report.html._"
    return shown


def value(measurement: Measurement | None) -> str:
    """A measurement with its interval and what it was measured over."""
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


def titled(title: str, block: str) -> str:
    """A block of Markdown under a small heading."""
    return f"#### {title}\n\n{block}"


def folded(title: str, block: str) -> str:
    """A block of Markdown that is shown when its title is clicked."""
    return f"<details><summary>{title}</summary>\n\n{block}\n\n</details>"


def query_lists(shown: ShownQuery) -> str:
    """One query's old and new list side by side, folded."""
    query = shown.query
    head = f"<code>{text.signed(query.delta)}</code> {escape(query.text, 160)}"
    rows = [
        [str(rank), _place(shown.old_list, rank), _place(shown.new_list, rank)]
        for rank in range(1, max(len(shown.old_list), len(shown.new_list)) + 1)
    ]
    columns = ["Rank", f"Old ({text.number(query.old)})", f"New ({text.number(query.new)})"]
    return f"<details><summary>{head}</summary>\n\n{table(columns, rows)}\n\n</details>"


def _place(places: Sequence[ShownDocument], rank: int) -> str:
    if rank > len(places):
        return ""
    place = places[rank - 1]
    grade = "not judged" if place.grade is None else f"grade {text.number(place.grade)}"
    move = f", {place.arrow}" if place.arrow else ""
    return f"{escape(place.title, 90)} ({grade}{move})"
