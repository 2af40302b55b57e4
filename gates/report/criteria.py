"""How the ground moved, for the comment of a pull request: queries, demands, and what they did."""

from __future__ import annotations

from collections.abc import Sequence

from gates.domain.judging import Judgement
from gates.domain.review import Ground, QueryMove
from gates.evidence.evidence import Evidence
from gates.report import summary, text, wording
from gates.report.blocks import escape, folded, table, titled, value

__all__ = ["described", "moves"]

_ROWS = 25


def moves(before: Evidence, after: Evidence) -> str:
    """The same version on both grounds: the verdict, and every measurement that moved."""
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
    outcome = f"{summary.MARKS[judgement.outcome]} {judgement.outcome}"
    m = judgement.measurement
    if m is not None and m.extra.get("new") is not None:
        return outcome, f"{text.number(m.extra['new'])} {escape(wording.beside(m))}"
    if m is None or m.value is None:
        return outcome, escape(judgement.reason, 200)
    return outcome, value(m)


def described(ground: Ground) -> str:
    """Which queries were added, removed and changed, and what the card demands otherwise."""
    added, removed, changed = ground.counts
    was, now = ground.queries
    blocks = []
    if added or removed or changed or ground.others or was != now:
        said = f"{added:,} added, {removed:,} removed, {changed:,} changed ({was:,} → {now:,})"
        lists = [
            _queries(name, moves, n)
            for name, moves, n in (
                ("Added", ground.added, added),
                ("Removed", ground.removed, removed),
                ("Changed", ground.changed, changed),
            )
            if n
        ]
        if ground.others:
            files = ", ".join(f"<code>{escape(one, 120)}</code>" for one in ground.others[:_ROWS])
            lists.append(f"Other files: {files}")
        blocks.append(f"Golden queries: {said}")
        blocks.append(folded("Which queries", "\n\n".join(lists)) if lists else "")
    if ground.policy:
        rows = [
            [escape(one.key), escape(one.before) or "—", escape(one.after) or "—"]
            for one in ground.policy[:_ROWS]
        ]
        blocks.append("The card:\n\n" + table(["Policy", "Before", "Now"], rows))
    return titled("How the ground moved", "\n\n".join(filter(None, blocks)))


def _queries(name: str, moves: Sequence[QueryMove], n: int) -> str:
    rows = [[escape(one.id, 60), escape(one.text, 120), one.what] for one in moves[:_ROWS]]
    shown = table([name, "Query", "What"], [[a, b, escape(c, 100)] for a, b, c in rows])
    return shown + (f"\n\n_{n - _ROWS:,} more._" if n > _ROWS else "")
