"""What to do after a run: promote, mend, or how many more queries an answer would take."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from statistics import NormalDist

from gates.domain.exhibits import RankingDifference, Table
from gates.domain.judging import Cause, Judgement, Measurement, Outcome, deciding, judge
from gates.domain.tasks import Task
from gates.evidence.evidence import CheckRecord, Evidence
from gates.report import summary
from gates.report.text import clean, count, roughly
from gates.report.wording import is_of_check, is_own_test, needs_champion, test_name

__all__ = ["NextStep", "next_steps"]

# Beyond this factor the estimate says only that another model, not more data, is called for.
_HOPELESS = 50.0
# From a value to its one-sided 95 % bound, and on to where it lies four times in five.
_FOUR_IN_FIVE = 1 + NormalDist().inv_cdf(0.8) / NormalDist().inv_cdf(0.95)
_ASSUMED = (
    "Add {judged}golden {noun}. The estimates are for an answer four times in five, if each true "
    "value is the one measured and new {noun} scatter as these do."
)


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something to do next.

    Attributes:
        text: A sentence.
        command: What to type for it; may be empty.
    """

    text: str
    command: str = ""


def next_steps(evidence: Evidence) -> tuple[NextStep, ...]:
    """What to do now, most useful first."""
    uri = evidence.candidate.uri
    promote = f'gates promote {uri}{"" if evidence.champion else " --first"} --why "…"'
    if evidence.verdict.outcome is Outcome.PASS:
        waiting = sum(
            j.bound.advisory and j.outcome is not Outcome.PASS for j in evidence.judgements
        )
        resting = sum(j.is_waived for j in evidence.judgements)
        look = f"Look at {count(waiting, 'advisory bound')} that would not have passed."
        step = NextStep("Promote it; promotion checks these digests again.", promote)
        if evidence.is_against_itself:
            step = NextStep("There is nothing to promote: a version was compared with itself.")
        steps = [NextStep(look)] if waiting else []
        if resting:
            bounds = count(resting, "waived bound")
            steps.append(NextStep(f"See that {bounds} may be excused; the card says who does."))
        return (*steps, step)
    blocking = deciding(evidence.judgements)
    if blocking and all(map(needs_champion, blocking)):
        words = "Nothing is in production to compare with: let it be the first, if you trust it."
        return (NextStep(words, promote),)
    records = {record.check: record for record in evidence.records}
    steps, task = [], summary.task_of(evidence)
    ran = [j for j in blocking if j.cause not in (Cause.NOT_RUN, Cause.NO_CHAMPION)]
    for check in dict.fromkeys(j.bound.check for j in ran):
        own = [j for j in ran if j.bound.check == check]
        steps += _for_check(records.get(check, CheckRecord(check)), own, task)
    if left_out := sum(j.cause is Cause.NOT_RUN for j in blocking):
        steps.append(_not_run(left_out))
    if alone := sum(map(needs_champion, blocking)):
        steps.append(_without_champion(alone))
    # A dead worker stops several checks with one fault; it is to be mended once.
    steps = list(dict.fromkeys(steps))
    if evidence.is_against_itself:
        steps.append(
            NextStep(
                "The same version was on both sides: look at the golden set, the card and the gate."
            )
        )
    elif evidence.verdict.outcome is Outcome.FAIL:
        steps.append(
            NextStep(
                "Mend the model, package it as a new version and gate that one.", _package(evidence)
            )
        )
    else:
        if any(_is_estimated(j) for j in blocking):
            judged = "judged " if task.is_judged else ""
            steps.append(NextStep(_ASSUMED.format(judged=judged, noun=task.items)))
        steps.append(NextStep("Then gate the same version again.", f"gates run {uri}"))
    return tuple(steps)


def _not_run(bounds: int) -> NextStep:
    verb = "was" if bounds == 1 else "were"
    return NextStep(
        f"{count(bounds, 'bound')} {verb} not run: a verdict takes them all, so gate it whole, "
        "without -k or a name of a test."
    )


def _without_champion(bounds: int) -> NextStep:
    verb = "needs" if bounds == 1 else "need"
    return NextStep(
        f"{count(bounds, 'bound')} {verb} a champion: a first version is promoted without."
    )


def _package(evidence: Evidence) -> str:
    return f"gates package {evidence.card.model}"


def _for_check(record: CheckRecord, judgements: list[Judgement], task: Task) -> list[NextStep]:
    if record.cause is Cause.FAULT and any(map(is_of_check, judgements)):
        advice = "read the worker's log and put that right" if record.log else "put that right"
        return [NextStep(f"Something could not run ({record.fault}): {advice}.")]
    name = "own tests" if is_own_test(judgements[0].bound) else record.check
    if any(j.cause is Cause.BREACH for j in judgements):
        return [NextStep(f"{name}: the candidate broke its contract; read the reason and the log.")]
    if judgements[0].outcome is Outcome.FAIL:
        return [NextStep(f"{name}: {_names(judgements)} {_where_to_look(record, judgements)}")]
    return [NextStep(f"{name}: {sentence}") for sentence in _to_decide(judgements, task)]


def _names(judgements: list[Judgement]) -> str:
    shown = [_short(j) for j in judgements[:3]]
    rest = len(judgements) - len(shown)
    verb = "fails" if len(judgements) == 1 else "fail"
    return f"{', '.join(shown)}{f' and {rest} more' if rest else ''} {verb};"


