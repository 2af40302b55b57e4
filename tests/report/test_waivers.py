"""Every form of a report says what is waived, what it would have been, by whom and until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gates.domain.judging import Judgement, Outcome, decide
from gates.domain.waivers import Waiver
from gates.evidence.evidence import Evidence
from gates.evidence.inventory import Inventory
from gates.evidence.verdict import rederive
from gates.report import html, junit, markdown, pull_request, summary, terminal
from gates.report.main_numbers import summary_of
from gates.report.waivers import section
from tests.action.reviews import judged
from tests.report import evidence_factory as factory

LATER = "2026-06-01"


def _waiver(covers: str) -> Waiver:
    return Waiver(covers, "the *catalogue* is being moved", "ann@example.com", LATER)


def excusing(evidence: Evidence, blocks: Callable[[Judgement], bool]) -> Evidence:
    """The evidence, as it had come out with a waiver for each bound of some kind."""
    judged = tuple(
        replace(one, bound=replace(one.bound, waivers=(_waiver(one.bound.id),)))
        if blocks(one)
        else one
        for one in evidence.judgements
    )
    return replace(evidence, judgements=judged, verdict=decide(judged))


def _blocks(judgement: Judgement) -> bool:
    return judgement.outcome is not Outcome.PASS and not judgement.bound.advisory


@pytest.fixture
def waived() -> Evidence:
    return excusing(factory.failing(), _blocks)


@pytest.mark.parametrize("form", [html, markdown, terminal])
def test_each_form_says_so(waived: Evidence, form: object) -> None:
    words = " ".join(form.render(waived).split())  # type: ignore[attr-defined]
    for said in ("WAIVED", "would be FAIL", "resting on 3 waivers", LATER, "being moved", "ann"):
        assert said in words
    assert "<em>catalogue" not in words


def test_the_comment_of_a_pull_request_says_so(waived: Evidence) -> None:
    text = pull_request.render([(judged(waived), waived, None)])
    assert "PASS: product-ranker may replace the champion, resting on 3 waivers" in text
    assert text.count("\n- WAIVED: ") == 3
    assert "would be FAIL, " in text
    assert "&#42;catalogue" in text


def test_a_build_server_shows_it_as_skipped(waived: Evidence) -> None:
    xml = junit.render(waived)
    assert 'failures="0"' in xml
    assert 'type="WAIVED" message="WAIVED, would be FAIL: ' in xml


def test_lists_and_the_headline_count_it(waived: Evidence) -> None:
    assert waived.verdict.outcome is Outcome.PASS
    assert summary.headline(waived).endswith("may replace version 7, resting on 3 waivers")
    found = summary_of(waived)
    assert found["counts"]["WAIVED"] == 3
    assert "FAIL" not in found["counts"]


def test_a_waiver_that_nothing_needs_is_said() -> None:
    found = excusing(factory.passing(), lambda one: one.bound.check == "lockfile")
    assert section(found).lead == "3 waivers: 3 not needed: take it out"
    assert "waiver" not in summary.headline(found)
    assert "not needed" in terminal.render(found)


def test_a_waiver_that_is_not_enough_is_said() -> None:
    found = excusing(factory.failing(), _blocks)
    of_query = (
        replace(one, bound=replace(one.bound, waivers=(replace(_waiver("one query"), query="q"),)))
        for one in found.judgements
    )
    assert "not enough" in section(replace(found, judgements=tuple(of_query))).lead


def test_a_waiver_that_had_expired_before_the_run_is_a_contradiction(waived: Evidence) -> None:
    assert rederive(waived).differences == ()
    late = replace(waived, created="2026-06-02T00:00:00Z")
    assert any("expired on 2026-06-01" in one for one in rederive(late).differences)


def test_a_waiver_that_was_written_into_evidence_is_a_contradiction() -> None:
    evidence = factory.failing()
    bounds = tuple(one.bound for one in evidence.judgements)
    forged = excusing(evidence, _blocks)
    found = rederive(forged, Inventory(bounds))
    assert found.verdict.outcome is not Outcome.PASS
    assert any("waived until" in one for one in found.differences)
