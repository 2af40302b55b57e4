"""Measurements, bounds and reasons in the words that every report uses, each number said once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gates.domain.comparison import Comparison
from gates.domain.judging import Bound, Cause, Judgement, Measurement, Outcome, deciding
from gates.evidence.evidence import Evidence
from gates.report.text import amount, count, demand, number, roughly, signed

__all__ = [
    "ASTRIDE",
    "Reason",
    "basis",
    "beside",
    "changes",
    "details",
    "guarantees",
    "is_own_test",
    "name",
    "needs_champion",
    "precision",
    "reasons",
    "remark",
    "state",
    "test_name",
    "told",
    "unit",
    "value_in_words",
]

ASTRIDE = "the interval reaches past the bound"

_SHARE = "share of "
_OF_TRAFFIC = "share of traffic"
_MEAN = "mean "
# What is not measured over golden queries: unit → over what.
_OVER = {
    **dict.fromkeys(("ms", "rows per second", "MiB", "× champion"), "requests"),
    **dict.fromkeys(("PSI", "distance"), "rows"),
    "1 - rank-biased overlap": "features",
    **dict.fromkeys(("collapse", "rank", "norm", "share of neighbours"), "texts"),
}
# How near a share of n must come to a whole number of things to be written as one.
_WHOLE = 1e-6
_IN_SENTENCES = frozenset(
    {"old", "new", "wins", "losses", "ties", "n_eff", "mde", "left_out", "untouched", "variants"}
    | {"n_needed", "bins", "plug_in", "uninformative", "uninformative_share", "unmeasured"}
    | {"delta_without", "mean_loss", "severe", "severe_share", "together", "of_traffic"}
    | {"random", "ideal"}
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run came out as it did, once for all bounds that share it.

    Attributes:
        text: A sentence without a full stop.
        numbers: The judgement whose numbers the sentence gives; None when it gives none.
    """

    text: str
    numbers: Judgement | None = None


def is_own_test(bound: Bound) -> bool:
    """Whether it stands for a test of the model's own, which passes or fails without a number."""
    return bound.check == "tests" and bound.minimum is None and bound.maximum is None


def test_name(bound: Bound) -> str:
    """An own test as `file::test`, without the folders its file lies in."""
    file, separator, rest = bound.metric.partition("::")
    return file.rpartition("/")[2] + separator + rest


def name(bound: Bound) -> str:
    """What a bound is called in a sentence: `check::metric[slice]`, or `own test file::test`."""
    return f"own test {test_name(bound)}" if is_own_test(bound) else bound.id


def state(judgement: Judgement) -> str:
    """How an own test ended: `passed`, `failed`, `skipped` or `could not run`."""
    if judgement.outcome is Outcome.UNDECIDED:
        skipped = judgement.cause in (Cause.SKIPPED, Cause.NO_CHAMPION)
        return "skipped" if skipped else "could not run"
    return "passed" if judgement.outcome is Outcome.PASS else "failed"


def basis(measurement: Measurement) -> str:
    """What it was measured over, such as `180 queries`, `5 of 178 queries`, `of 50 requirements`.

    The last form stands behind a value that is itself a number of things.
    """
    if over_what := _OVER.get(measurement.unit):
        return count(measurement.n, _singular(over_what), over_what)
    if measurement.unit == _OF_TRAFFIC:
        over = count(measurement.n, "query", "queries")
        hits = measurement.extra.get("queries")
        return over if measurement.value is None or hits is None else f"{hits:,.0f} of {over}"
    is_share = measurement.unit.startswith(_SHARE)
    is_exact = measurement.lower is None and measurement.upper is None
    # A mean without an interval, such as RBO in `rbo`, is no number of things.
    unit = measurement.unit.casefold()
    is_mean = unit in measurement.metric.casefold() or unit.startswith(_MEAN)
    counts = is_exact and not is_share and not is_mean
    noun = measurement.unit.removeprefix(_SHARE) if is_share or counts else "queries"
    over = count(measurement.n, _singular(noun), noun)
    if measurement.value is None or not noun:
        return over.strip()
    if counts:
        return f"of {over}"
    hits = measurement.value * measurement.n
    whole = is_share and not measurement.metric.endswith(".delta")
    return f"{round(hits):,} of {over}" if whole and abs(hits - round(hits)) < _WHOLE else over


