"""The comment of a pull request: short, whole, and below what GitHub takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.domain.review import CriteriaChanges, PolicyMove, QueryMove, Trouble
from gates.evidence.evidence import Evidence
from gates.report.pull_request import LIMIT, MARKER, render
from tests.action.rendered import facts
from tests.action.reviews import judged, review_of

from . import evidence_factory as factory


def comment(evidence: Evidence, *, limit: int = LIMIT) -> str:
    return render([(judged(evidence), evidence, None)], limit=limit)


def test_the_verdict_what_decided_and_what_to_do_are_there(any_evidence: Evidence) -> None:
    text = comment(any_evidence)
    assert text.startswith(MARKER + "\n")
    assert f"{any_evidence.verdict.outcome}: " in text.splitlines()[2]
    assert "#### What to do next" in text
    assert text.count("<details>") == text.count("</details>")
    assert facts(text).mentions == []


def test_five_thousand_queries_stay_below_the_limit() -> None:
    text = comment(factory.passing(queries=5_000))
    assert len(text.encode()) <= LIMIT
    assert "5,000 queries" in text
    assert text.count("<details><summary><code>−") == 8


def test_titles_that_grow_when_they_are_escaped_stay_below_the_limit() -> None:
    text = comment(factory.large(title="<&|>" * 80))
    assert len(text.encode()) <= LIMIT
    assert "#### What to do next" in text
    assert "Left out to fit a comment: some of the worst queries" in text
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("n", [2, 40, 200])
def test_many_models_share_one_comment_and_every_verdict_is_counted(n: int) -> None:
    large = factory.passing()
    reviews = []
    for i in range(n):
        one = judged(large)
        reviews.append((replace(one, change=replace(one.change, model=f"model-{i}")), large, None))
    text = render(reviews)
    assert len(text.encode()) <= LIMIT
    assert f"{n} models gated" in text
    assert "### ✓ PASS: model-0 may replace the champion" in text
    assert ("more models, all of them in the artifact" in text) is (n > 60)


def test_a_shorter_form_still_says_verdict_and_next_step() -> None:
    text = comment(factory.large(), limit=LIMIT // 4)
    assert len(text) <= LIMIT // 4
    assert "#### What to do next" in text


def test_hostile_text_shows_as_written() -> None:
    found = facts(comment(factory.hostile()))
    assert not found.images
    assert not found.links
    assert found.mentions == []
    assert not found.tags & {"script", "img", "iframe", "h1", "pre", "hr"}


def test_a_file_that_is_not_valid_is_named_with_its_line() -> None:
    review = replace(
        review_of("a" * 40), trouble=Trouble("CardError", "no such [check]", "mend", "a_b.md", 3)
    )
    text = render([(review, None, None)])
    assert "<code>a&#95;b.md:3</code>: no such &#91;check&#93;" in text
    assert "1. mend" in text


def test_criteria_that_changed_say_which_queries_and_demands() -> None:
    evidence = factory.failing()
    many = tuple(QueryMove(f"q{i}", f"query {i}", "text") for i in range(50))
    policy = (PolicyMove("checks › latency", "", "on"),)
    criteria = CriteriaChanges(
        (100, 5_000), many, (), many[:1], (4_950, 0, 1), policy, ("golden/test_x.py",)
    )
    review = replace(
        judged(evidence, kind="criteria"), criteria=criteria, before="before/evidence.json"
    )
    text = render([(review, evidence, factory.passing())])
    assert "Golden queries: 4,950 added, 0 removed, 1 changed (100 → 5,000)" in text
    assert "_4,925 more._" in text
    assert "| checks › latency | — | on |" in text
    assert "golden/test&#95;x.py" in text


def test_no_model_is_said_so() -> None:
    assert "no model changed" in render([])
