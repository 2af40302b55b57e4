"""What a run comes to in a few sentences: the headline, the order of reading, what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gates.domain import Judgement, Outcome
from gates.errors import NoChampion
from gates.evidence import CheckRecord, Evidence
from gates.report.text import count, number

__all__ = ["MARKS", "Step", "headline", "next_steps", "reading_order", "versions"]

MARKS = {Outcome.PASS: "✓", Outcome.FAIL: "✕", Outcome.UNDECIDED: "?"}
_ORDER = (Outcome.FAIL, Outcome.UNDECIDED, Outcome.PASS)
# Beyond this factor the estimate says only that another model, not more data, is called for.
_HOPELESS = 50.0


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do next.

    Attributes:
        text: A sentence.
        command: What to type for it; may be empty.
    """

    text: str
    command: str = ""


def headline(evidence: Evidence) -> str:
    """The verdict as a sentence about the candidate and the champion."""
    name = f"{evidence.candidate.name} version {evidence.candidate.version}"
    role = f"become {evidence.card.champion_alias}"
    if evidence.champion:
        role = f"replace version {evidence.champion.version}"
    return {
        Outcome.PASS: f"{name} may {role}",
        Outcome.FAIL: f"{name} must not {role}",
        Outcome.UNDECIDED: f"{name} may not {role} yet",
    }[evidence.verdict.outcome]


def versions(evidence: Evidence) -> str:
    """Who was compared with whom, such as `candidate 8 against champion 7`."""
    champion = evidence.champion
    against = f"{evidence.card.champion_alias} {champion.version}" if champion else "no champion"
    return f"candidate {evidence.candidate.version} against {against}"


def reading_order(judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """FAILs first, then UNDECIDEDs, then PASSes; in each, required bounds before advisory ones."""
    return tuple(sorted(judgements, key=lambda j: (_ORDER.index(j.outcome), j.bound.advisory)))


def next_steps(evidence: Evidence) -> tuple[Step, ...]:
    """What to do now, most useful first."""
    uri = evidence.candidate.uri
    promote = f'gates promote {uri}{"" if evidence.champion else " --first"} --why "…"'
    if evidence.verdict.outcome is Outcome.PASS:
        waiting = sum(
            j.bound.advisory and j.outcome is not Outcome.PASS for j in evidence.judgements
        )
        look = f"Look at {count(waiting, 'advisory bound')} that would not have passed."
        step = Step("Promote it; promotion checks these digests again.", promote)
        return (Step(look), step) if waiting else (step,)
    blocking = [
        j
        for j in evidence.judgements
        if not j.bound.advisory and j.outcome is evidence.verdict.outcome
    ]
    if all(j.reason == str(NoChampion()) for j in blocking):
        words = "Nothing is in production to compare with: let it be the first, if you trust it."
        return (Step(words, promote),)
    records = {record.check: record for record in evidence.records}
    steps = []
    for check in dict.fromkeys(j.bound.check for j in blocking):
        own = [j for j in blocking if j.bound.check == check]
        steps += _for_check(records.get(check, CheckRecord(check)), own)
    # A dead worker stops several checks with one fault; it is to be mended once.
    steps = list(dict.fromkeys(steps))
    if evidence.verdict.outcome is Outcome.FAIL:
        steps.append(
            Step(
                "Mend the model, package it as a new version and gate that one.", _package(evidence)
            )
        )
    else:
        steps.append(Step("Then gate the same version again.", f"gates run {uri}"))
    return tuple(steps)


def _package(evidence: Evidence) -> str:
    return f"gates package {evidence.card.model}"


def _for_check(record: CheckRecord, judgements: list[Judgement]) -> list[Step]:
    if record.fault and not record.breach:
        advice = "read the worker's log and put that right" if record.log else "put that right"
        return [Step(f"Something could not run ({record.fault}): {advice}.")]
    name = record.check
    if record.breach or any(j.measurement and j.measurement.breach for j in judgements):
        return [Step(f"{name}: the candidate broke its contract; read the reason and the log.")]
    if judgements[0].outcome is Outcome.FAIL:
        return [Step(f"{name}: {_names(judgements)} {_where_to_look(record)}")]
    return [Step(f"{name}: {sentence}") for sentence in _to_decide(judgements)]


def _names(judgements: list[Judgement]) -> str:
    shown = [j.bound.id.partition("::")[2] for j in judgements[:3]]
    rest = len(judgements) - len(shown)
    verb = "fails" if len(judgements) == 1 else "fail"
    return f"{', '.join(shown)}{f' and {rest} more' if rest else ''} {verb};"


def _where_to_look(record: CheckRecord) -> str:
    kinds = {exhibit.kind for exhibit in record.exhibits}
    if "ranking-diff" in kinds:
        return "begin with the worst queries, old and new side by side."
    titles = [exhibit.title for exhibit in record.exhibits]
    return f"begin with the table “{titles[0]}”." if titles else "begin with its reason."


def _to_decide(judgements: list[Judgement]) -> list[str]:
    sentences = []
    for judgement in judgements[:3]:
        name = judgement.bound.id.partition("::")[2]
        measurement, factor = judgement.measurement, _factor(judgement)
        if measurement is None or factor is None:
            sentences.append(f"{name}: {judgement.reason}.")
        elif measurement.lower == -math.inf or measurement.upper == math.inf:
            sentences.append(
                f"{name} has only {measurement.n:,} judged, too few for an interval: add golden "
                "queries or judge more documents there."
            )
        elif factor > _HOPELESS:
            sentences.append(
                f"{name} lies almost on its bound; no golden set of a practical size will tell."
            )
        else:
            # Two digits: it is an estimate, and more would pretend otherwise.
            needed = number(float(f"{measurement.n * factor:.2g}"))
            sentences.append(
                f"{name} needs about {needed} judged instead of {measurement.n:,}, if the value "
                "stays where it is: add golden queries or judge more documents."
            )
    if len(judgements) > 3:
        sentences.append(f"{count(len(judgements) - 3, 'more bound')} cannot be told either.")
    return sentences


def _factor(judgement: Judgement) -> float | None:
    """How many times the sample would decide this bound, as widths shrink with its root."""
    bound, m = judgement.bound, judgement.measurement
    if m is None or m.value is None or m.n == 0 or m.lower is None or m.upper is None:
        return None
    factors = []
    for limit, inside in ((bound.minimum, 1), (bound.maximum, -1)):
        if limit is None or not m.lower <= limit <= m.upper:
            continue
        gap = (m.value - limit) * inside
        towards = (m.value - m.lower) if (gap > 0) == (inside > 0) else (m.upper - m.value)
        factors.append((towards / gap) ** 2 if gap else float("inf"))
    return max(factors, default=None)
