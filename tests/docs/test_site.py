"""The documentation site: builds without a warning, says what the code does, asks nobody else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from docsite import card_keys, command_line, interface
from docsite.arrangement import front_page
from docsite.build import render
from docsite.docstrings import as_restructured_text
from gates.cli.main import app
from tests.report.in_browser import ARGUMENTS, CHROMIUM, needs_browser

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as scripts/docs does."""
    target = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "docsite", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Where a server of this test gives the site out."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def _failed(url: str, failure: str | None) -> list[str]:
    return [] if failure == "net::ERR_ABORTED" else [url]


def test_every_page_of_docs_is_on_the_front_page(site: Path) -> None:
    front = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f'href="{page.stem}.html"' in front, page.name


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    loads = re.compile(r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="((?:https?:)?//[^"]*)""")
    styles = re.compile(r"""<link\b[^>]*\bhref="((?:https?:)?//[^"]*)""")
    inside = re.compile(r"""(?:url\(|@import\s+)["']?((?:https?:)?//[^"')]*)""")
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        text = path.read_text(encoding="utf-8")
        assert not loads.findall(text) + styles.findall(text) + inside.findall(text), path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@needs_browser[0]
@needs_browser[1]
def test_pages_open_in_a_browser_without_an_error_or_a_request_elsewhere(
    address: str, dark: bool
) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        page = browser.new_page(color_scheme="dark" if dark else "light")
        page.on("request", lambda one: asked.append(one.url))
        page.on("pageerror", lambda one: wrong.append(str(one)))
        # A request that the next page cut short has not failed.
        page.on("requestfailed", lambda one: wrong.extend(_failed(one.url, one.failure)))
        page.on("response", lambda one: wrong.append(one.url) if one.status >= 400 else None)
        page.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
        page.goto(f"{address}index.html")
        assert page.locator("h1").first.inner_text().startswith("mlgates")
        page.locator("article").get_by_role("link", name="Keys of a model card").click()
        page.locator("code", has_text="predict_seconds").first.wait_for()
        page.goto(f"{address}search.html?q=Clopper")
        page.locator("#search-results li a").first.wait_for()
        browser.close()
    assert wrong == []
    assert {url for url in asked if not url.startswith((address, "data:"))} == set()


def test_the_reference_names_every_command_and_key_and_strategy(site: Path) -> None:
    def words(name: str) -> str:
        text = (site / name).read_text(encoding="utf-8")
        return unescape(re.sub(r"<[^>]+>", "", text))

    commands = words("commands.html")
    for group in app.registered_groups:
        assert f"gates {group.name}" in commands
    assert "Example:" in commands
    assert "--champion URI" in commands
    keys = words("card-keys.html")
    for key in card_keys.schema()["properties"]:
        assert key in keys
    assert "batched" in words("interface/gates.strategies.html")
    assert "GATES_CACHE_MAX_SIZE" in words("settings.html")


def test_a_key_a_command_and_a_setting_say_what_they_mean() -> None:
    for line in card_keys.page().splitlines():
        if line.startswith("| `"):
            assert not line.endswith("|  |"), f"no meaning: {line}"
    for line in command_line.page().splitlines():
        if line.startswith("| `-"):
            assert line.split("|")[2].strip(), f"no help: {line}"
    assert interface.settings_page().count("\n| ") >= 7


def test_a_page_that_nobody_arranged_is_a_how_to_and_an_absent_one_is_no_gap() -> None:
    front = front_page(["packaging", "brand-new", "verdicts"])
    how_to = front.partition("## How to")[2].partition("## Explanation")[0]
    assert "packaging\nbrand-new\n" in how_to
    assert "tutorial" not in front
    assert "tutorial\n" in front_page(["tutorial"])


def test_a_broken_link_fails_and_leaves_the_old_site(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sources, target = tmp_path / "scratch" / "sources", tmp_path / "site"
    shutil.copytree(ROOT / "docs" / "images", sources / "images")
    shutil.copyfile(ROOT / "docsite" / "conf.py", sources / "conf.py")
    (sources / "index.md").write_text("# Why\n\n[elsewhere](no-such-page.md)\n")
    target.mkdir()
    (target / "index.html").write_text("the old one")
    assert render(sources, target) != 0
    assert "no-such-page.md" in capfd.readouterr().err
    assert (target / "index.html").read_text() == "the old one"


def test_docstrings_keep_their_signs_and_their_code() -> None:
    written = ["The mean of |gap* - gap| in `a_b`s:", "", "    a_b(c)", "", "Args:", "    x: y_z."]
    assert as_restructured_text(written) == [
        r"The mean of \|gap* - gap| in ``a_b``\s:",
        "",
        "::",
        "",
        "    a_b(c)",
        "",
        "Args:",
        "    x: y_z.",
    ]
