"""The comment of a pull request, rendered as GitHub-flavoured Markdown and seen in a browser."""

from __future__ import annotations

from playwright.sync_api import Browser

from gates.evidence.evidence import Evidence
from gates.report.pull_request import render
from tests.action.rendered import as_html
from tests.action.reviews import judged

from .in_browser import needs_browser

pytestmark = needs_browser

RAGGED = """() => [...document.querySelectorAll('table')].filter(table =>
  [...table.rows].some(row => row.cells.length !== table.rows[0].cells.length)).length"""


def test_it_is_whole_folded_and_asks_for_nothing(browser: Browser, any_evidence: Evidence) -> None:
    markdown = render([(judged(any_evidence), any_evidence, None)])
    page = browser.new_page(viewport={"width": 880, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.set_content(f"<meta charset=utf-8>{as_html(markdown)}")
    assert page.locator("h2").inner_text()[2:].startswith(any_evidence.verdict.outcome)
    assert page.get_by_role("heading", name="What to do next").is_visible()
    assert page.evaluate(RAGGED) == 0
    folded = page.locator("details")
    assert page.locator("details[open]").count() == 0
    assert page.locator("details > summary:visible").count() == folded.count()
    assert page.locator("details details").count() == 0
    folded.last.locator("summary").click()
    assert folded.last.locator("table").is_visible()
    assert asked == []
    page.close()
