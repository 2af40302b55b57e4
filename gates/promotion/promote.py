"""`gates promote`: the alias to a candidate that evidence speaks for.

Everything is looked up again, and compared with the evidence.
"""

from __future__ import annotations

import contextlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from gates.card.card import Card
from gates.domain.judging import ModelVersion
from gates.errors import EvidenceError, IntegrityError, PromotionRefused
from gates.evidence.bundle import read_evidence, read_rows
from gates.evidence.evidence import Evidence
from gates.promotion.criteria import Criteria
from gates.promotion.guards import Question, refuse
from gates.promotion.moves import Overtaken, demand, move
from gates.promotion.refusals import record_refusal
from gates.promotion.turns import settle_left
from gates.registry import Event, Registry
from gates.registry.chain import last_move

__all__ = ["look_up", "promote"]


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
    # What is verified here, once, holds until the alias has moved: nobody else on this machine
    # moves it meanwhile, and where somebody elsewhere did, all is verified again.
    with registry.exclusive(card.policy.model):
        settle_left(registry, card.policy.model)
        while True:
            try:
                question = look_up(
                    registry, card, candidate, evidence, criteria, verify_key, first, by
                )
                done = _left_undone(question)
                if done:
                    break
                refuse(question)
            except (PromotionRefused, EvidenceError, IntegrityError) as problem:
                record_refusal(registry, card, candidate, evidence, problem, why=why, by=by)
                raise
            with contextlib.suppress(Overtaken):
                done = move(registry, _asked(question, why, by), question.events)
                break
    # The time last: where it stands, all of this promotion was written.
    tags = {"gates.promoted_by": done.by, "gates.promoted_at": done.when.isoformat()}
    registry.tag(question.version, tags)
    return done


def _left_undone(question: Question) -> Event | None:
    """The promotion of this very evidence that moved the alias, and was killed before it ended."""
    last = last_move(question.events, question.card.policy.champion)
    version, champion = question.version, question.champion
    if last is None or champion is None or champion.uri != version.uri:
        return None
    is_it = (last.kind, last.version) == ("promote", version.version)
    told = version.tags.get("gates.promoted_at") == last.when.isoformat()
    return last if is_it and last.evidence_digest == question.digest and not told else None


def _asked(question: Question, why: str, by: str) -> Event:
    return Event(
        datetime.now(UTC),
        "promote",
        question.card.policy.model,
        question.version.version,
        previous_version=question.champion.version if question.champion else "",
        by=by,
        why=why,
        verdict=question.evidence.verdict.outcome.value,
        evidence_digest=question.digest,
        alias=question.card.policy.champion,
        state="begun",
    )


def look_up(
    registry: Registry,
    card: Card,
    candidate: str,
    evidence: Path | None,
    criteria: Criteria,
    verify_key: Path | None,
    first: bool,
    by: str,
) -> Question:
    """Everything that the guards look at, as it is now; see `promote` for arguments and errors."""
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
