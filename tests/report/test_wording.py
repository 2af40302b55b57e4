"""Measurements and reasons in words: nothing twice, no raw key, nothing lost."""

from __future__ import annotations

import dataclasses
import re
from types import ModuleType

import pytest

from gates.domain.judging import (
    Bound,
    Cause,
    Judgement,
    Measurement,
    Outcome,
    Verdict,
    decide,
    judge,
)
from gates.evidence.evidence import Evidence
from gates.report import html, markdown, summary, terminal, wording
from gates.report.advice import next_steps
from gates.report.wording import basis, details, reasons, remark, told, value_in_words

from . import evidence_factory as factory


@pytest.mark.parametrize(
    ("measurement", "words"),
    [
        (Measurement("unpinned", 0.0, 50, "requirements"), "0 of 50 requirements"),
        (Measurement("repository", 1.0, 1, "requirements"), "1 of 1 requirement"),
        (Measurement("in-top", 1.0, 6, "share of expectations"), "1 (6 of 6 expectations)"),
        (
            Measurement("top1-changed", 71 / 180, 180, "share of queries", 0.33, 0.46),
            "0.3944 [0.33, 0.46] (71 of 180 queries)",
        ),
        (
            Measurement("label-accuracy.delta", 0.0, 9, "share of golden queries", -0.1, 0.1),
            "0 [−0.1, 0.1] (9 golden queries)",
        ),
        (Measurement("rbo", 0.8, 1, "rbo", 0.7, 0.9), "0.8 [0.7, 0.9] (1 query)"),
        (Measurement("rbo", None, 0, "rbo"), "not measured"),
        (None, "not measured"),
    ],
)
def test_a_value_says_what_it_was_measured_over(measurement: Measurement, words: str) -> None:
    assert value_in_words(measurement) == words


def test_further_facts_are_words_and_nothing_is_said_of_zero() -> None:
    extra = {"old": 0.9145, "new": 0.9194, "wins": 108.0, "losses": 70.0, "ties": 2.0}
    extra |= {"n_eff": 140.0, "mde": 0.009992, "left_out": 0.0}
    measured = Measurement("ndcg@10.delta", 0.0049, 180, "ndcg@10", -0.002, 0.011, extra=extra)
    assert details(measured) == (
        "0.9145 → 0.9194",
        "108 better, 70 worse, 2 the same",
        "effective n 140",
        "can tell losses from 0.01",
    )
    quiet = dataclasses.replace(
        measured, extra={"n_eff": 180.0, "mde": 0.0, "ties": 0.0, "left_out": 3.0}
    )
    assert details(quiet) == ("3 queries without a relevant document left out",)
    typed = dataclasses.replace(measured, extra={"untouched": 7.0, "variants": 540.0})
    assert details(typed) == ("7 queries that it leaves as they are", "540 variants")
    odd = dataclasses.replace(measured, extra={"queries": 9.0, "odd_key": 0.5, "none": None})
    assert details(odd) == ("odd key 0.5",)


def test_a_reason_of_numbers_is_not_repeated_beside_them() -> None:
    bound = Bound("c", "m", minimum=0.5)
    for value, said in ((0.6, ""), (0.4, ""), (0.5, "the interval reaches past the bound")):
        measured = Measurement("m", value, 9, "share of queries", value - 0.05, value + 0.05)
        assert remark(judge(bound, measured)) == said
    assert remark(judge(bound, None)) == "the check yielded no such measurement"


@pytest.mark.parametrize(
    "measured",
    [
        Measurement("m", float("nan"), 9, "u"),
        Measurement("m", 0.6, 0, "u", reason="nothing was compared"),
        Measurement("m", None, 9, "u", reason="the artifact holds no requirements.in"),
        Measurement("m", 0.6, 9, "u", reason="9 scores are not numbers", cause=Cause.BREACH),
    ],
)
def test_a_reason_that_says_more_is_kept_whole(measured: Measurement) -> None:
    judged = judge(Bound("c", "m", minimum=0.5), measured)
    assert remark(judged) == judged.reason
    assert told([judged])[0].text == f"c::m: {judged.reason}"


def test_bounds_that_share_a_reason_are_told_together() -> None:
    asked = [Bound("a", "x", 0), Bound("a", "y", 0), Bound("b", "z", 0)]
    stuck = [Judgement(bound, Cause.FAULT, "the worker died") for bound in asked]
    (together,) = told(stuck)
    assert together.text == "3 bounds of a and b: the worker died"
    (alone,) = told(stuck[:1])
    assert alone.text == "a::x: the worker died"


def test_every_reason_of_a_verdict_is_told(any_evidence: Evidence) -> None:
    said = [one.text for one in reasons(any_evidence)]
    assert len(said) == len(set(said))
    numbers = [one.numbers for one in reasons(any_evidence) if one.numbers]
    for sentence in any_evidence.verdict.reasons:
        own = [one for one in any_evidence.judgements if sentence.endswith(one.reason)]
        assert (
            any(one in numbers for one in own)
            or any(one.reason in text for one in own for text in said)
            or all(map(wording.needs_champion, own))
        )


def test_a_reason_that_belongs_to_no_bound_stays_as_it_was_written() -> None:
    verdict = Verdict(Outcome.UNDECIDED, ("no required bound was judged",))
    run = dataclasses.replace(factory.passing(), verdict=verdict)
    assert [one.text for one in reasons(run)] == ["no required bound was judged"]