def unit(measurement: Measurement) -> str:
    """The unit, where neither the metric's name nor what it was measured over says it."""
    noun = measurement.unit.removeprefix(_SHARE)
    over = basis(measurement)
    is_said = noun in measurement.metric or noun in over or _singular(noun) in over
    return "" if is_said else measurement.unit


def _singular(noun: str) -> str:
    return noun[:-3] + "y" if noun.endswith("ies") else noun.removesuffix("s")


def value_in_words(measurement: Measurement | None) -> str:
    """Value, interval and basis, such as `0 of 50 requirements` or `0.5 [0.4, 0.6] (9 queries)`."""
    if measurement is None or measurement.value is None:
        return "not measured"
    return f"{amount(measurement)} {beside(measurement)}"


def beside(measurement: Measurement) -> str:
    """The basis as it stands beside a number: in brackets, unless it goes on from the number."""
    over = basis(measurement)
    return over if over.startswith("of ") else f"({over})"


def details(measurement: Measurement | None) -> tuple[str, ...]:
    """Further facts in words: what changed, and how fine the golden set can tell."""
    return (*changes(measurement), *precision(measurement))


def changes(measurement: Measurement | None) -> tuple[str, ...]:
    """What to know of the value, both versions' values, and how many queries changed which way."""
    known = _known(measurement)
    found = []
    if measurement and measurement.value is not None and measurement.reason:
        found.append(measurement.reason)
    if "old" in known and "new" in known:
        found.append(f"{number(known['old'])} → {number(known['new'])}")
    if "wins" in known and "losses" in known:
        same = f", {number(known['ties'])} the same" if known.get("ties") else ""
        found.append(f"{number(known['wins'])} better, {number(known['losses'])} worse{same}")
    return tuple(found)


def precision(measurement: Measurement | None) -> tuple[str, ...]:
    """What was left out, how fine the queries can tell, and what unjudged documents hide."""
    known = _known(measurement)
    found = []
    if left_out := round(known.get("left_out", 0)):
        queries = count(left_out, "query", "queries")
        found.append(f"{queries} without a relevant document left out")
    if blind := round(known.get("uninformative", 0)):
        of = f" ({known['uninformative_share']:.0%} of the weight)"
        said = f"{count(blind, 'query', 'queries')} cannot tell the rankings apart{of}"
        if unread := round(known.get("unmeasured", 0)):
            said += f", {unread:,} of them for want of judgments"
        found.append(f"{said}: {signed(known['delta_without'])} without them")
    if untouched := round(known.get("untouched", 0)):
        found.append(f"{count(untouched, 'query', 'queries')} that it leaves as they are")
    if measurement and known.get("variants", 0) > measurement.n:
        found.append(f"{known['variants']:,.0f} variants")
    if measurement and "n_eff" in known and round(known["n_eff"]) != measurement.n:
        found.append(f"effective n {known['n_eff']:,.0f}")
    if known.get("mde"):
        found.append(f"can tell losses from {roughly(known['mde'])}")
    needed = known.get("n_needed", 0)
    if measurement and measurement.n < needed < math.inf:
        found.append(f"an equal version takes about {roughly(needed)} queries to pass")
    if measurement and not (measurement.pessimistic is None or measurement.optimistic is None):
        is_change = measurement.metric.endswith(".delta")
        ends = sorted((measurement.pessimistic, measurement.optimistic))
        least, most = (signed(one) if is_change else number(one) for one in ends)
        found.append(f"unjudged documents: {least} to {most}")
    if "bins" in known and "plug_in" in known:
        found.append(f"in {count(round(known['bins']), 'bin')}")
        found.append(f"{number(known['plug_in'])} with what chance adds")
    # The basis says already how many queries a share stands for.
    others = set(known) - _IN_SENTENCES - {"queries"}
    found += [f"{key.replace('_', ' ')} {number(known[key])}" for key in sorted(others)]
    return tuple(found)


