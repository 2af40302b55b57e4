"""Waivers in words: what each excuses, what that would have been, and which are not needed."""

from __future__ import annotations

from gates.domain.judging import Judgement, Outcome
from gates.domain.waivers import Waiver
from gates.evidence.evidence import Evidence
from gates.report.section import Section, SectionItem
from gates.report.text import count

__all__ = ["section", "would_be"]


def section(evidence: Evidence) -> Section:
    """The waivers of a run's card, those that excuse something first.

    Args:
        evidence: The run.
    """
    covered: dict[Waiver, list[Judgement]] = {}
    for judgement in evidence.judgements:
        for waiver in judgement.bound.waivers:
            covered.setdefault(waiver, []).append(judgement)
    items = [_item(waiver, judgements) for waiver, judgements in covered.items()]
    items.sort(key=lambda one: _STATES.index(one.state))
    counts = [sum(one.state == state for one in items) for state in _STATES]
    said = ", ".join(f"{n} {words}" for n, words in zip(counts, _WORDS, strict=True) if n)
    return Section(
        "Waivers", f"{count(len(items), 'waiver')}: {said}" if items else "", tuple(items)
    )


_STATES = ("WAIVED", "not enough", "not needed")
_WORDS = ("in use", "not enough: what it covers blocks", "not needed: take it out")


def _item(waiver: Waiver, judgements: list[Judgement]) -> SectionItem:
    missed = [one for one in judgements if one.outcome is not Outcome.PASS]
    if not missed:
        state, would = "not needed", "what it covers passed"
    elif all(one.is_waived or one.bound.advisory for one in missed):
        state, would = "WAIVED", f"would be {would_be(missed)}"
    else:
        state, would = "not enough", f"is all the same {would_be(missed)}"
    words = f"{waiver.covers}: {would}; until {waiver.expires}, by {waiver.who}: {waiver.reason}"
    return SectionItem(state, words)


def would_be(judgements: list[Judgement]) -> str:
    """What bounds that did not pass come to, such as `FAIL, 0.98 (n=50), demanded ≥ 1`."""
    first = judgements[0]
    more = len(judgements) - 1
    return f"{first.outcome}, {first.reason}" + (f", and {more} more" if more else "")
