"""The HTML report in a real browser: no request, no console message, usable by keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from .conftest import rendered
from .evidence_factory import EVERY

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-background-networking "
    "--disable-component-update --disable-sync"
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not _CHROMIUM, reason="needs the browser 'chromium' on the PATH"),
]

# WCAG 2 relative luminance; translucent colours are blended over what lies behind them.
_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const over = (layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const one of layers) { canvas.fillStyle = one; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map(v => v / 255)
      .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const seen = new Map(), poor = [];
  for (const e of document.querySelectorAll('body *:not(svg, svg *, .all > details *)')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      layers.unshift(getComputedStyle(at).backgroundColor);
    }
    const colour = getComputedStyle(e).color, key = [...layers, colour].join();
    if (!seen.has(key)) {
      const back = over(['white', ...layers]);
      const [dim, bright] = [light(back), light(over([`rgb(${back})`, colour]))]
        .sort((a, b) => a - b);
      seen.set(key, (bright + .05) / (dim + .05));
    }
    const ratio = seen.get(key);
    if (ratio < 4.5) poor.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio]);
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS.split())
        yield running
        running.close()


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
    assert page.evaluate(_CONTRAST) == []
    page.close()