def guarantees(judgements: Iterable[Judgement]) -> tuple[str, ...]:
    """What is known of losses where the difference of a metric holds, in a sentence each.

    Every number is rounded to the side on which the sentence stays true.
    """
    found = []
    for one in judgements:
        known = _known(one.measurement)
        if one.outcome is not Outcome.PASS or one.bound.slice or "together" not in known:
            continue
        loss, whose = known["mean_loss"], "traffic" if known["of_traffic"] else "queries"
        kept = f"mean loss at most {_at_most(loss)}"
        if loss < 0:
            kept = f"mean gain at least {_at_least(-loss)}"
        share = math.ceil(known["severe_share"] * 1000 - _WHOLE) / 10
        verb = "loses" if known["of_traffic"] else "lose"
        total = known["together"]
        both = f"a loss of at most {_at_most(total)}"
        if total < 0:
            both = f"a gain of at least {_at_least(-total)}"
        metric = one.bound.metric.removesuffix(".delta")
        found.append(
            f"{metric}: {kept}, and at most {share:g} % of {whose} {verb} "
            f"{number(known['severe'])} or more: together {both} (each at 95 % confidence)"
        )
        if worth := _worth(one):
            found.append(f"{metric}: {worth}")
    return tuple(found)


def _worth(judgement: Judgement) -> str:
    """How much of what the champion is worth a margin gives away."""
    known, least = _known(judgement.measurement), judgement.bound.minimum
    if least is None or least >= 0 or not {"old", "random"} <= set(known):
        return ""
    adds = known["old"] - known["random"]
    text = f"the champion adds {number(adds)} to random order"
    if "ideal" in known:
        text += f" (the best order {number(known['ideal'] - known['random'])})"
    if adds > 0:
        share = -100 * least / adds
        text += f"; the margin of {number(-least)} is {share:.0f} % of what the champion adds"
    return text


def _at_most(value: float) -> str:
    return number(math.ceil(value * 1e4 - _WHOLE) / 1e4)


def _at_least(value: float) -> str:
    return number(math.floor(value * 1e4 + _WHOLE) / 1e4)


def _known(measurement: Measurement | None) -> dict[str, float]:
    extra = measurement.extra if measurement else {}
    return {key: value for key, value in extra.items() if value is not None}


def remark(judgement: Judgement) -> str:
    """What a reason says beyond the value, the interval and the demand that stand beside it."""
    if not _gives_numbers(judgement):
        return judgement.reason
    astride = judgement.cause is Cause.ASTRIDE
    return ASTRIDE if astride else ""


def _gives_numbers(judgement: Judgement) -> bool:
    """Whether value, interval and demand are all there is to say of why."""
    by_numbers = judgement.cause in (Cause.WITHIN, Cause.OUTSIDE, Cause.ASTRIDE)
    return by_numbers and not (judgement.measurement is None or judgement.measurement.value is None)


def needs_champion(judgement: Judgement) -> bool:
    """Whether it is undecided only because nothing is in production yet."""
    return judgement.cause is Cause.NO_CHAMPION


def is_of_check(judgement: Judgement) -> bool:
    """Whether its reason is that of its whole check, which could not finish."""
    return judgement.measurement is None and judgement.cause in (
        Cause.FAULT,
        Cause.BREACH,
        Cause.NO_CHAMPION,
    )


def told(judgements: Iterable[Judgement]) -> tuple[Reason, ...]:
    """Why each came out as it did; what holds for several bounds is said once for all of them."""
    alike: dict[object, list[Judgement]] = {}
    for one in judgements:
        alike.setdefault(_shared(one), []).append(one)
    return tuple(map(_reason, alike.values()))


def _shared(judgement: Judgement) -> object:
    """What bounds have in common that are told together."""
    if _gives_numbers(judgement):
        return judgement.bound
    return judgement.cause if needs_champion(judgement) else judgement.reason


def _reason(alike: list[Judgement]) -> Reason:
    first = alike[0]
    subject = name(first.bound)
    if _gives_numbers(first):
        more = f"; {remark(first)}" if remark(first) else ""
        value = value_in_words(first.measurement)
        return Reason(f"{subject}: {value}, demanded {demand(first.bound)}{more}", first)
    if len(alike) > 1:
        checks = list(dict.fromkeys(one.bound.check for one in alike))
        subject = f"{len(alike)} bounds of {_listed(checks)}"
    if needs_champion(first):
        verb = "need" if len(alike) > 1 else "needs"
        return Reason(f"{subject} {verb} a champion: there is none yet")
    return Reason(f"{subject}: {first.reason}")


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence: `a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def reasons(evidence: Evidence | Comparison) -> tuple[Reason, ...]:
    """The reasons of the verdict; a sentence that belongs to no bound stays as it was written.

    A PASS says what it guarantees.
    """
    if found := deciding(evidence.judgements):
        return told(found)
    known = guarantees(evidence.judgements) if evidence.verdict.outcome is Outcome.PASS else ()
    return tuple(map(Reason, (*evidence.verdict.reasons, *known)))
