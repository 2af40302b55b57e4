"""`gates promote --plan`: what a promotion would do, and each guard's answer; nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gates.card.card import Card
from gates.promotion.criteria import Criteria
from gates.promotion.guards import GUARDS, Guard, Question
from gates.promotion.moves import found_moved
from gates.promotion.promote import look_up
from gates.registry import Event, Registry
from gates.registry.turns import Turn

__all__ = ["Answer", "Plan", "plan"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one guard says: lines that speak against the promotion, none where it is met."""

    guard: Guard
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a promotion would do.

    Attributes:
        question: All that was looked up for it.
        answers: What the guards say, all of them.
        foreign: What would be added to the history first; None when nothing.
        turn: A turn that somebody has just now, and that would be waited for; None when nobody.
    """

    question: Question
    answers: tuple[Answer, ...]
    foreign: Event | None
    turn: Turn | None

    @property
    def would_move(self) -> bool:
        """Whether the alias would move."""
        return not any(one.lines for one in self.answers)


def plan(
    registry: Registry,
    card: Card,
    candidate: str,
    evidence: Path | None,
    *,
    criteria: Criteria,
    by: str,
    first: bool = False,
    verify_key: Path | None = None,
) -> Plan:
    """What `gates.promotion.promote.promote` would do now; arguments and errors are its own."""
    model, alias = card.policy.model, card.policy.champion
    question = look_up(registry, card, candidate, evidence, criteria, verify_key, first, by)
    answers = tuple(Answer(one, tuple(one.refusals(question))) for one in GUARDS)
    now = question.champion.version if question.champion else ""
    turns = registry.turns(model)
    return Plan(
        question,
        answers,
        found_moved(question.events, model, alias, now),
        turns[-1] if turns and not turns[-1].ending else None,
    )
