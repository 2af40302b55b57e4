"""A section that lists cases is one value: every form shows it, and none knows which it is."""

from __future__ import annotations

import pytest

from gates.evidence.evidence import Evidence
from gates.report import html, markdown, sections, terminal
from gates.report.section import Section, SectionItem
from tests.report import evidence_factory as factory

CAUTION = "Look before you leap."


def case(number: int, **known: object) -> SectionItem:
    return SectionItem("new", f"case {number}", f"look --at {number}", "", True, **known)  # type: ignore[arg-type]


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> list[SectionItem]:
    """The cases of a section that somebody has added, by naming its function."""
    items: list[SectionItem] = []

    def toy(_: Evidence) -> Section:
        lead = f"{len(items)} in all" if items else ""
        return Section("Toys", lead, tuple(items), ", each with its price", CAUTION)

    monkeypatch.setattr(sections, "SECTIONS", (*sections.SECTIONS, toy))
    return items


def everywhere(run: Evidence) -> list[str]:
    return [" ".join(form.render(run).split()) for form in (html, markdown, terminal)]


def test_a_new_section_is_in_every_form(toys: list[SectionItem]) -> None:
    toys += [case(1), case(2)]
    for shown in everywhere(factory.passing()):
        assert "Toys" in shown
        assert "2 in all" in shown
        assert "case 1" in shown
        assert "look --at 2" in shown
        assert CAUTION not in shown


def test_a_section_with_nothing_to_say_is_in_none(toys: list[SectionItem]) -> None:
    assert toys == []
    assert not any("Toys" in shown for shown in everywhere(factory.passing()))


def test_the_caution_stands_where_a_case_that_calls_for_it_is_shown(
    toys: list[SectionItem],
) -> None:
    toys += [*(case(number) for number in range(3)), case(3, cautioned=True)]
    page, text, screen = everywhere(factory.passing())
    assert CAUTION in page
    assert CAUTION in text
    assert CAUTION not in screen, "the fourth is not shown there"
    assert "and 1 more in the report" in screen


def test_a_case_that_is_not_urgent_is_on_the_page_alone(toys: list[SectionItem]) -> None:
    toys.append(SectionItem("old", "a case of no urgency", urgent=False))
    page, text, screen = everywhere(factory.passing())
    assert "a case of no urgency" in page
    assert "a case of no urgency" not in text + screen


def test_cases_of_a_check_stand_beside_it(toys: list[SectionItem]) -> None:
    toys.append(SectionItem("new", "beside it", check="behaviour"))
    page, *_ = everywhere(factory.passing())
    own, _, after = page.partition("<h3>behaviour")[2].partition("</article>")
    assert "beside it" in own
    assert "beside it" not in after


def test_markup_in_a_section_shows_as_written(toys: list[SectionItem]) -> None:
    toys.append(SectionItem(factory.HOSTILE, factory.HOSTILE))
    page, text, screen = everywhere(factory.passing())
    assert "<script>alert" not in page + text
    assert "\x1b" not in page + text + screen
