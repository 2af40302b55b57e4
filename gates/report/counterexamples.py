"""Counterexamples in words, each with the command that keeps it in the golden set for good."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gates.domain.counterexamples import Counterexample, Replayed, told_apart
from gates.evidence.evidence import CheckRecord, Evidence
from gates.report.section import Section, SectionItem
from gates.report.text import count

__all__ = ["ShownCounterexample", "section", "shown_counterexamples"]

_SUPPOSED = (
    "The label is the golden set's where it names one, and otherwise what the candidate says of "
    "the query as it should be typed: see that it is right."
)

_WRONG_WAY = "the score moves the wrong way as {feature} goes from {first} to {then}"
_NOT_BELOW = "with {feature} {first} it does not score below itself with {then}"
_OF_ROWS = {"monotone.violations": _WRONG_WAY, "order.violations": _NOT_BELOW}


@dataclass(frozen=True, slots=True)
class ShownCounterexample:
    """One counterexample as reports tell it.

    Attributes:
        check: The check that found it.
        state: `still fails`, `new`, `no longer fails` or `not asked`.
        words: What it is, and what else there is to know about it.
        command: What keeps it in the golden set; empty where no command can.
    """

    check: str
    case: Counterexample
    state: str
    words: str
    command: str

    @property
    def supposed(self) -> bool:
        """Whether the label in the command may be no more than what the candidate says."""
        return bool(self.command and self.case.typed)

    @property
    def fails(self) -> bool:
        """Whether the candidate fails in it."""
        return self.state in ("still fails", "new")


def shown_counterexamples(
    evidence: Evidence, record: CheckRecord
) -> tuple[ShownCounterexample, ...]:
    """The counterexamples of a check: known ones that still fail, new ones, then all others."""
    replayed = record.replay.cases if record.replay else ()
    known = {one.known.case.asked for one in replayed if one.fails}
    new = [case for case in record.counterexamples if case.asked not in known]
    again = [_again(evidence, record.check, one) for one in replayed]
    return (
        *(one for one in again if one.fails),
        *(_told(evidence, record.check, case, "new", "") for case in new),
        *(one for one in again if not one.fails),
    )


def section(evidence: Evidence) -> Section:
    """The counterexamples of a run; those in which the candidate fails are urgent."""
    every = [one for record in evidence.records for one in shown_counterexamples(evidence, record)]
    return Section(
        "Counterexamples",
        _headline(evidence, every),
        tuple(
            SectionItem(one.state, one.words, one.command, one.check, one.fails, one.supposed)
            for one in every
        ),
        with_commands=", each with the command that keeps it",
        caution=_SUPPOSED,
    )


def _headline(evidence: Evidence, every: Sequence[ShownCounterexample]) -> str:
    """How many there are, in words; empty where there are none at all."""
    parts = []
    new = sum(one.state == "new" for one in every)
    if new:
        parts.append(f"{new:,} new")
    asked = [one for one in every if one.state in ("still fails", "no longer fails")]
    if asked:
        failing = sum(one.fails for one in asked)
        verb = "fails" if failing == 1 else "fail"
        parts.append(f"{failing:,} of {count(len(asked), 'known one')} still {verb}")
    gone = len(every) - new - len(asked)
    if gone:
        parts.append(f"{gone:,} forgotten")
    parts += _troubles(evidence)
    return "; ".join(parts)


def _troubles(evidence: Evidence) -> Iterator[str]:
    for record in evidence.records:
        if record.replay and record.replay.trouble:
            yield f"those of earlier runs cannot be read: {record.replay.trouble}"


def _again(evidence: Evidence, check: str, one: Replayed) -> ShownCounterexample:
    state = {True: "still fails", False: "no longer fails", None: "not asked"}[one.fails]
    more = one.reason and f"forgotten, for {one.reason}"
    if one.champion_fails is not None:
        more = "the champion fails too" if one.champion_fails else "the champion does not fail"
    return _told(evidence, check, one.known.case, state, more)


def _told(
    evidence: Evidence, check: str, case: Counterexample, state: str, more: str
) -> ShownCounterexample:
    words = f"{_words(case)} ({check} {case.metric})"
    command = _command(evidence, case) if state != "not asked" else ""
    return ShownCounterexample(check, case, state, f"{words}; {more}" if more else words, command)


def _words(case: Counterexample) -> str:
    if case.values is not None:
        first, then = told_apart(*case.values)
        form = _OF_ROWS.get(case.metric, "{feature} {first}, then {then}")
        words = form.format(feature=case.feature, first=first, then=then)
        return f"‘{case.query}’, document {case.document}: {words}"
    # Tabs and breaks that are part of the change must be seen.
    shown = case.typed.replace("\t", "⇥").replace("\u00a0", "⍽")
    if not case.typed:
        return f"‘{case.query}’ gets another label than it must"
    if case.metric.startswith("sensitivity."):
        return f"‘{shown}’ is answered as ‘{case.query}’ is"
    return f"‘{shown}’ gets another label than ‘{case.query}’"


def _command(evidence: Evidence, case: Counterexample) -> str:
    """`gates golden add` with the query that is answered wrongly and its right label.

    Empty where that cannot say it: rows of rankers, queries whose right label is not known, and
    texts with characters that cannot be seen.
    """
    query, label = case.typed or case.query, case.label
    if not label or not query.strip() or not (query.isprintable() and label.isprintable()):
        return ""
    model, path = evidence.card.model, evidence.golden.path
    golden = model if path == f"golden/{model}" else path
    words = ["gates", "golden", "add", golden, *_option("query", query), *_option("label", label)]
    return shlex.join(words)


def _option(name: str, value: str) -> tuple[str, ...]:
    # A value with a dash in front would be read as an option.
    return (f"--{name}={value}",) if value.startswith("-") else (f"--{name}", value)
