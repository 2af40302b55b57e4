"""`gates promote`, `gates rollback`: the alias moves only with its evidence.

`promote` looks everything up again and compares it with the evidence, field by field. An event is
recorded before the alias moves and completed after, so that a killed promotion leaves its trace.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gates.card.card import Card
from gates.domain.judging import Cause, ModelVersion, Outcome
from gates.errors import PromotionRefused, RegistryError, UsageError
from gates.evidence.evidence import Evidence, evidence_digest, read_evidence
from gates.evidence.inventory import Inventory, list_inventory
from gates.evidence.verdict import rederive
from gates.golden import read_golden
from gates.registry import Event, Registry

__all__ = ["Criteria", "criteria_of", "promote", "rollback"]


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a model is judged by as it is now: its golden set, and all that its card asks."""

    golden_digest: str
    inventory: Inventory


def criteria_of(card: Card) -> Criteria:
    """What a model is judged by as it is now.

    Raises:
        CardError, GoldenError: The golden set is not valid, or lacks a slice of the card.
    """
    golden = read_golden(card.golden_path)
    return Criteria(golden.digest, list_inventory(card, golden))


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
        EvidenceError: The evidence cannot be read, or is not signed as demanded.
        RegistryError: The registry failed; it says so if that was after the alias had moved.
        IntegrityError: The artifact of the candidate or champion changed since it was packaged.
        UsageError: There is no reason or no name.
    """
    _demand(why=why, by=by)
    alias, model = card.policy.champion, card.policy.model
    # What is verified here, once, holds until the alias has moved: nobody else moves it meanwhile.
    with registry.exclusive(model):
        version = registry.resolve(candidate)
        read, digest = _evidence(registry, version, evidence, verify_key)
        champion = registry.alias(model, alias)
        _guard(registry, card, version, champion, read, digest, criteria, first=first)
        event = Event(
            datetime.now(UTC),
            "promote",
            model,
            version.version,
            previous_version=champion.version if champion else "",
            by=by,
            why=why,
            verdict=read.verdict.outcome.value,
            evidence_digest=digest,
            alias=alias,
            state="begun",
        )
        done = _move(registry, event)
    registry.tag(version, {"gates.promoted_at": event.when.isoformat(), "gates.promoted_by": by})
    return done


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
        return read_evidence(path, verify_key=verify_key), evidence_digest(path.read_bytes())


def _guard(
    registry: Registry,
    card: Card,
    version: ModelVersion,
    champion: ModelVersion | None,
    read: Evidence,
    digest: str,
    criteria: Criteria,
    *,
    first: bool,
) -> None:
    """Refuse what the evidence does not speak for, with a line for each thing that differs."""
    alias, model = card.policy.champion, card.policy.model
    if champion and version.name == model and champion.version == version.version:
        raise PromotionRefused(f"{version.uri} already is the {alias}: there is nothing to move")
    events = registry.events(version.name)
    differences = [
        *_unrecorded(events, version, digest),
        *_of_another_registry(read, registry),
        *_differing_digests(read, version, card.digest, criteria.golden_digest),
        *_differing_champion(read, champion),
        *_spent(read, events, version, alias, digest),
        *_too_old(read, card.policy.evidence_days),
    ]
    if version.name != model:
        differences.insert(0, f"the card is for model '{model}', the candidate is {version.uri}")
    next_step = f"gate again: gates run {version.uri}"
    if not differences:
        next_step = f"see what it rests on: gates show {version.uri}"
    differences += _verdict_problems(read, criteria.inventory, champion, first=first)
    if differences:
        raise PromotionRefused(
            f"{version.uri} was not promoted:\n" + "\n".join(f"  - {one}" for one in differences),
            advice=f"the alias has not moved; {next_step}",
        )


def rollback(
    registry: Registry, model: str, alias: str, *, why: str, by: str, to: str | None = None
) -> Event:
    """Move an alias back to the version it pointed at before its last promotion or rollback.

    Rolling back twice so returns to where the first rollback began; `to` goes further back.

    Args:
        registry: Where versions and aliases are.
        why: Why, for the history.
        by: Who, for the history.
        to: A version number that the alias pointed at before; None takes the last one.

    Returns:
        The recorded event.

    Raises:
        PromotionRefused: There is no version to go back to, or it was never under the alias.
        IntegrityError: The artifact of that version changed since it was packaged.
        RegistryError: The registry failed, or there is no such model or version.
        UsageError: There is no reason or no name.
    """
    _demand(why=why, by=by)
    with registry.exclusive(model):
        current = registry.aliases(model).get(alias)
        target = _target(registry, model, alias, current, to)
        version = registry.resolve(f"models:/{model}/{target}")
        event = Event(
            datetime.now(UTC),
            "rollback",
            model,
            version.version,
            previous_version=current or "",
            by=by,
            why=why,
            alias=alias,
            state="begun",
        )
        return _move(registry, event)


def _target(registry: Registry, model: str, alias: str, current: str | None, to: str | None) -> str:
    """The version that a rollback goes back to."""
    if current is None:
        raise PromotionRefused(
            f"the alias '{alias}' of '{model}' is not set: there is nothing to roll back",
            advice="promote a version first: gates promote",
        )
    moves = [one for one in registry.events(model) if one.alias == alias and one.state != "failed"]
    target = to or _before(moves, current, model, alias)
    if target == current:
        raise PromotionRefused(f"models:/{model}/{target} already is the {alias}")
    reached = {one.version for one in moves if one.state == "done"}
    served = reached | {one.previous_version for one in moves}
    if target not in served:
        raise PromotionRefused(
            f"version {target} of '{model}' was never the {alias}",
            advice="a rollback goes back only; to go elsewhere, gate that version and promote it",
        )
    return target


def _demand(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip() or len(text) > 2000:
            raise UsageError(
                f"'{name}' is {'longer than 2000 characters' if text.strip() else 'empty'}",
                advice=f"say {name} in a sentence: the history keeps it",
            )


def _unrecorded(events: tuple[Event, ...], version: ModelVersion, digest: str) -> Iterator[str]:
    """Evidence that was edited after its run; a run that could not be logged has no record."""
    own = [one for one in events if one.kind == "gate" and one.version == version.version]
    if own and digest not in {one.evidence_digest for one in own}:
        yield f"no gate run of {version.uri} recorded this evidence ({digest}): was it edited?"


def _differing_digests(
    evidence: Evidence, version: ModelVersion, card_digest: str, golden_digest: str
) -> Iterator[str]:
    for what, recorded, now in (
        ("candidate", evidence.candidate.digest, version.digest),
        ("golden set", evidence.golden.digest, golden_digest),
        ("card", evidence.card.digest, card_digest),
    ):
        if recorded != now:
            yield f"the {what} digest differs: evidence has {recorded}, now it is {now}"
    if evidence.candidate.uri != version.uri:
        yield f"the evidence is for {evidence.candidate.uri}, not {version.uri}"


def _differing_champion(evidence: Evidence, champion: ModelVersion | None) -> Iterator[str]:
    if evidence.is_against_itself:
        yield "the evidence compares the candidate with itself: an A/A run promotes nothing"
    recorded, now = _described(evidence.champion), _described(champion)
    if recorded != now:
        yield f"the champion differs: evidence has {recorded}, now it is {now}"


def _described(version: ModelVersion | None) -> str:
    return f"{version.uri} with digest {version.digest}" if version else "none"


def _of_another_registry(evidence: Evidence, registry: Registry) -> Iterator[str]:
    recorded, now = evidence.registry, registry.identity()
    if recorded is None or not recorded.id:
        yield "the evidence does not say of which registry it is"
    elif recorded.id != now.id:
        yield (
            f"the evidence is of the registry {recorded.id} at {recorded.address}, not of "
            f"{now.id or 'this one, which has no name,'} at {now.address}"
        )


def _spent(
    evidence: Evidence, events: tuple[Event, ...], version: ModelVersion, alias: str, digest: str
) -> Iterator[str]:
    """Evidence of before its version was rolled back: what was learnt since is not in it."""
    away = [
        one.when
        for one in events
        if one.kind == "rollback" and one.alias == alias and one.state != "failed"
        if one.previous_version == version.version
    ]
    promoted = [
        one.when for one in events if one.kind == "promote" if digest == one.evidence_digest
    ]
    ended = _moment(evidence.created)
    last = max(away, default=None)
    if last and (ended is None or ended <= last or any(one < last for one in promoted)):
        yield (
            f"{version.uri} was rolled back on {last.isoformat(timespec='seconds')}, and this "
            "evidence is of before: it is spent"
        )


def _too_old(evidence: Evidence, days: int | None) -> Iterator[str]:
    if days is None:
        return
    ended = _moment(evidence.created)
    if ended is None or datetime.now(UTC) - ended > timedelta(days=days):
        yield f"the evidence is of {evidence.created}, and the card takes none older than {days} d"


def _moment(written: str) -> datetime | None:
    """When that was; None where it is no time, or in no zone."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _verdict_problems(
    evidence: Evidence, inventory: Inventory, champion: ModelVersion | None, *, first: bool
) -> Iterator[str]:
    if evidence.inventory is None:
        yield (
            "the evidence has no inventory of what it had to cover, for an earlier version of "
            "mlgates wrote it: gate again"
        )
    elif evidence.inventory.test_files != inventory.test_files:
        yield from _differing_tests(evidence.inventory, inventory)
    # Held to the card as it is now, with every own test that the run itself has met besides.
    listed = inventory.with_tests(evidence.inventory.tests if evidence.inventory else ())
    found = rederive(evidence, listed)
    yield from found.differences
    if champion:
        if first:
            yield f"'first' was asked for, but {champion.uri} is the champion"
        if found.verdict.outcome is not Outcome.PASS:
            yield from (
                f"the verdict is {found.verdict.outcome}: {one}" for one in found.verdict.reasons
            )
    elif not first:
        yield "there is no champion yet: promote a first version with --first"
    else:
        for one in found.judgements:
            excused = one.bound.advisory or one.cause is Cause.NO_CHAMPION
            if one.outcome is not Outcome.PASS and not excused:
                yield f"{one.bound.id} is {one.outcome}: {one.reason}"
        if all(one.bound.advisory for one in found.judgements):
            yield "the evidence holds no required judgement"


