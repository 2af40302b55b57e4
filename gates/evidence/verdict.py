"""The verdict of stored evidence, derived again from what was measured.

Nobody takes a verdict from a file by its word. Each bound is judged again from the check records,
own tests by what the inventory lists, and what the file says besides is compared with that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gates.domain.judging import (
    Bound,
    Cause,
    Judgement,
    Measurement,
    Verdict,
    decide,
    judge,
)
from gates.errors import EvidenceError
from gates.evidence.evidence import CheckRecord, Evidence, canonical
from gates.evidence.inventory import Inventory

__all__ = ["OWN_TESTS", "Rederived", "completed", "judge_from", "rederive", "settled_verdict"]

OWN_TESTS = "tests"
"""What stands in place of a check's name in the bound of a model's own test."""

_SHOWN = 5
_NOT_RUN = "not run, for the gate was stopped early or a part of it was deselected"
_UNSEEN = (
    "no outcome of it: it was deselected, skipped with its whole file, hidden by a conftest or by "
    "pytest's settings, never reached, or its process died"
)


@dataclass(frozen=True, slots=True)
class Rederived:
    """What evidence comes to by its measurements.

    Attributes:
        verdict: Of the judgements below.
        judgements: Every bound and own test, judged again; what is missing is UNDECIDED.
        differences: Where the file says otherwise, in words; empty when it says the same.
    """

    verdict: Verdict
    judgements: tuple[Judgement, ...]
    differences: tuple[str, ...]


def judge_from(bound: Bound, record: CheckRecord) -> Judgement:
    """Judge a bound by what its check gave.

    Args:
        bound: The demand.
        record: Of the bound's check.
    """
    wanted = (bound.metric, bound.slice)
    for measurement in record.measurements:
        if (measurement.metric, measurement.slice) == wanted:
            return judge(bound, measurement)
    if record.cause is not None:
        return Judgement(bound, record.cause, record.fault)
    return judge(bound, None)


def completed(inventory: Inventory, judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """Judgements with one more, UNDECIDED, for each bound and own test that has none.

    Args:
        inventory: All that there must be.
        judgements: What there is.
    """
    there = tuple(judgements)
    ran = {one.bound for one in there}
    missed = (one for one in inventory.bounds if one not in ran)
    unseen = inventory.tests_without(_own_tests(there))
    return (
        *there,
        *(Judgement(one, Cause.NOT_RUN, _NOT_RUN) for one in missed),
        *(Judgement(Bound(OWN_TESTS, one), Cause.NOT_RUN, _UNSEEN) for one in unseen),
    )


def rederive(evidence: Evidence, inventory: Inventory | None = None) -> Rederived:
    """Judge evidence again by what it measured.

    Args:
        evidence: Read from anywhere.
        inventory: What it must cover, as of the card now; None for what it lists itself. Evidence
            of before there was an inventory is held to the bounds that it judged.
    """
    own = [one for one in evidence.judgements if one.bound.check == OWN_TESTS]
    listed = inventory or evidence.inventory or Inventory(_judged_bounds(evidence))
    again = tuple(_again(bound, evidence) for bound in listed.bounds)
    judgements = completed(listed, (*again, *own))
    verdict = decide(judgements)
    differences = list(_differences(evidence, listed, judgements))
    if verdict.outcome is not evidence.verdict.outcome:
        says, makes = evidence.verdict.outcome, verdict.outcome
        differences.insert(0, f"the evidence says {says} but what it holds makes {makes}")
    return Rederived(verdict, judgements, tuple(differences))


def settled_verdict(evidence: Evidence, path: Path) -> Verdict:
    """The verdict of evidence that says what its measurements say.

    Args:
        evidence: Read from `path`.
        path: For whom to tell where.

    Raises:
        EvidenceError: It contradicts itself.
    """
    found = rederive(evidence)
    if found.differences:
        shown = "; ".join(found.differences[:_SHOWN])
        more = len(found.differences) - _SHOWN
        raise EvidenceError(
            f"contradicts itself: {shown}" + (f"; and {more} more" if more > 0 else ""),
            path=path,
            advice="it was altered after its run; gate again: gates run",
        )
    return found.verdict


def _judged_bounds(evidence: Evidence) -> tuple[Bound, ...]:
    return tuple(one.bound for one in evidence.judgements if one.bound.check != OWN_TESTS)


def _own_tests(judgements: Iterable[Judgement]) -> tuple[str, ...]:
    return tuple(one.bound.metric for one in judgements if one.bound.check == OWN_TESTS)


def _again(bound: Bound, evidence: Evidence) -> Judgement:
    stored = next((one for one in evidence.judgements if one.bound == bound), None)
    record = next((one for one in evidence.records if one.check == bound.check), None)
    # What a run left out stays so, though its check may have measured it for another bound.
    if stored is None or record is None or stored.cause is Cause.NOT_RUN:
        return Judgement(bound, Cause.NOT_RUN, _NOT_RUN)
    return judge_from(bound, record)


def _differences(
    evidence: Evidence, listed: Inventory, judgements: tuple[Judgement, ...]
) -> Iterator[str]:
    stored = {one.bound.id: one for one in evidence.judgements}
    if len(stored) < len(evidence.judgements):
        yield "it judges a bound twice"
    if len({one.check for one in evidence.records}) < len(evidence.records):
        yield "it holds two records of one check"
    recorded = {one.check for one in evidence.records}
    for one in judgements:
        said = stored.get(one.bound.id)
        if said is None:
            yield f"it has no judgement of {one.bound.id}"
        elif said.bound != one.bound:
            yield f"it judged {_demand(said.bound)}, and demanded is {_demand(one.bound)}"
        elif said.cause is not Cause.NOT_RUN and one.bound.check not in {*recorded, OWN_TESTS}:
            yield f"it judged {one.bound.id} and holds no record of {one.bound.check}"
        elif said.cause is not one.cause:
            yield f"{one.bound.id} is judged '{said.cause}', but what was measured is '{one.cause}'"
        elif _differ(said.measurement, one.measurement):
            yield f"{one.bound.id} was judged by another value than the one that was measured"
    for covers, expires in {(w.covers, w.expires) for b in listed.bounds for w in b.waivers}:
        if expires < evidence.created[:10]:
            yield f"the waiver of {covers} expired on {expires}, before the run"
    if evidence.inventory is None:
        return
    now = {one.id for one in listed.bounds}
    for bound in _judged_bounds(evidence):
        if bound.id not in now:
            yield f"it judged {bound.id}, which is not demanded"


def _differ(one: Measurement | None, other: Measurement | None) -> bool:
    # Equal values are told the fastest; as text, NaN is what it was.
    return one != other and canonical(one) != canonical(other)


def _demand(bound: Bound) -> str:
    advisory = ", advisory" if bound.advisory else ""
    waived = "".join(f", waived until {one.expires}" for one in bound.waivers)
    return f"{bound.id} {bound.demand}{advisory}{waived}"
