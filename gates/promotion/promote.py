"""`gates promote`: the alias to a candidate that evidence speaks for.

Everything is looked up again, and compared with the evidence.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from gates.card.card import Card
from gates.domain.judging import ModelVersion
from gates.errors import PromotionRefused
from gates.evidence.bundle import read_evidence, read_rows
from gates.evidence.evidence import Evidence
from gates.promotion.criteria import Criteria
from gates.promotion.guards import Question, refuse
from gates.promotion.moves import demand, move
from gates.registry import Event, Registry

__all__ = ["promote"]


def promote(
    registry: Registry,
    card: Card,
    candidate: str,
    evidence: Path | None,
    *,
    criteria: Criteria,
    why: str,
    by: str,
    first: bool = False,
    verify_key: Path | None = None,
) -> Event:
    """Move the card's champion alias to a candidate that evidence speaks for.

    Args:
        registry: Where versions and aliases are.
        card: The card, as it is now.
        candidate: The candidate's model URI.
        evidence: The `evidence.json` of its gate run; None for the one the registry keeps.
        criteria: What the card asks, as it is now.
        why: Why, for the history.
        by: Who, for the history.
        first: True to promote a first version, where there is no champion to compare with.
        verify_key: A PEM file with an Ed25519 public key; then signed evidence is demanded.

    Returns:
        The recorded event.

    Raises:
        PromotionRefused: The guards said no, a line for each thing that differs.
        EvidenceError: The evidence cannot be read, or is not signed as demanded, or its rows are
            not there as it digested them.
        RegistryError: The registry failed; it says so if that was after the alias had moved.
        IntegrityError: The artifact of the candidate or champion changed since it was packaged.
        UsageError: There is no reason or no name.
    """
    demand(why=why, by=by)
    alias, model = card.policy.champion, card.policy.model
    # What is verified here, once, holds until the alias has moved: nobody else moves it meanwhile.
    with registry.exclusive(model):
        question = _look_up(
            registry, card, candidate, evidence, criteria, verify_key, first=first, by=by
        )
        version, champion = question.version, question.champion
        if champion and champion.uri == version.uri:
            raise PromotionRefused(
                f"{version.uri} already is the {alias}: there is nothing to move"
            )
        refuse(question)
        event = Event(
            datetime.now(UTC),
            "promote",
            model,
            version.version,
            previous_version=champion.version if champion else "",
            by=by,
            why=why,
            verdict=question.evidence.verdict.outcome.value,
            evidence_digest=question.digest,
            alias=alias,
            state="begun",
        )
        done = move(registry, event)
    registry.tag(version, {"gates.promoted_at": event.when.isoformat(), "gates.promoted_by": by})
    return done


def _look_up(
    registry: Registry,
    card: Card,
    candidate: str,
    evidence: Path | None,
    criteria: Criteria,
    verify_key: Path | None,
    *,
    first: bool,
    by: str,
) -> Question:
    version = registry.resolve(candidate)
    read, digest = _evidence(registry, version, evidence, verify_key)
    return Question(
        card,
        version,
        registry.alias(card.policy.model, card.policy.champion),
        read,
        digest,
        criteria,
        registry.events(version.name),
        registry.identity(),
        first,
        by,
    )


def _evidence(
    registry: Registry, version: ModelVersion, given: Path | None, verify_key: Path | None
) -> tuple[Evidence, str]:
    """The evidence that is to speak for a version, and its digest."""
    with tempfile.TemporaryDirectory(prefix="gates-") as scratch:
        path = given or registry.evidence(version.uri, Path(scratch))
        if path is None:
            raise PromotionRefused(
                f"{version.uri} was never gated", advice=f"run: gates run {version.uri}"
            )
        read = read_evidence(path, verify_key=verify_key)
        read_rows(path, read)
        return read, read.digest