def _short(judgement: Judgement) -> str:
    bound = judgement.bound
    return test_name(bound) if is_own_test(bound) else bound.id.partition("::")[2]


def _where_to_look(record: CheckRecord, judgements: list[Judgement]) -> str:
    if any(isinstance(one, RankingDifference) for one in record.exhibits):
        return "begin with the worst queries, old and new side by side."
    tables = [one for one in record.exhibits if isinstance(one, Table)]
    if not tables:
        return "begin with its reason."
    metrics = {j.bound.metric.partition("@")[0] for j in judgements}
    first = next((one for one in tables if metrics & {*one.of}), tables[0])
    return f"begin with the table “{first.title}”{_example(first, metrics)}."


def _example(table: Table, metrics: AbstractSet[str]) -> str:
    """A smallest counterexample of a failed metric in words, where the table tells them."""
    told = (one.words for one in table.examples if one.metric in metrics)
    return next((f", such as: {clean(words)}" for words in told), "")


def _to_decide(judgements: list[Judgement], task: Task) -> list[str]:
    sentences = []
    for judgement in judgements[:3]:
        name, measurement, needed = _short(judgement), judgement.measurement, _needed(judgement)
        if judgement.cause is Cause.RANDOM_ORDER:
            sentences.append(
                f"{name} would let a random order of the same documents pass: ask for more than "
                "that in the card, or say that this is meant (random_order: allowed)."
            )
            continue
        if _hangs_on_unjudged(judgement):
            sentences.append(
                f"{name} hangs on documents that nobody judged: judge those that could move it "
                "most first (“Documents to judge next”), or say in the card that they are "
                "irrelevant (unjudged: irrelevant)."
            )
            continue
        if measurement is None or needed is None:
            sentences.append(f"{name}: {judgement.reason}.")
            continue
        now, of_what = _sample(measurement)
        if measurement.lower == -math.inf or measurement.upper == math.inf:
            of_them, more = task.items, ""
            if task.is_judged:
                of_them, more = "judged", " or judge more documents"
            sentences.append(
                f"{name} has only {measurement.n:,} {of_them}, too few for an interval: add "
                f"golden {task.items}{more} there."
            )
        elif math.isinf(needed):
            sentences.append(f"{name} lies on its bound; no golden set will tell.")
        elif needed > _HOPELESS * now:
            sentences.append(
                f"{name} lies almost on its bound: it would take {of_what} about "
                f"{roughly(needed)} instead of {now:,.0f}. A clearly better model is nearer."
            )
        else:
            sentences.append(
                f"{name} needs {of_what} about {roughly(needed)} instead of {now:,.0f}."
            )
    if len(judgements) > 3:
        sentences.append(f"{count(len(judgements) - 3, 'more bound')} cannot be told either.")
    return sentences


def _hangs_on_unjudged(judgement: Judgement) -> bool:
    """Whether judging what is unjudged would decide a bound sooner than more queries."""
    if judgement.cause is Cause.UNJUDGED_DECIDE:
        return True
    m, bound = judgement.measurement, judgement.bound
    if judgement.cause is not Cause.ASTRIDE or m is None or m.value is None:
        return False
    if None in (m.lower, m.upper, m.pessimistic, m.optimistic):
        return False
    value, lower, upper = m.value, m.lower or 0.0, m.upper or 0.0
    least, most = sorted((m.pessimistic or 0.0, m.optimistic or 0.0))
    # The interval without what unjudged documents add to either end.
    known = replace(m, lower=lower + value - least, upper=upper + value - most, pessimistic=None)
    return judge(bound, known).outcome is not Outcome.UNDECIDED


def _is_estimated(judgement: Judgement) -> bool:
    needed = _needed(judgement)
    return needed is not None and math.isfinite(needed)


def _sample(measurement: Measurement) -> tuple[float, str]:
    """How large the sample is, and what its size counts."""
    effective = measurement.extra.get("n_eff")
    # Queries taken whole have no sampling error: only the sampled ones make an interval narrower.
    if effective is not None and round(effective) != measurement.n:
        return effective, "an effective n of"
    return measurement.n, "a sample of"


def _needed(judgement: Judgement) -> float | None:
    """The sample that would decide this bound four times in five, were its value the true one.

    None when no larger sample is called for; infinite when none is large enough.
    """
    bound, m = judgement.bound, judgement.measurement
    if _hangs_on_unjudged(judgement):
        return None
    if m is None or m.value is None or m.n == 0 or m.lower is None or m.upper is None:
        return None
    if math.isinf(m.lower) or math.isinf(m.upper):
        return math.inf
    sample, _ = _sample(m)
    found = []
    for limit, inside in ((bound.minimum, 1), (bound.maximum, -1)):
        if limit is None or not m.lower <= limit <= m.upper:
            continue
        gap = (m.value - limit) * inside
        towards = (m.value - m.lower) if (gap > 0) == (inside > 0) else (m.upper - m.value)
        # An interval shrinks with the root of the sample, or faster.
        found.append(sample * (_FOUR_IN_FIVE * towards / gap) ** 2 if gap else math.inf)
    return max(found, default=None)
