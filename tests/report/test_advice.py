"""What to do next: the sample an answer would take, by the rules that plan golden sets."""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist

import pytest

from gates.domain.exhibits import Example, Table
from gates.domain.judging import (
    Bound,
    Cause,
    Judgement,
    Measurement,
    decide,
    judge,
)
from gates.errors import NoChampion
from gates.evidence.evidence import CheckRecord, Evidence
from gates.report.advice import next_steps

from . import evidence_factory as factory


def run_of(bound: Bound, measurement: Measurement) -> Evidence:
    judged = (judge(bound, measurement),)
    record = CheckRecord(bound.check, (measurement,))
    plain = factory.passing()
    return dataclasses.replace(plain, records=(record,), judgements=judged, verdict=decide(judged))


def delta(value: float, error: float, n: int = 180, n_eff: float = 140.0) -> Measurement:
    """A difference whose interval follows from its standard error."""
    half = NormalDist().inv_cdf(0.95) * error
    extra = {"n_eff": n_eff}
    return Measurement("d", value, n, "nDCG", value - half, value + half, extra=extra)


def test_a_sample_that_large_would_find_the_difference_four_times_in_five() -> None:
    gap, error, n = 0.012, 0.02, 140.0
    (first, *_) = next_steps(run_of(Bound("c", "d", minimum=0.0), delta(gap, error)))
    assert first.text == "c: d needs an effective n of about 2,400 instead of 140."
    normal = NormalDist()
    smaller = error * math.sqrt(n / 2400)
    power = 1 - normal.cdf(normal.inv_cdf(0.95) - gap / smaller)
    assert power == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("bound", "value"),
    [(Bound("c", "d", minimum=0.0), -0.012), (Bound("c", "d", maximum=0.0), 0.012)],
)
def test_a_value_beyond_its_bound_needs_as_much_as_one_within(bound: Bound, value: float) -> None:
    (first, *_) = next_steps(run_of(bound, delta(value, 0.02)))
    assert first.text.endswith("needs an effective n of about 2,400 instead of 140.")


def test_a_sample_whose_queries_count_alike_is_counted_in_queries() -> None:
    share = dataclasses.replace(delta(0.012, 0.02, n=140), extra={})
    (first, *_) = next_steps(run_of(Bound("c", "d", minimum=0.0), share))
    assert first.text == "c: d needs a sample of about 2,400 instead of 140."


def test_a_value_almost_on_its_bound_calls_for_a_better_model() -> None:
    (first, *_) = next_steps(run_of(Bound("c", "d", minimum=0.0), delta(0.001, 0.02)))
    assert "lies almost on its bound: it would take an effective n of about 350,000" in first.text
    (first, *_) = next_steps(run_of(Bound("c", "d", minimum=0.0), delta(0.0, 0.02)))
    assert first.text == "c: d lies on its bound; no golden set will tell."


def test_a_first_version_that_fails_is_to_be_mended_though_it_has_nothing_to_compare_with() -> None:
    run = run_of(Bound("c", "d", minimum=0.9), Measurement("d", 0.5, 10, "share of queries"))
    record = dataclasses.replace(run.records[0], cause=Cause.NO_CHAMPION, fault=str(NoChampion()))
    steps = next_steps(dataclasses.replace(run, records=(record,), champion=None))
    assert [one.text for one in steps] == [
        "c: d fails; begin with its reason.",
        "Mend the model, package it as a new version and gate that one.",
    ]


def test_documents_that_nobody_judged_are_to_be_judged_and_not_more_queries() -> None:
    open_ended = delta(0.0, 0.02)
    measured = dataclasses.replace(open_ended, pessimistic=-0.2, optimistic=0.1)
    first, *others = next_steps(run_of(Bound("c", "d", minimum=-0.01), measured))
    assert "Documents to judge next" in first.text
    assert not any("golden queries" in one.text for one in others)


@pytest.mark.parametrize(("pessimistic", "judge_first"), [(-0.03, True), (-0.002, False)])
def test_judging_goes_before_more_queries_where_it_would_decide(
    pessimistic: float, judge_first: bool
) -> None:
    # The interval reaches from the worst to the best that grades still to come could make.
    known = delta(0.0, 0.003)
    assert known.lower is not None
    open_ended = dataclasses.replace(
        known, lower=known.lower + pessimistic, pessimistic=pessimistic, optimistic=0.0
    )
    limit = -0.032 if judge_first else -0.003
    first, *_ = next_steps(run_of(Bound("c", "d", minimum=limit), open_ended))
    assert ("judge those" in first.text) is judge_first


def test_a_failure_is_explained_by_the_table_that_is_about_it_and_an_example_of_it() -> None:
    bound = Bound("behaviour", "invariance.typo", maximum=0.1)
    run = run_of(bound, Measurement("invariance.typo", 0.5, 10, "share of changed queries"))
    examples = (
        Example("invariance.plural", "‘rugs’ from ‘rug’"),
        Example("invariance.typo", "‘chaie’ from ‘chair’"),
    )
    small = Table("Smallest", ["change"], [], of=("invariance.typo",), examples=examples)
    tables = (Table("All", [], []), small)
    record = dataclasses.replace(run.records[0], exhibits=tables)
    (first, *_) = next_steps(dataclasses.replace(run, records=(record,)))
    assert first.text == (
        "behaviour: invariance.typo fails; begin with the table “Smallest”, such as: "
        "‘chaie’ from ‘chair’."
    )


def test_bounds_that_were_not_run_are_one_step_however_many_they_are() -> None:
    judged = tuple(
        Judgement(Bound(check, metric, minimum=0.0), Cause.NOT_RUN, "left out")
        for check in ("ranking-diff", "behaviour")
        for metric in ("a", "b")
    )
    plain = factory.passing()
    run = dataclasses.replace(plain, records=(), judgements=judged, verdict=decide(judged))
    first, again = next_steps(run)
    assert first.text.startswith("4 bounds were not run: a verdict takes them all")
    assert again.command.startswith("gates run ")
