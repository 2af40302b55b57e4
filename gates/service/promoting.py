"""Promotion of what passed, where the card asks for it."""

from __future__ import annotations

from pathlib import Path

from gates.card.card import Card
from gates.errors import PromotionRefused
from gates.promotion.criteria import criteria_of
from gates.promotion.promote import promote
from gates.promotion.turns import settle_left
from gates.registry import Registry
from gates.service.store.values import Job

__all__ = ["BY", "is_wanted", "promote_passed"]

BY = "gates serve"
"""Whose name the history shows for what the service does by itself."""


def is_wanted(card: Card, job: Job) -> bool:
    """Whether the card has what a job came to promoted."""
    return card.policy.promote == "on-pass" and job.verdict == "PASS"


def promote_passed(
    registry: Registry, card: Card, job: Job, evidence: Path, *, verify_key: Path | None
) -> str:
    """Move the champion's alias to a job's version; once, however often it is begun.

    Args:
        registry: Where.
        card: The model's card.
        job: The job, which passed.
        evidence: Its `evidence.json`.
        verify_key: What the evidence must be signed for, if anything.

    Returns:
        What happened, in words, refusals too; empty when somebody else had moved it there.

    Raises:
        RegistryError: The registry could not be asked, or told.
    """
    alias = card.policy.champion
    if registry.aliases(job.model).get(alias) == job.version:
        return _completed(registry, job)  # it was moved before this was killed
    try:
        promote(
            registry,
            card,
            job.uri,
            evidence,
            criteria=criteria_of(card),
            why=f"gate {job.id} passed, and the card says promote: on-pass",
            by=BY,
            verify_key=verify_key,
        )
    except PromotionRefused as problem:
        return f"not promoted: {problem}"
    return f"promoted: version {job.version} is the {alias}"


def _completed(registry: Registry, job: Job) -> str:
    with registry.exclusive(job.model):
        settle_left(registry, job.model)
    for event in registry.events(job.model):
        ours = event.kind == "promote" and event.version == job.version
        if ours and event.evidence_digest == job.evidence_digest:
            return f"promoted: version {job.version} is the {event.alias}"
    return ""
