"""What a promotion asks: evidence and what there is now, compared, a function a guard.

A guard yields a line for each thing that speaks against the promotion, and none where it is met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from gates.card.card import Card
from gates.domain.judging import Cause, ModelVersion, Outcome
from gates.errors import PromotionRefused
from gates.evidence.approval import Approval
from gates.evidence.evidence import Evidence, RegistryFacts
from gates.evidence.inventory import Inventory
from gates.evidence.verdict import Rederived, rederive
from gates.promotion.approvals import missing
from gates.promotion.criteria import Criteria
from gates.registry import Event, Refusal

__all__ = ["GUARDS", "Guard", "GuardsRefused", "Question", "refuse"]


@dataclass(frozen=True)
class Question:
    """Whether a version may come under an alias: all that the guards look at, looked up anew.

    Attributes:
        card: The card, as it is now.
        version: The candidate.
        champion: What is under the card's alias; None when nothing is.
        evidence: What is to speak for the candidate.
        digest: `sha256:…` of its bytes.
        criteria: What the card asks, as it is now.
        events: What was done to the candidate's model, newest first.
        registry: Which registry all this is in.
        first: True where a first version is to be promoted, with no champion to compare with.
        by: Who promotes.
    """

    card: Card
    version: ModelVersion
    champion: ModelVersion | None
    evidence: Evidence
    digest: str
    criteria: Criteria
    events: tuple[Event, ...]
    registry: RegistryFacts
    first: bool = False
    by: str = ""

    @cached_property
    def judged_again(self) -> Rederived:
        """The evidence held to the card as it is now, with every own test its run has met."""
        listed = self.evidence.inventory
        return rederive(
            self.evidence, self.criteria.inventory.with_tests(listed.tests if listed else ())
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that a promotion asks.

    Attributes:
        name: Its name, for programs.
        asks: What it asks, for people.
        refusals: A line for each thing that speaks against the promotion.
        ends_with_a_gate: Whether another gate of the same version may do away with them.
    """

    name: str
    asks: str
    refusals: Callable[[Question], Iterator[str]]
    ends_with_a_gate: bool = True


class GuardsRefused(PromotionRefused):
    """The guards of a promotion said no.

    Args:
        refusals: What spoke against it, in the order of the guards.
    """

    def __init__(self, what: str, *, advice: str, refusals: tuple[Refusal, ...]) -> None:
        super().__init__(what, advice=advice)
        self.refusals = refusals


def refuse(question: Question) -> None:
    """Refuse what the evidence does not speak for.

    Raises:
        PromotionRefused: With a line for each thing that differs.
    """
    uri = question.version.uri
    for line in _already_there(question):
        raise PromotionRefused(line)
    found = [(guard, line) for guard in GUARDS for line in guard.refusals(question)]
    if found:
        again = any(guard.ends_with_a_gate for guard, _ in found)
        next_step = (
            f"gate again: gates run {uri}" if again else f"see what it rests on: gates show {uri}"
        )
        raise GuardsRefused(
            f"{uri} was not promoted:\n" + "\n".join(f"  - {line}" for _, line in found),
            advice=f"the alias has not moved; {next_step}",
            refusals=tuple(Refusal(guard.name, line) for guard, line in found),
        )


def _already_there(question: Question) -> Iterator[str]:
    uri, champion = question.version.uri, question.champion
    if champion and champion.uri == uri:
        alias = question.card.policy.champion
        yield f"{uri} already is the {alias}: there is nothing to move"


def _of_another_model(question: Question) -> Iterator[str]:
    model, version = question.card.policy.model, question.version
    if version.name != model:
        yield f"the card is for model '{model}', the candidate is {version.uri}"


def _unrecorded(question: Question) -> Iterator[str]:
    """Evidence that was edited after its run; a run that could not be logged has no record."""
    version, digest = question.version, question.digest
    own = [one for one in question.events if one.kind == "gate" and one.version == version.version]
    if own and digest not in {one.evidence_digest for one in own}:
        yield f"no gate run of {version.uri} recorded this evidence ({digest}): was it edited?"


def _of_another_registry(question: Question) -> Iterator[str]:
    recorded, now = question.evidence.registry, question.registry
    if recorded is None or not recorded.id:
        yield "the evidence does not say of which registry it is"
    elif recorded.id != now.id:
        yield (
            f"the evidence is of the registry {recorded.id} at {recorded.address}, not of "
            f"{now.id or 'this one, which has no name,'} at {now.address}"
        )


def _differing_digests(question: Question) -> Iterator[str]:
    evidence, version = question.evidence, question.version
    for what, recorded, now in (
        ("candidate", evidence.candidate.digest, version.digest),
        ("golden set", evidence.golden.digest, question.criteria.golden_digest),
        ("card", evidence.card.digest, question.card.digest),
    ):
        if recorded != now:
            yield f"the {what} digest differs: evidence has {recorded}, now it is {now}"
    if evidence.candidate.uri != version.uri:
        yield f"the evidence is for {evidence.candidate.uri}, not {version.uri}"


