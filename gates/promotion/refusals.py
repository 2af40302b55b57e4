"""Refused promotions, in the history: who tried what, and what spoke against it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gates.card.card import Card
from gates.errors import EvidenceError, GatesError, IntegrityError, RegistryError
from gates.evidence.bundle import read_evidence
from gates.promotion.guards import GuardsRefused
from gates.registry import Event, Refusal, Registry
from gates.registry.names import parse_uri

__all__ = ["record_refusal"]


def record_refusal(
    registry: Registry,
    card: Card,
    candidate: str,
    evidence: Path | None,
    problem: GatesError,
    *,
    why: str,
    by: str,
) -> None:
    """Add a refused promotion to the history, unless the same was refused just before.

    Nothing is raised where it cannot be recorded: the refusal itself is what people must see.

    Args:
        candidate: The candidate's model URI.
        evidence: The evidence that was given; None for the registry's.
        problem: Why it was refused.
    """
    refusals = _refusals(problem)
    if not refusals:
        return
    with contextlib.suppress(RegistryError):
        asked, alias = parse_uri(candidate), card.policy.champion
        aliases = registry.aliases(asked.name)
        event = Event(
            datetime.now(UTC),
            "refused",
            asked.name,
            asked.version or aliases.get(asked.alias, ""),
            previous_version=aliases.get(alias, ""),
            by=by,
            why=why,
            evidence_digest=_digest(evidence),
            alias=alias,
            refusals=refusals,
        )
        last = next((one for one in registry.events(asked.name) if one.kind == "refused"), None)
        if last is None or event != replace(last, when=event.when, run_id=""):
            registry.log_event(event)


def _refusals(problem: GatesError) -> tuple[Refusal, ...]:
    if isinstance(problem, GuardsRefused):
        return problem.refusals
    if isinstance(problem, EvidenceError):
        return (Refusal("evidence", problem.what),)
    return (Refusal("integrity", problem.what),) if isinstance(problem, IntegrityError) else ()


def _digest(evidence: Path | None) -> str:
    try:
        return read_evidence(evidence).digest if evidence else ""
    except (OSError, EvidenceError):
        return ""
