"""What a run comes to in a few words: the headline, who was compared, the order of reading."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from gates.domain.comparison import Comparison
from gates.domain.judging import Bound, Judgement, Outcome
from gates.domain.tasks import TASKS, Task
from gates.domain.tasks.ranking import RANKING
from gates.evidence.evidence import Evidence
from gates.report.text import count

__all__ = [
    "MARKS",
    "comparison_headline",
    "golden_size",
    "headline",
    "marked",
    "outcome_of",
    "reading_order",
    "resting_on",
    "task_of",
    "versions",
]

MARKS = {Outcome.PASS: "✓", Outcome.FAIL: "✕", Outcome.UNDECIDED: "?", "WAIVED": "⚑"}
_ORDER = ("FAIL", "UNDECIDED", "WAIVED", "PASS")


def headline(evidence: Evidence) -> str:
    """The verdict as a sentence about the candidate and the champion."""
    name = f"{evidence.candidate.name} version {evidence.candidate.version}"
    resting = resting_on(evidence)
    if evidence.is_against_itself:
        return {
            Outcome.PASS: f"{name}, compared with itself, meets its card{resting}",
            Outcome.FAIL: f"{name}, compared with itself, does not meet its card",
            Outcome.UNDECIDED: f"{name}, compared with itself, leaves its card undecided",
        }[evidence.verdict.outcome]
    role = f"become {evidence.card.champion_alias}"
    if evidence.champion:
        role = f"replace version {evidence.champion.version}"
    return {
        Outcome.PASS: f"{name} may {role}{resting}{_although(evidence.judgements)}",
        Outcome.FAIL: f"{name} must not {role}",
        Outcome.UNDECIDED: f"{name} may not {role} yet",
    }[evidence.verdict.outcome]


def resting_on(evidence: Evidence) -> str:
    """How many waivers a run rests on, as a phrase behind its headline; empty for none."""
    used = {one for j in evidence.judgements if j.is_waived for one in j.bound.waivers}
    return f", resting on {count(len(used), 'waiver')}" if used else ""


def outcome_of(judgement: Judgement) -> str:
    """PASS, FAIL, UNDECIDED, or WAIVED: what does not hold and cannot block."""
    return "WAIVED" if judgement.is_waived else judgement.outcome.value


def marked(judgement: Judgement) -> str:
    """The outcome behind its sign, with what it would have been where that is waived."""
    outcome = outcome_of(judgement)
    would = f" (would be {judgement.outcome})" if judgement.is_waived else ""
    return f"{MARKS[outcome]} {outcome}{would}"


def comparison_headline(comparison: Comparison) -> str:
    """The verdict as a sentence about the two files; whole paths where their names are alike."""
    old, new = comparison.old.path, comparison.new.path
    if PurePath(old).name != PurePath(new).name:
        old, new = PurePath(old).name, PurePath(new).name
    return {
        Outcome.PASS: f"{new} may replace {old}{_although(comparison.judgements)}",
        Outcome.FAIL: f"{new} must not replace {old}",
        Outcome.UNDECIDED: f"these queries cannot tell whether {new} may replace {old}",
    }[comparison.verdict.outcome]


def _although(judgements: Iterable[Judgement]) -> str:
    """What a margin let through although it is proven; empty where nothing is."""
    lost = [_lost(one.bound) for one in judgements if _is_proven_loss(one)]
    if not lost:
        return ""
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return f", although it surely loses {lost[0]}{more}: within the margin"


def _lost(bound: Bound) -> str:
    metric = bound.metric.removesuffix(".delta")
    return f"{metric} of {bound.slice}" if bound.slice else metric


def _is_proven_loss(judgement: Judgement) -> bool:
    bound, measured = judgement.bound, judgement.measurement
    if judgement.is_waived or bound.advisory:
        return False
    if measured is None or not bound.metric.endswith(".delta"):
        return False
    # A margin is a limit on the far side of 0: what lies between the two is a loss it allows.
    if bound.minimum is not None and bound.minimum < 0:
        return measured.upper is not None and measured.upper < 0
    if bound.maximum is not None and bound.maximum > 0:
        return measured.lower is not None and measured.lower > 0
    return False


def versions(evidence: Evidence) -> str:
    """Who was compared with whom, such as `candidate 8 against champion 7`."""
    champion = evidence.champion
    against = f"{evidence.card.champion_alias} {champion.version}" if champion else "no champion"
    return f"candidate {evidence.candidate.version} against {against}"


def task_of(evidence: Evidence) -> Task:
    """The kind of model that was gated."""
    # Evidence outlives the gate that wrote it: a task that this one lacks is shown as a ranking.
    return TASKS.get(evidence.card.task, RANKING)


def golden_size(evidence: Evidence) -> str:
    """How many golden queries or texts there are, such as `180 queries`."""
    task = task_of(evidence)
    return count(evidence.golden.queries, task.item, task.items)


def reading_order(judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """FAILs, UNDECIDEDs, what is waived, PASSes; in each, required bounds before advisory ones."""
    return tuple(sorted(judgements, key=lambda j: (_ORDER.index(outcome_of(j)), j.bound.advisory)))
