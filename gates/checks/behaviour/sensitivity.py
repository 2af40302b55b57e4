"""What must change an answer: how many queries are answered alike when another product is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gates.card.card import MetricSpec
from gates.checks import Found
from gates.checks._answers_by_text import TextAnswers
from gates.checks.behaviour import products
from gates.checks.behaviour.edits import EditedQuery, TextEdit
from gates.checks.behaviour.options import BehaviourOptions
from gates.checks.behaviour.perturb import Drawn, chance_of
from gates.comparison.measuring import Sample, share
from gates.comparison.slices import cuts
from gates.domain.counterexamples import Counterexample
from gates.domain.exhibits import Table
from gates.domain.subject import CheckPlan, GoldenSet, Subject

__all__ = ["METRICS", "draw_sensitivities", "is_unnoticed", "sensitivities"]

_PREFIX = "sensitivity."
_UNIT = "share of changed queries"
_BRAND = "brand"
_ROWS = 100
_KEPT = 5
_RULES: Mapping[str, Callable[[str], list[tuple[TextEdit, ...]]]] = {
    "negation": products.negation,
    "size": products.size,
    "model-number": products.model_number,
}
_WORDS = {
    "negation": "a negation turned round ('without lid', 'with lid'; English)",
    "size": "another size",
    "model-number": "another digit in a model number",
    _BRAND: "another brand of the set's column `brand`",
}

METRICS = tuple(
    MetricSpec(f"{_PREFIX}{kind}", f"queries answered alike with {words}", _UNIT, sliceable=True)
    for kind, words in _WORDS.items()
)
"""What there is to bound."""


def draw_sensitivities(subject: Subject, plan: CheckPlan[BehaviourOptions]) -> dict[str, Drawn]:
    """One variant of each query that a rule applies to, for every rule that a card bounds.

    Args:
        subject: A classification golden set.
        plan: The metrics that are wanted, those of other kinds left aside.
    """
    kinds = [kind for kind in _WORDS if f"{_PREFIX}{kind}" in plan.metrics]
    return {kind: _drawn(kind, subject.golden, subject.seed) for kind in kinds}


def sensitivities(
    subject: Subject,
    plan: CheckPlan[BehaviourOptions],
    drawn: Mapping[str, Drawn],
    asked: TextAnswers,
) -> Iterator[Found]:
    """Every rule that a card bounds.

    The first few of each are counterexamples to keep.

    Args:
        subject: The candidate and a classification golden set.
        plan: The metrics that are wanted, those of other kinds left aside.
        drawn: Rule → variants, in the order to report.
        asked: What was answered to the queries and to all variants.
    """
    golden = subject.golden
    queries = len(golden.query_id)
    slices = list(cuts(golden.slices, plan.slices, queries))
    # What each rule must do is a fact of each query, counted as it is.
    sample = Sample(np.ones(queries), np.zeros(queries, np.bool_), severe=1.0)
    unnoticed: list[list[str | float]] = []
    for kind, changed in drawn.items():
        alike, kept = np.full(len(golden.query_id), np.nan), []
        for at, one in changed.rows:
            (label, score), (now, then) = asked[one.query], asked[one.typed]
            alike[at] = is_unnoticed((label, score), (now, then), plan.options.noticeable)
            if alike[at]:
                unnoticed.append([kind, one.query, one.typed, label, round(score, 4)])
                kept.append(Counterexample(f"{_PREFIX}{kind}", one.query, one.typed))
        yield from kept[:_KEPT]
        for cut in slices:
            found = share(sample, f"{_PREFIX}{kind}", alike, cut)
            reason = found.reason if found.n else _why_none(kind, golden)
            yield replace(found, unit=_UNIT, lower=None, upper=None, reason=reason)
    total = sum(len(changed.rows) for changed in drawn.values())
    title = f"{len(unnoticed):,} of {total:,} queries are answered alike for another product"
    if len(unnoticed) > _ROWS:
        title += f"; the first {_ROWS}"
    columns = ["change", "query", "changed to", "label", "score"]
    yield Table(title, columns, unnoticed[:_ROWS])


def is_unnoticed(before: tuple[str, float], after: tuple[str, float], noticeable: float) -> bool:
    """Whether two answers are the same: one label, and one score but for what nobody notices.

    Args:
        before: Label and score.
        after: Label and score.
        noticeable: By how much a score must move to be another.
    """
    return before[0] == after[0] and abs(after[1] - before[1]) <= noticeable


def _drawn(kind: str, golden: GoldenSet, seed: int) -> Drawn:
    rows = []
    own = golden.slices.get(_BRAND, ("",) * len(golden.query_text))
    brands = golden.slice_values(_BRAND) if _BRAND in golden.slices else ()
    for at, text in enumerate(golden.query_text):
        chance = chance_of(f"{_PREFIX}{kind}", text, seed)
        known = _RULES[kind](text) if kind != _BRAND else _rebranded(text, own[at], brands, chance)
        if known:
            rows.append((at, EditedQuery(text, known[int(chance.integers(len(known)))])))
    return Drawn(tuple(rows), len(golden.query_text) - len(rows))


def _rebranded(
    text: str, own: str, brands: Sequence[str], chance: np.random.Generator
) -> list[tuple[TextEdit, ...]]:
    others = [one for one in brands if one.casefold() != own.casefold()]
    if not others:
        return []
    edits = products.brand(text, own, others[int(chance.integers(len(others)))])
    return [edits] if edits else []


def _why_none(kind: str, golden: GoldenSet) -> str:
    if kind == _BRAND and _BRAND not in golden.slices:
        return "the golden set has no slice column `brand`"
    return "this rule applies to no golden query"
