"""What another card would have said of the same measurements: for people, and never for promotion.

Only bounds are held against what was measured. Where a check would have measured otherwise under
that card, its measurements say nothing of it, and its bounds are UNDECIDED.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import ValidationError

from gates.card.card import Card
from gates.domain.bar import MovedBound, moved_bounds
from gates.domain.judging import Bound, Cause, Judgement, Verdict, decide
from gates.errors import UsageError
from gates.evidence.evidence import Evidence
from gates.evidence.inventory import Inventory
from gates.evidence.verdict import OWN_TESTS, completed, judge_from

__all__ = ["ChangedJudgement", "Rejudged", "rejudge"]


@dataclass(frozen=True, slots=True)
class ChangedJudgement:
    """A bound or own test that comes out otherwise under the other card.

    Attributes:
        before: As it was judged; None where it was not demanded.
        after: As it is judged now; None where it is not demanded.
    """

    before: Judgement | None
    after: Judgement | None

    @property
    def id(self) -> str:
        """The bound's name."""
        one = self.after or self.before
        return one.bound.id if one else ""


@dataclass(frozen=True, slots=True)
class Rejudged:
    """Evidence under another card.

    Attributes:
        verdict: What that card says.
        judgements: Every bound of it, and the own tests as they came out.
        changed: The bounds whose outcome is another, or that only one of the cards has.
        moved: The bounds that demand something else.
        other_options: The checks that would have measured otherwise.
        other_golden: Whether the measurements are of another golden set than the card's.
    """

    verdict: Verdict
    judgements: tuple[Judgement, ...]
    changed: tuple[ChangedJudgement, ...]
    moved: tuple[MovedBound, ...]
    other_options: tuple[str, ...]
    other_golden: bool


def rejudge(
    evidence: Evidence, card: Card, bounds: tuple[Bound, ...], golden_digest: str
) -> Rejudged:
    """Judge evidence by another card.

    Args:
        evidence: Of a run.
        card: The other card.
        bounds: All that it demands, slices spelled out.
        golden_digest: Of the card's golden set.

    Raises:
        UsageError: The card is of another model.
    """
    if evidence.card.model != card.policy.model:
        raise UsageError(
            f"the card is for model '{card.policy.model}', the evidence is of "
            f"'{evidence.card.model}'",
            advice="name a card of the same model: --card",
        )
    other = tuple(_other_options(evidence, card))
    own = [one for one in evidence.judgements if one.bound.check == OWN_TESTS]
    there = evidence.inventory or Inventory(())
    again = (_judged(one, evidence, other) for one in bounds)
    judgements = completed(replace(there, bounds=bounds), (*again, *own))
    was = {one.bound.id: one for one in evidence.judgements}
    now = {one.bound.id: one for one in judgements}
    changed = tuple(
        ChangedJudgement(was.get(name), now.get(name))
        for name in dict.fromkeys((*now, *was))
        if _outcome(was.get(name)) != _outcome(now.get(name))
    )
    demanded = (one.bound for one in evidence.judgements if one.bound.check != OWN_TESTS)
    return Rejudged(
        decide(judgements),
        judgements,
        changed,
        moved_bounds(demanded, bounds),
        other,
        evidence.golden.digest != golden_digest,
    )


def _judged(bound: Bound, evidence: Evidence, other: tuple[str, ...]) -> Judgement:
    record = next((one for one in evidence.records if one.check == bound.check), None)
    if record is None:
        return Judgement(bound, Cause.NOT_RUN, "the run had no such check")
    if bound.check in other:
        reason = "it was measured with other options than this card asks for: gate again"
        return Judgement(bound, Cause.NOT_MEASURED, reason)
    return judge_from(bound, record)


def _other_options(evidence: Evidence, card: Card) -> Iterator[str]:
    had = evidence.card.policy.get("checks") or {}
    for name, plan in card.plans.items():
        if name not in had:
            continue
        written = had[name].get("options") if isinstance(had[name], dict) else None
        try:
            before = type(plan.options).model_validate(written or {})
        except ValidationError:
            yield name  # an option that there no longer is
            continue
        if before != plan.options:
            yield name


def _outcome(judgement: Judgement | None) -> tuple[str, bool] | None:
    return None if judgement is None else (judgement.outcome.value, judgement.bound.advisory)
