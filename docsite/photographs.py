"""The photographs in README and docs: pages of a finished demo, as a browser shows them.

python -m docsite.photographs .gates/demo     takes them anew; it wants Chromium
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from docsite.pictures import FOLDER

__all__ = ["NAMES", "take"]

NAMES = ("report.png", "side-by-side.png")
_WIDTH = 1180
_SHOWN = ("slices", "queries")  # of the report's sections, the two that README speaks of
_LISTS = 1_000  # pixels of the queries: a search, a list of them, and one old beside new


def take(demo: Path, folder: Path = FOLDER) -> None:
    """Photograph the report of the demo's version 3, the one with a bug in one category.

    Args:
        demo: The folder that `scripts/demo` leaves.
        folder: Where the photographs go.

    Raises:
        SystemExit: There is no such report, or no Chromium.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    reports = sorted(demo.absolute().glob(".gates/runs/product-ranker-3-*/report.html"))
    if not chromium or not reports:
        raise SystemExit(f"{demo} has no report of product-ranker 3, or this machine no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": _WIDTH, "height": _LISTS})
        page.goto(reports[-1].as_uri())
        _keep(page, *_SHOWN)
        end = page.locator("#queries").evaluate("one => one.getBoundingClientRect().top")
        page.screenshot(
            path=folder / NAMES[0],
            full_page=True,
            clip={"x": 0, "y": 0, "width": _WIDTH, "height": end + _LISTS},
        )
        page.locator("section:has(> #queries)").screenshot(path=folder / NAMES[1])
        browser.close()


def _keep(page: Page, *names: str) -> None:
    """Leave out the sections of other names: a photograph of all of them shows nothing."""
    shown = ", ".join(f":has(> #{name})" for name in names)
    page.add_style_tag(content=f"main > section:not({shown}) {{ display: none }}")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
