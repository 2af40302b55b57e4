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

# WCAG 2 relative luminance; translucent colours are blended over what lies behind them.
CONTRAST = """() => {
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
