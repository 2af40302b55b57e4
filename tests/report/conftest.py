"""Every kind of evidence, with its page; each page is rendered once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from playwright.sync_api import Browser, sync_playwright

from gates.evidence.evidence import Evidence
from gates.report import html

from .evidence_factory import EVERY
from .page import Page


@pytest.fixture(params=sorted(EVERY))
def any_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def any_evidence(any_name: str) -> Evidence:
    return EVERY[any_name]()


@pytest.fixture
def any_page(any_name: str) -> Page:
    return parsed(any_name)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from .in_browser import ARGUMENTS, CHROMIUM

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield running
        running.close()


@cache
def rendered(name: str) -> str:
    return html.render(EVERY[name]())


@cache
def parsed(name: str) -> Page:
    return Page(rendered(name))
