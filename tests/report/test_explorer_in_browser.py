"""Finding a query and seeing both its lists, in a real browser: by mouse, keys and link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from gates.report.differences import shown_differences

from . import evidence_factory as factory
from .in_browser import needs_browser, opened

pytestmark = needs_browser


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    shown = opened(browser, tmp_path, "failing")
    yield shown
    shown.close()


def options(page: Page) -> list[str]:
    return page.locator("[role=option] > bdi").all_text_contents()


def heading(page: Page) -> str:
    return page.locator(".shown h4 bdi").inner_text()


def focused(page: Page) -> str:
    return str(
        page.evaluate(
            "document.activeElement.getAttribute('role') || document.activeElement.className"
            " || document.activeElement.type"
        )
    )


def test_the_worst_query_is_shown_first_with_lines_between_its_lists(page: Page) -> None:
    (difference,) = shown_differences(factory.failing().exhibits)
    worst = difference.queries[0]
    assert heading(page) == worst.query.text
    in_both = sum(place.move != "gone" for place in worst.old_list)
    assert page.locator(".shown .pair path:not(.tip)").count() == in_both
    ups = sum(p.move == "up" for p in worst.new_list if (p.before or 99) <= difference.difference.k)
    assert page.locator(".shown .pair path.rise:not(.tip)").count() == ups
    assert page.locator(".plain").is_hidden()


def test_search_narrows_the_list_and_the_count_is_announced(page: Page) -> None:
    assert page.locator("[role=status]").inner_text() == "160 queries"
    page.locator("input[type=search]").press_sequentially("Lamp oak")
    found = options(page)
    assert found
    assert all("lamp" in text and "oak" in text for text in found)
    assert page.locator("[role=status]").inner_text() == f"{len(found)} of 160 queries"
    assert heading(page) == found[0]
    page.locator("input[type=search]").fill("nothing like it")
    assert options(page) == []
    assert page.locator("[role=status]").inner_text() == "0 of 160 queries"


def test_queries_are_sorted_by_loss_gain_weight_and_text(page: Page) -> None:
    (difference,) = shown_differences(factory.failing().exhibits)
    worst = options(page)
    assert worst == [one.query.text for one in difference.queries]
    page.locator(".sort").select_option("gain")
    known = sum(one.query.delta is not None for one in difference.queries)
    deltas = page.locator("[role=option] > .delta").all_text_contents()
    assert options(page)[0] == difference.best(1)[0].query.text
    assert deltas[known:] == ["no value"] * (160 - known)
    page.locator(".sort").select_option("weight")
    assert options(page)[0] == max(difference.queries, key=lambda one: one.query.weight).query.text
    page.locator(".sort").select_option("text")
    assert options(page) == sorted(worst)


def test_only_a_slice_only_changed_and_only_severe_losses_can_be_asked_for(page: Page) -> None:
    (difference,) = shown_differences(factory.failing().exhibits)
    page.locator(".slice").select_option('["category","rugs"]')
    every = (one.query for one in difference.queries)
    rugs = [one.text for one in every if one.slices["category"] == "rugs"]
    assert options(page) == rugs
    page.locator(".slice").select_option("")
    page.locator(".changed").check()
    assert 0 < len(options(page)) < 160
    page.locator(".severe-only").check()
    assert options(page) == [one.query.text for one in difference.worst(difference.counts.severe)]


def test_the_keyboard_alone_leads_from_the_top_to_a_query_and_back(page: Page) -> None:
    page.keyboard.press("/")
    assert focused(page) == "search"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.type("lamp")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "listbox"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert heading(page) == options(page)[2]
    active = page.locator("[role=listbox]").get_attribute("aria-activedescendant")
    chosen = page.locator("[aria-selected=true]")
    assert chosen.count() == 1
    assert chosen.get_attribute("id") == active
    page.keyboard.press("Enter")
    assert focused(page) == "shown"
    page.keyboard.press("Escape")
    assert focused(page) == "listbox"
    page.keyboard.press("End")
    assert heading(page) == options(page)[-1]
    page.keyboard.press("Escape")
    assert focused(page) == "search"
    page.keyboard.press("Escape")
    assert len(options(page)) == 160
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")


def test_tab_reaches_the_list(page: Page) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused(page) == "listbox":
            break
    page.keyboard.press("ArrowDown")
    assert heading(page) == options(page)[1]


def test_a_chosen_query_is_in_the_address_and_the_address_opens_it(
    browser: Browser,
    page: Page,
    tmp_path: Path,
) -> None:
    page.locator("[role=option]").nth(7).click()
    chosen = heading(page)
    page.wait_for_url("**#q=q*")
    assert page.locator(".shown a").get_attribute("href") == page.evaluate("location.hash")
    other = opened(browser, tmp_path, "failing", fragment=page.evaluate("location.hash"))
    assert heading(other) == chosen
    assert focused(other) == "shown"
    assert other.evaluate("document.querySelector('.explorer').getBoundingClientRect().top") < 900
    other.close()


def test_without_a_script_every_query_can_be_read(
    browser: Browser,
    tmp_path: Path,
) -> None:
    (difference,) = shown_differences(factory.failing().exhibits)
    page = opened(browser, tmp_path, "failing", scripts=False)
    assert page.locator(".explorer").is_hidden()
    assert page.locator(".plain").is_visible()
    summaries = page.locator("details.q > summary > bdi").all_text_contents()
    assert sorted(summaries) == sorted(one.query.text for one in difference.queries)
    page.locator("details.all > summary").click()
    last = page.locator("details.all > details.q").last
    last.locator("summary").click()
    assert last.locator("ol").first.is_visible()
    page.close()


def test_hostile_text_stays_text_in_list_slices_and_lists(
    browser: Browser,
    tmp_path: Path,
) -> None:
    page = opened(browser, tmp_path, "hostile")
    messages: list[str] = []
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda problem: messages.append(str(problem)))
    page.locator("[role=option]").nth(3).click()
    page.locator("input[type=search]").fill("<script>")
    assert "<script>alert('x')</script>" in heading(page)
    assert page.locator("script").count() == 1
    assert "\u202e" not in page.locator(".shown").inner_text()
    page.locator(".slice").select_option(index=1)
    assert messages == []
    page.close()
