"""The page of a comparison: whole, self-contained, safe, and seen in a browser."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gates.report import comparison_page
from gates.report.text import interval, number, signed

from .comparison_factory import EVERY
from .evidence_factory import HOSTILE
from .in_browser import CONTRAST, needs_browser
from .page import Page


@pytest.fixture(params=sorted(EVERY))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_metric_slice_note_and_file_is_there(name: str) -> None:
    comparison = EVERY[name]()
    page = Page(comparison_page.render(comparison))
    text = page.text()
    assert comparison.verdict.outcome in page.text("span")
    for one in comparison.measurements:
        value = signed(one.value) if "old" in one.extra and not one.slice else number(one.value)
        assert value in text
        assert interval(one) in text
    for file in (comparison.old, comparison.new, comparison.judgments):
        assert f"{file.rows:,}" in text
    assert "unjudged documents: " in text
    assert "takes about 630 queries to pass" in text
    assert "Documents to judge next" in page.text("h3")
    levels = page.headings()
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {(a["href"] or "")[1:] for tag, a in page.elements if tag == "a"} <= set(ids)
    assert not page.tags() & {"link", "img", "iframe", "object", "base", "form", "image"}


def test_the_headline_names_the_files() -> None:
    headings = {n: Page(comparison_page.render(EVERY[n]())).text("h1", "span") for n in EVERY}
    assert "new.tsv may replace old.tsv" in headings["better"]
    assert "new.tsv must not replace old.tsv" in headings["worse"]
    assert "cannot tell whether new.tsv may replace old.tsv" in headings["astride"]


def test_a_large_comparison_says_which_of_its_queries_are_listed() -> None:
    text = Page(comparison_page.render(EVERY["large"]())).text()
    assert "29,990 worse (700 of them severely: −0.3 or worse), 30,000 the same" in text
    assert (
        "Here 40 of 100,000 queries are listed: those that lost most, and those that gained most."
        in text
    )
    assert "Each bar stands for several queries" in text


def test_markup_in_files_stays_text() -> None:
    source = comparison_page.render(EVERY["hostile"]())
    assert HOSTILE not in source
    assert source.count("<script") == 1, "our own"


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_is_readable_in_a_browser_that_asks_for_nothing_more(
    browser: Browser, tmp_path: Path, name: str, dark: bool
) -> None:
    path = tmp_path / "page.html"
    path.write_text(comparison_page.render(EVERY[name]()), encoding="utf-8")
    page = browser.new_page(
        viewport={"width": 360, "height": 900}, color_scheme="dark" if dark else "light"
    )
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda problem: seen.append(str(problem)))
    page.goto(path.as_uri(), wait_until="networkidle")
    assert seen == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(CONTRAST) == []
    page.close()
