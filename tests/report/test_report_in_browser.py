"""The HTML report in a real browser: no request, no console message, usable by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .conftest import rendered
from .evidence_factory import EVERY
from .in_browser import needs_browser, opened

pytestmark = needs_browser

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