def _differing_champion(question: Question) -> Iterator[str]:
    if question.evidence.is_against_itself:
        yield "the evidence compares the candidate with itself: an A/A run promotes nothing"
    recorded, now = _described(question.evidence.champion), _described(question.champion)
    if recorded != now:
        yield f"the champion differs: evidence has {recorded}, now it is {now}"


def _described(version: ModelVersion | None) -> str:
    return f"{version.uri} with digest {version.digest}" if version else "none"


def _spent(question: Question) -> Iterator[str]:
    """Evidence of before its version was rolled back: what was learnt since is not in it."""
    version, alias = question.version, question.card.policy.champion
    away = [
        one.when
        for one in question.events
        if one.kind == "rollback" and one.alias == alias and one.state != "failed"
        if one.previous_version == version.version
    ]
    promoted = [
        one.when
        for one in question.events
        if one.kind == "promote" and one.evidence_digest == question.digest
    ]
    ended = _moment(question.evidence.created)
    last = max(away, default=None)
    if last and (ended is None or ended <= last or any(one < last for one in promoted)):
        yield (
            f"{version.uri} was rolled back on {last.isoformat(timespec='seconds')}, and this "
            "evidence is of before: it is spent"
        )


def _too_old(question: Question) -> Iterator[str]:
    days, created = question.card.policy.evidence_days, question.evidence.created
    if days is None:
        return
    ended = _moment(created)
    if ended is None or datetime.now(UTC) - ended > timedelta(days=days):
        yield f"the evidence is of {created}, and the card takes none older than {days} d"


def _moment(written: str) -> datetime | None:
    """When that was; None where it is no time, or in no zone."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _differing_inventory(question: Question) -> Iterator[str]:
    recorded, now = question.evidence.inventory, question.criteria.inventory
    if recorded is None:
        yield (
            "the evidence has no inventory of what it had to cover, for an earlier version of "
            "mlgates wrote it: gate again"
        )
    elif recorded.test_files != now.test_files:
        yield from _differing_tests(recorded, now)


def _differing_tests(recorded: Inventory, now: Inventory) -> Iterator[str]:
    was = {one.path: one.digest for one in recorded.test_files}
    files = {one.path: one.digest for one in now.test_files}
    for path in sorted(was | files):
        if was.get(path) != files.get(path):
            has, is_now = was.get(path, "none"), files.get(path, "gone")
            yield f"the own tests differ: for {path} the evidence has {has}, now it is {is_now}"


def _contradictions(question: Question) -> Iterator[str]:
    yield from question.judged_again.differences


def _not_first(question: Question) -> Iterator[str]:
    if question.champion and question.first:
        yield f"'first' was asked for, but {question.champion.uri} is the champion"
    elif not question.champion and not question.first:
        yield "there is no champion yet: promote a first version with --first"


def _no_pass(question: Question) -> Iterator[str]:
    found = question.judged_again
    if question.champion:
        if found.verdict.outcome is not Outcome.PASS:
            yield from (
                f"the verdict is {found.verdict.outcome}: {one}" for one in found.verdict.reasons
            )
    elif question.first:
        for one in found.judgements:
            excused = one.bound.advisory or one.is_waived or one.cause is Cause.NO_CHAMPION
            if one.outcome is not Outcome.PASS and not excused:
                yield f"{one.bound.id} is {one.outcome}: {one.reason}"
        if all(one.bound.advisory for one in found.judgements):
            yield "the evidence holds no required judgement"


def _unapproved(question: Question) -> Iterator[str]:
    version = question.version
    wanted = Approval(version.name, version.version, question.registry.id, question.digest)
    yield from missing(question.card, question.events, wanted, question.by)


GUARDS = (
    Guard("there", "it is not under the alias already", _already_there, False),
    Guard("model", "the card is the candidate's", _of_another_model),
    Guard("record", "a gate run of this version recorded the evidence", _unrecorded),
    Guard("registry", "the evidence is of this registry", _of_another_registry),
    Guard("digests", "candidate, golden set and card are as they were gated", _differing_digests),
    Guard("champion", "it was compared with the champion of now", _differing_champion),
    Guard("spent", "its version was not rolled back since", _spent),
    Guard("age", "the evidence is as young as the card asks", _too_old),
    Guard("inventory", "its own tests are as they were gated", _differing_inventory),
    Guard("measurements", "its verdict is what its measurements make", _contradictions, False),
    Guard("first", "there is a champion, or it is promoted as a first version", _not_first, False),
    Guard("verdict", "the verdict is PASS", _no_pass, False),
    Guard("approvals", "as many people approved it as the card asks", _unapproved, False),
)
"""All that a promotion asks, in the order in which refusals are told."""
