"""A bar that moved after results were seen: which bounds, by whom."""

from __future__ import annotations

from gates.domain.bar import MovedBound
from gates.evidence.bar import MovedBar
from gates.evidence.evidence import Evidence
from gates.report.section import Section, SectionItem
from gates.report.text import count

__all__ = ["in_brief", "section"]

_BRIEF = 3


def section(evidence: Evidence) -> Section:
    """Each bound that demands something else than when the same bytes were gated before."""
    moved = evidence.bar.moved if evidence.bar else ()
    items = [
        SectionItem(_state(bound), f"{bound.id} {bound.words}, by {one.by} at {one.when}")
        for one in moved
        for bound in one.bounds
    ]
    lead = "; ".join(_lead(one) for one in moved)
    # Looser ones first: those let more through.
    return Section(
        "The bar moved after results were seen",
        lead,
        tuple(sorted(items, key=lambda one: one.state != "looser")),
    )


def in_brief(evidence: Evidence) -> tuple[str, ...]:
    """The same for lists: a few bounds in words, looser ones first."""
    found = section(evidence)
    words = [f"{one.state}: {one.words}" for one in found.items]
    if not words and found.lead:
        return (found.lead,)
    more = len(words) - _BRIEF
    return (*words[:_BRIEF], *((f"{more} more",) if more > 0 else ()))


def _lead(moved: MovedBar) -> str:
    what = [count(len(moved.bounds), "bound") + " differ" + ("s" if len(moved.bounds) == 1 else "")]
    if not moved.bounds:
        what = []
    if moved.golden:
        what.append("the golden set is another one")
    return f"since the gate of {moved.seen}, which came to {moved.verdict}, {' and '.join(what)}"


def _state(bound: MovedBound) -> str:
    return "looser" if bound.is_looser else "stricter or new"
