"""The HTML report in a real browser: no request, no console message, usable by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .conftest import rendered
from .evidence_factory import EVERY
from .in_browser import CONTRAST, needs_browser, opened

pytestmark = needs_browser


@pytest.mark.parametrize("name", ["failing", "hostile"])
def test_nothing_is_requested_and_the_console_stays_silent(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(rendered(name), encoding="utf-8")
    page = browser.new_page()
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda problem: messages.append(str(problem)))
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    page.goto(path.as_uri(), wait_until="networkidle")
    assert requests == [path.as_uri()]
    assert messages == []
    page.close()


def test_details_open_by_keyboard_where_no_script_runs(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, "failing", scripts=False)
    summary = page.locator("details.all > summary")
    summary.focus()
    assert page.locator("details.all").get_attribute("open") is None
    page.keyboard.press("Enter")
    assert page.locator("details.all").get_attribute("open") is not None
    assert summary.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.close()


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_phone_does_not_scroll_sideways(browser: Browser, tmp_path: Path, name: str) -> None:
    page = opened(browser, tmp_path, name, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["passing", "failing", "undecided", "faulty"])
def test_all_text_has_the_contrast_of_wcag_aa(
    browser: Browser, tmp_path: Path, name: str, dark: bool
) -> None:
    page = opened(browser, tmp_path, name, dark=dark)
    assert page.evaluate(CONTRAST) == []
    page.close()