def test_an_own_test_is_named_by_its_file_and_ends_in_a_word() -> None:
    run = factory.own_tests()
    own = [one for one in run.judgements if wording.is_own_test(one.bound)]
    assert [wording.test_name(one.bound) for one in own][1:] == [
        "test_new.py::test_a_label[oak/ash]",
        "test_old.py::test_needs_more",
        "test_broken.py",
    ]
    ended = ["passed", "failed", "skipped", "could not run"]
    assert [wording.state(one) for one in own] == ended


def test_the_unit_is_left_out_where_the_name_or_the_basis_says_it() -> None:
    assert wording.unit(Measurement("ndcg@10.delta", 0.1, 9, "ndcg@10", 0.0, 0.2)) == ""
    assert wording.unit(Measurement("repository", 0.0, 1, "requirements")) == ""
    assert wording.unit(Measurement("ndcg@10.delta", 0.1, 9, "nDCG", 0.0, 0.2)) == "nDCG"
    assert basis(Measurement("ndcg@10.delta", 0.1, 9, "nDCG", 0.0, 0.2)) == "9 queries"
    mean = Measurement("missing-feature.worst", 0.1, 9, "mean share of the top 10")
    assert basis(mean) == "9 queries", "a mean is no number of things"


def test_what_to_know_of_a_value_stands_beside_it() -> None:
    worst = Measurement(
        "worst-class-recall", 0.6, 50, "share", 0.5, 0.7, reason="shed, the worst of 4 classes"
    )
    assert wording.changes(worst) == ("shed, the worst of 4 classes",)


def test_a_drift_of_importance_is_measured_over_features_and_counts_none() -> None:
    drift = Measurement("importance-drift", 0.17, 9, "1 - rank-biased overlap")
    assert value_in_words(drift) == "0.17 (9 features)"


def reworded(run: Evidence) -> Evidence:
    """The same run with other words for every reason."""

    def measured(one: Measurement) -> Measurement:
        return dataclasses.replace(one, reason=one.reason and "so it is")

    def judged(one: Judgement) -> Judgement:
        own = one.measurement and measured(one.measurement)
        return dataclasses.replace(one, reason="skipped: no champion", measurement=own)

    records = [
        dataclasses.replace(
            one, fault=one.fault and "so it is", measurements=tuple(map(measured, one.measurements))
        )
        for one in run.records
    ]
    judgements = tuple(map(judged, run.judgements))
    verdict = decide(judgements)
    return dataclasses.replace(run, records=tuple(records), judgements=judgements, verdict=verdict)


def test_other_words_for_a_reason_change_nothing_but_themselves(any_evidence: Evidence) -> None:
    again = reworded(any_evidence)
    pairs = list(zip(any_evidence.judgements, again.judgements, strict=True))
    assert [wording.state(old) for old, _ in pairs] == [wording.state(new) for _, new in pairs]
    assert [new.bound for _, new in pairs if wording.needs_champion(new)] == [
        old.bound for old, _ in pairs if wording.needs_champion(old)
    ]
    decided = [
        [one.numbers.bound for one in reasons(run) if one.numbers] for run in (any_evidence, again)
    ]
    assert decided[0] == decided[1]
    commands = [[one.command for one in next_steps(run)] for run in (any_evidence, again)]
    assert commands[0] == commands[1]


def test_a_need_for_a_champion_is_told_alike_whatever_was_recorded() -> None:
    run = factory.nothing_in_production()
    again = reworded(run)
    assert [one.text for one in reasons(again)] == [one.text for one in reasons(run)]
    assert next_steps(again) == next_steps(run)


@pytest.mark.parametrize("form", [terminal, markdown, html])
def test_a_pass_says_in_every_form_what_it_guarantees(form: ModuleType) -> None:
    plain = factory.passing()
    extra = {"mean_loss": 0.00831, "severe": 0.3, "severe_share": 0.0335, "together": 0.02541}
    judged = tuple(
        dataclasses.replace(
            one,
            measurement=dataclasses.replace(
                one.measurement, extra={**one.measurement.extra, **extra, "of_traffic": 1.0}
            ),
        )
        if one.measurement and one.bound.metric == "ndcg@10.delta" and not one.bound.slice
        else one
        for one in plain.judgements
    )
    shown = form.render(dataclasses.replace(plain, judgements=judged))
    words = " ".join(re.sub(r"<[^>]+>|\\|&#?\w+;", "", shown).split())
    # Rounded up, so that it stays true.
    assert (
        "mean loss at most 0.0084, and at most 3.4 % of traffic loses 0.3 or more: "
        "together a loss of at most 0.0255" in words
    )


@pytest.mark.parametrize(
    ("bound", "ends", "lost"),
    [
        (Bound("diff", "ndcg@10.delta", minimum=-0.02), (-0.015, -0.001), True),
        (Bound("diff", "ndcg@10.delta", minimum=-0.02), (-0.015, 0.001), False),
        (Bound("diff", "brier.delta", maximum=0.02), (0.001, 0.015), True),
        (Bound("diff", "brier.delta", maximum=0.02), (-0.001, 0.015), False),
        (Bound("diff", "severe-losses", maximum=0.02), (0.001, 0.015), False),
        (Bound("diff", "ndcg@10.delta", minimum=-0.02, advisory=True), (-0.015, -0.001), False),
    ],
)
def test_a_proven_loss_inside_the_margin_stands_in_the_headline(
    bound: Bound, ends: tuple[float, float], lost: bool
) -> None:
    measured = Measurement(bound.metric, sum(ends) / 2, 180, "", *ends)
    judged = (judge(bound, measured),)
    plain = factory.passing()
    said = summary.headline(dataclasses.replace(plain, judgements=judged))
    assert said.startswith(summary.headline(plain))
    assert (f"surely loses {bound.metric.removesuffix('.delta')}: within" in said) is lost
