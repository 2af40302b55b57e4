"""What a model is judged by, changed: a pull request's queries and demands, and their effect."""

from __future__ import annotations

from collections.abc import Sequence

from gates.domain.judging import Judgement
from gates.domain.review import CriteriaChanges, QueryMove
from gates.evidence.evidence import Evidence
from gates.report import summary, text, wording
from gates.report.blocks import escape, folded, table, titled, value

__all__ = ["described", "moved_measurements"]

_ROWS = 25


def moved_measurements(before: Evidence, after: Evidence) -> str:
    """One version by the old criteria and by the new: the verdict, and every number that moved."""
    was = {j.bound.id: j for j in before.judgements}
    now = {j.bound.id: j for j in after.judgements}
    rows = []
    for name in [*now, *(one for one in was if one not in now)]:
        old, new = was.get(name), now.get(name)
        if _shown(old) != _shown(new):
            rows.append([_itself(name, new or old), *_shown(old), *_shown(new)])
    verdicts = f"{before.verdict.outcome} → **{after.verdict.outcome}**"
    head = ["Measurement", "Before", "Value", "Now", "Value"]
    moved = table(head, rows[:_ROWS]) if rows else "No measurement moved."
    if len(rows) > _ROWS:
        moved += f"\n\n_{len(rows) - _ROWS} more._"
    return titled(f"The same model, before and now: {verdicts}", moved)


def _itself(name: str, judgement: Judgement | None) -> str:
    """What a row is about: of a comparison, the version by itself."""
    m = judgement.measurement if judgement else None
    compares = m is not None and m.extra.get("new") is not None
    return escape(name.replace(".delta", "", 1) if compares else name)


def _shown(judgement: Judgement | None) -> tuple[str, str]:
    """An outcome and its value; of a comparison, what the version itself came to."""
    if judgement is None:
        return "not asked", ""
    outcome = summary.marked(judgement)
    m = judgement.measurement
    if m is not None and m.extra.get("new") is not None:
        return outcome, f"{text.number(m.extra['new'])} {escape(wording.beside(m))}"
    if m is None or m.value is None:
        return outcome, escape(judgement.reason, 200)
    return outcome, value(m)


def described(criteria: CriteriaChanges) -> str:
    """Which queries were added, removed and changed, and what the card demands otherwise."""
    added, removed, changed = criteria.counts
    was, now = criteria.queries
    blocks = []
    if added or removed or changed or criteria.others or was != now:
        said = f"{added:,} added, {removed:,} removed, {changed:,} changed ({was:,} → {now:,})"
        lists = [
            _queries(name, moved_measurements, n)
            for name, moved_measurements, n in (
                ("Added", criteria.added, added),
                ("Removed", criteria.removed, removed),
                ("Changed", criteria.changed, changed),
            )
            if n
        ]
        if criteria.others:
            files = ", ".join(f"<code>{escape(one, 120)}</code>" for one in criteria.others[:_ROWS])
            lists.append(f"Other files: {files}")
        blocks.append(f"Golden queries: {said}")
        blocks.append(folded("Which queries", "\n\n".join(lists)) if lists else "")
    if criteria.policy:
        rows = [
            [escape(one.key), escape(one.before) or "—", escape(one.after) or "—"]
            for one in criteria.policy[:_ROWS]
        ]
        blocks.append("The card:\n\n" + table(["Policy", "Before", "Now"], rows))
    return titled("What the model is judged by changed", "\n\n".join(filter(None, blocks)))


def _queries(name: str, moved_measurements: Sequence[QueryMove], n: int) -> str:
    rows = [
        [escape(one.id, 60), escape(one.text, 120), one.what] for one in moved_measurements[:_ROWS]
    ]
    shown = table([name, "Query", "What"], [[a, b, escape(c, 100)] for a, b, c in rows])
    return shown + (f"\n\n_{n - _ROWS:,} more._" if n > _ROWS else "")