def _differing_tests(recorded: Inventory, now: Inventory) -> Iterator[str]:
    was = {one.path: one.digest for one in recorded.test_files}
    files = {one.path: one.digest for one in now.test_files}
    for path in sorted(was | files):
        if was.get(path) != files.get(path):
            has, is_now = was.get(path, "none"), files.get(path, "gone")
            yield f"the own tests differ: for {path} the evidence has {has}, now it is {is_now}"


def _before(moves: list[Event], current: str, model: str, alias: str) -> str:
    # An event that was begun and never completed counts if the alias is where it was to go.
    last = next((one for one in moves if one.state == "done" or one.version == current), None)
    if last is None or last.version != current:
        raise PromotionRefused(
            f"the {alias} of '{model}' is version {current}, which no promotion put there",
            advice="somebody moved the alias by hand; say where to: gates rollback --to VERSION",
        )
    if not last.previous_version:
        raise PromotionRefused(
            f"version {current} was the first {alias} of '{model}': there is none before it",
            advice="gate and promote another version instead",
        )
    return last.previous_version


def _move(registry: Registry, event: Event) -> Event:
    event = replace(event, run_id=registry.log_event(event))
    try:
        registry.set_alias(
            event.model, event.alias, event.version, expected=event.previous_version or None
        )
    except PromotionRefused:
        registry.log_event(replace(event, state="failed"))
        raise  # any other error may have come after the move: its event stays `begun`
    done = replace(event, state="done")
    try:
        registry.log_event(done)
    except RegistryError as problem:
        raise RegistryError(
            f"the alias '{event.alias}' of '{event.model}' moved to version {event.version}, but "
            f"the history could not be completed: {problem.what}",
            advice="the history shows it as begun; nothing else is missing",
        ) from problem
    return done
