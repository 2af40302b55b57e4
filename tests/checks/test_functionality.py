"""`functionality`: every query of a template counts once, and the worst template is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.checks import find
from gates.domain.phrases import Nothing, Template, Templates
from gates.domain.subject import CheckPlan, NeverShown
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run, run_plan

WORDS = {
    "brand": {"norrvik": "norrvik", "tallbeck": "tallbeck"},
    "type": {"lamp": "lighting", "tent": "camping", "mug": "kitchen"},
}
FORMS = (Template("{brand} {type}", "{type}", 3), Template("{type} for tallbeck", "{type}", 4))
ALL = ("templates", "worst-template", "expected-null")


def by_word(text: str) -> tuple[str, float]:
    """Right, but blind to `for`: it then answers camping."""
    if " for " in text:
        return "camping", 0.8
    return next((WORDS["type"][one] for one in text.split() if one in WORDS["type"]), "pets"), 0.4


def subject(templates: Templates | None) -> FakeSubject:
    golden = replace(golden_set(task="classification", texts=["x"]), templates=templates)
    return FakeSubject(golden, FakeArm(label=by_word), None)


def test_every_query_counts_once_exactly_and_the_worst_template_is_named() -> None:
    given = subject(Templates(WORDS, FORMS))
    result = run("functionality", given, *ALL)
    found = result["templates"]
    assert found.value == pytest.approx(7 / 9)
    assert (found.n, found.lower) == (9, None)
    worst = result["worst-template"]
    assert worst.value == pytest.approx(1 / 3)
    assert worst.n == 3
    assert worst.reason == "'{type} for tallbeck', line 4 of templates.yaml"
    assert given.candidate.calls == 1


def test_failures_are_shown_with_what_came_back() -> None:
    exhibit = run("functionality", subject(Templates(WORDS, FORMS)), *ALL).tables[0]
    assert exhibit.rows == [
        ["{type} for tallbeck", "lamp for tallbeck", "lighting", "camping", 0.8],
        ["{type} for tallbeck", "mug for tallbeck", "kitchen", "camping", 0.8],
    ]


@pytest.mark.parametrize(
    ("label", "below", "share"),
    [("pets", 0.0, 1.0), ("other", 0.0, 0.0), ("", 0.5, 1.0), ("other", 0.4, 0.0)],
    ids=["by its label", "another label", "by a low score", "neither"],
)
def test_a_query_that_belongs_nowhere_is_met_by_label_or_score(
    label: str, below: float, share: float
) -> None:
    nothing = Nothing(("qqq", "zz 11"), label, below)
    result = run("functionality", subject(Templates({}, (), nothing)), *ALL)
    assert (result["expected-null"].value, result["expected-null"].n) == (share, 2)
    assert result["templates"].value is None
    assert len(result.tables[-1].rows) == 2 * (1 - share)


def test_beyond_the_cap_a_sample_is_asked_and_the_measurement_says_so() -> None:
    given = subject(Templates(WORDS, FORMS))
    found = run("functionality", given, *ALL, queries=4)["templates"]
    assert found.n == 4
    assert found.reason.startswith("4 of the 9 queries")


def test_nothing_written_is_nothing_measured_and_says_so() -> None:
    result = run("functionality", subject(None), *ALL)
    assert all((result[one].value, result[one].n) == (None, 0) for one in ALL)
    assert "templates.yaml" in result["templates"].reason


def ranking(*listed: NeverShown) -> FakeSubject:
    golden = golden_set(
        lists=[{"a": 3.0, "b": 1.0, "c": 0.0}, {"c": 1.0, "b": 1.0}],
        features={"f": [3.0, 2.0, 1.0, 5.0, 4.0]},
    )
    arm = FakeArm(score=lambda columns: columns["f"])
    return FakeSubject(replace(golden, never_shown=listed), arm, None)


def test_a_document_must_stay_out_of_the_top_of_every_list_it_could_be_in() -> None:
    given = ranking(NeverShown("c", 2, 2), NeverShown("elsewhere", 9, 3))
    result = run("functionality", given, "must-never-show")
    found = result["must-never-show"]
    assert (found.value, found.n, found.lower) == (0.5, 2, None)
    assert found.reason == "1 of the 2 listed documents are no query's candidate"
    (exhibit,) = result.tables
    assert exhibit.rows == [["query 1", "c", "title of c", 1, 2, 2]]


def test_documents_that_could_not_show_anyway_prove_nothing() -> None:
    for listed in ((), (NeverShown("elsewhere", 3),)):
        found = run("functionality", ranking(*listed), "must-never-show")["must-never-show"]
        assert (found.value, found.n) == (None, 0)
        assert "listed" in found.reason or "never-show.csv" in found.reason


def test_without_a_waived_query_a_share_is_measured_beside_not_instead() -> None:
    given = ranking(NeverShown("c", 2, 2))
    ids = given.golden.query_id
    options = find("functionality").spec.options()
    for waived, excused in (((), None), (ids[:1], 0.0), (ids[1:], 1.0), (ids, None)):
        plan = CheckPlan(("must-never-show",), (), options, waived={"must-never-show": {*waived}})
        found = run_plan("functionality", given, plan)["must-never-show"]
        assert (found.value, found.n, found.excused) == (0.5, 2, excused)
