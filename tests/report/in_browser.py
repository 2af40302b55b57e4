"""A report opened in Chromium, for tests that look at it as a reader does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from .conftest import rendered

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-background-networking "
    "--disable-component-update --disable-sync"
)
needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs the browser 'chromium' on the PATH"),
]


def opened(
    browser: Browser,
    folder: Path,
    name: str,
    *,
    width: int = 1280,
    dark: bool = False,
    scripts: bool = True,
    fragment: str = "",
) -> Page:
    path = folder / "report.html"
    path.write_text(rendered(name), encoding="utf-8")
    page = browser.new_page(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
    )
    page.goto(path.as_uri() + fragment)
    return page
