"""`gates approve`: a second person has seen the evidence of a gate, and signs for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gates.card.card import Card
from gates.domain.judging import Outcome
from gates.errors import PromotionRefused, UsageError
from gates.evidence.approval import Approval, approver, key_of, signed
from gates.evidence.evidence import Evidence
from gates.evidence.verdict import rederive
from gates.promotion.moves import demand
from gates.registry import Event, Registry

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

__all__ = ["approve", "given", "involved", "missing"]


def approve(
    registry: Registry, card: Card, evidence: Evidence, *, signer: Signer, why: str
) -> Event:
    """Record that somebody has seen evidence and lets it promote.

    Args:
        registry: Whose history keeps it.
        card: The card, as it is now; it says whose keys count.
        evidence: What was seen.
        signer: Whose key.
        why: In their words, for the history.

    Returns:
        The recorded event.

    Raises:
        UsageError: The card asks for no approvals, or not for this key's; there is no reason.
        PromotionRefused: There is nothing to approve, or by nobody who ran the gate.
        RegistryError: The registry failed.
    """
    demand(why=why)
    keys = card.policy.approvals.keys if card.policy.approvals else {}
    if not keys:
        raise UsageError(
            f"the card of '{card.policy.model}' asks for no approvals",
            advice="say in it whose: approvals: {needed: 1, keys: {NAME: PUBLIC KEY}}",
        )
    person = next(
        (one for one, key in keys.items() if key_of(key).keyval == signer.public_key.keyval), ""
    )
    if not person:
        raise UsageError(
            "the key is of nobody whom the card lets approve",
            advice=f"it lets {', '.join(keys)}; the public half has to be in the card",
        )
    version, digest = evidence.candidate, evidence.digest
    verdict = rederive(evidence).verdict.outcome
    if verdict is Outcome.FAIL:
        raise PromotionRefused(
            f"the evidence of {version.uri} is a FAIL: there is nothing to approve"
        )
    if person in _among((person,), involved(registry.events(version.name), digest)):
        raise PromotionRefused(
            f"{person} ran the gate of {version.uri}", advice="somebody else has to approve it"
        )
    store = registry.identity().id
    about = Approval(version.name, version.version, store, digest)
    event = Event(
        datetime.now(UTC),
        "approve",
        version.name,
        version.version,
        by=person,
        why=why,
        verdict=verdict.value,
        evidence_digest=digest,
        summary=signed(about, signer),
    )
    registry.log_event(event)
    return event


def given(
    keys: Mapping[str, str], events: Iterable[Event], wanted: Approval
) -> Mapping[str, Event]:
    """Who approved evidence, with the events that say so, the newest of each.

    Args:
        keys: Person → public key, of the card.
        events: What was done to the model, newest first.
        wanted: What must have been approved.
    """
    found: dict[str, Event] = {}
    for one in events:
        if one.kind == "approve" and one.evidence_digest == wanted.evidence:
            person = approver(one.summary, keys, wanted)
            if person:
                found.setdefault(person, one)
    return found


def involved(events: Iterable[Event], digest: str) -> frozenset[str]:
    """Who ran the gates of some evidence: they cannot approve it.

    Args:
        events: What was done to the model.
        digest: `sha256:…` of the evidence.
    """
    ran = (one for one in events if one.kind == "gate" and one.evidence_digest == digest)
    return frozenset(one.by for one in ran if one.by)


def missing(
    card: Card, events: tuple[Event, ...], wanted: Approval, promoter: str
) -> Iterator[str]:
    """What speaks against promoting evidence that not enough people approved.

    Args:
        card: The card, as it is now.
        events: What was done to the model, newest first.
        wanted: What must have been approved.
        promoter: Who promotes, and so does not count.
    """
    policy = card.policy.approvals
    if policy is None:
        return
    by = given(policy.keys, events, wanted)
    barred = _among(by, {promoter, *involved(events, wanted.evidence)})
    counted = [person for person in by if person not in barred]
    if len(counted) < policy.needed:
        others = ", ".join(one for one in policy.keys if one not in by) or "nobody else"
        not_counted = f"; {', '.join(sorted(barred))} promotes it or ran the gate" if barred else ""
        yield (
            f"{len(counted)} of {policy.needed} approvals of this evidence are there{not_counted}; "
            f"{others} can approve it: gates approve models:/{wanted.model}/{wanted.version}"
        )


def _among(people: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """Those who go by one of some names; a login is the first part of its address."""
    known = {_login(name) for name in names}
    return frozenset(person for person in people if _login(person) in known)


def _login(name: str) -> str:
    return name.strip().partition("@")[0].casefold()
