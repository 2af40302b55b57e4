"""The pages in a real browser: live, by keyboard, in both schemes, asking no other host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from gates.service.kept_files import job_folder
from gates.service.store.values import Job
from tests.report.conftest import rendered
from tests.report.in_browser import CONTRAST, needs_browser
from tests.service.conftest import Gated
from tests.service.site import ANN, GUARDED, Shown, done, shown
from tests.toys import MODEL

pytestmark = needs_browser

PATIENCE = 30_000

FAULTS = """() => {
  const found = [];
  const named = (e) => (e.getAttribute('aria-label') || e.textContent || e.title || '').trim();
  const levels = [...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1]);
  if (levels.filter(l => l === 1).length !== 1) found.push('not one h1');
  levels.forEach((l, i) => { if (i && l > levels[i - 1] + 1) found.push(`h${l} skips a level`); });
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of new Set(ids)) {
    if (ids.filter(o => o === id).length > 1) found.push(`id ${id} twice`);
  }
  const fields = 'input:not([type=hidden], [hidden]), select, textarea, progress';
  for (const e of document.querySelectorAll(fields)) {
    if (!e.labels.length) found.push(`no label: ${e.outerHTML.slice(0, 80)}`);
  }
  const spoken = 'a, button, iframe, [role=img], nav, section, form.filters';
  for (const e of document.querySelectorAll(spoken)) {
    const by = e.getAttribute('aria-labelledby');
    if (by ? !document.getElementById(by)?.textContent.trim() : !named(e)) {
      found.push(`no name: ${e.outerHTML.slice(0, 80)}`);
    }
  }
  for (const t of document.querySelectorAll('table')) {
    if (!t.caption?.textContent.trim()) found.push('a table without caption');
    for (const h of t.querySelectorAll('th')) if (!h.scope) found.push('a header without scope');
  }
  for (const e of document.querySelectorAll('[aria-describedby]')) {
    if (!document.getElementById(e.getAttribute('aria-describedby'))) found.push('no description');
  }
  for (const tag of ['header', 'main', 'footer']) {
    if (document.querySelectorAll(`body > ${tag}`).length !== 1) found.push(`not one ${tag}`);
  }
  if (document.documentElement.lang !== 'en') found.push('no language');
  return found;
}"""


@pytest.fixture
def site(tmp_path: Path, gated: Gated) -> Iterator[Shown]:
    with shown(tmp_path, gated.shelf.project, GUARDED, gated.registry) as opened:
        yield opened


@contextmanager
def watched(
    browser: Browser, site: Shown, refused: bool = False, **options: object
) -> Iterator[Page]:
    """A page of somebody signed in: only our own host may be asked, and nothing complained of.

    Chromium itself complains of the answer to what was refused.
    """
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))  # type: ignore[arg-type]  # Playwright's own names
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("console", lambda one: complaints.append(one.text))
    page.on("pageerror", lambda one: complaints.append(str(one)))
    page.goto(site.url + "/")
    page.get_by_label("Token", exact=True).fill(ANN.secret)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(site.url + "/")
    yield page
    context.close()
    assert {urlsplit(one).netloc for one in asked} == {urlsplit(site.url).netloc}
    assert len(complaints) == refused, complaints
    assert all("409 (Conflict)" in one for one in complaints)


def running(site: Shown) -> Job:
    """A gate that is being judged."""
    job, _ = site.service.jobs.ask(MODEL, "2", "webhook", "mlflow")
    site.service.jobs.note(job.id, "the webhook told of a new version")
    changed = site.service.jobs.change(
        job.id, state="running", step="judge", judged=4, bounds=13, started_at=job.created_at
    )
    assert changed
    return changed


def told(site: Shown) -> dict[str, str]:
    """A page of every kind, with something on it."""
    for version, value in (("3", -0.021), ("4", 0.004), ("5", 0.011)):
        verdict = "PASS" if value > 0 else "FAIL"
        done(site.service, version, verdict, value=value, reasons=("it is too low",))
    job = done(site.service, "6", value=0.018)
    folder = job_folder(site.service, job.id)
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(rendered("passing"), encoding="utf-8")
    parked, _ = site.service.jobs.ask(MODEL, "7", "api", "ann")
    site.service.jobs.end(parked.id, "parked", "its environment could not be built", step="resolve")
    return {
        "overview": "/",
        "gates": "/gates",
        "gate-running": f"/gates/{running(site).id}",
        "gate-done": f"/gates/{job.id}",
        "gate-parked": f"/gates/{parked.id}",
        "model": f"/models/{MODEL}",
        "golden": f"/golden/{MODEL}",
        "sign-in": "/login",
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_can_be_read_by_everybody(
    browser: Browser, site: Shown, tmp_path: Path, dark: bool
) -> None:
    kept = Path(os.environ.get("GATES_TEST_SCREENSHOTS") or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    scheme = "dark" if dark else "light"
    pages = told(site)
    with watched(browser, site, color_scheme=scheme) as page:
        for name, path in pages.items():
            page.goto(site.url + path)
            for one in page.locator("details").all():
                one.evaluate("one => { one.open = true; }")
            assert page.evaluate(FAULTS) == [], name
            assert page.evaluate(CONTRAST) == [], name
            picture = kept / f"{name}-{scheme}.png"
            page.screenshot(path=picture, full_page=True)
            assert picture.stat().st_size > 5_000
            page.set_viewport_size({"width": 360, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
            page.set_viewport_size({"width": 1280, "height": 900})


def test_a_page_that_does_not_exist_can_be_read_too(browser: Browser, site: Shown) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.url + "/login")
    page.get_by_label("Token", exact=True).fill("not a token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not known here")
    assert page.evaluate(FAULTS) == []
    page.get_by_label("Token", exact=True).fill(ANN.secret)
    page.keyboard.press("Enter")
    page.wait_for_url(site.url + "/")
    page.goto(site.url + "/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    assert page.evaluate(FAULTS) == []
    assert page.evaluate(CONTRAST) == []
    context.close()


def test_progress_is_seen_as_it_is_made_and_then_the_verdict(browser: Browser, site: Shown) -> None:
    job, jobs = running(site), site.service.jobs
    with watched(browser, site) as page:
        page.goto(f"{site.url}/gates/{job.id}")
        page.evaluate("window.stayed = true")
        expect(page.get_by_role("progressbar")).to_have_attribute("value", "4")
        cancel = page.get_by_role("button", name="Cancel this gate")
        cancel.focus()
        jobs.change(job.id, judged=9, progress="slices of category")
        jobs.note(job.id, "nine bounds are judged")
        expect(page.get_by_text("9 of 13 bounds judged")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("Slices of category.")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("nine bounds are judged")).to_be_visible(timeout=PATIENCE)
        expect(cancel).to_be_focused()
        page.locator("h1").click()
        cancel.blur()
        jobs.change(job.id, step="record", judged=13)
        expect(page.get_by_role("status").first).to_have_text(
            "Running: Store the evidence in MLflow.", timeout=PATIENCE
        )
        jobs.end(job.id, "done", verdict="FAIL", summary={"reasons": ["it is worse"]})
        expect(page.get_by_text("does not meet what its card requires")).to_be_visible(
            timeout=PATIENCE
        )
        expect(page.get_by_text("it is worse")).to_be_visible()
        expect(page.get_by_role("button", name="Gate version 2 again")).to_be_visible()
        expect(page.get_by_role("status").first).to_have_text("Done: FAIL.")
        assert page.evaluate("window.stayed") is True


def test_a_service_that_is_away_is_said_and_asked_again(browser: Browser, site: Shown) -> None:
    job = running(site)
    address = f"{site.url}/gates/{job.id}"
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Token", exact=True).fill(ANN.secret)
    page.keyboard.press("Enter")
    page.wait_for_url(address)

    def lost(route: Route) -> None:
        route.abort()

    page.route(address, lost)
    expect(page.locator("#connection")).to_contain_text("does not answer", timeout=PATIENCE)
    page.unroute(address, lost)
    site.service.jobs.change(job.id, judged=11)
    expect(page.get_by_text("11 of 13 bounds judged")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#connection")).to_be_empty()
    context.close()


def test_without_scripts_pages_are_read_and_buttons_work(browser: Browser, site: Shown) -> None:
    job = running(site)
    with watched(browser, site, java_script_enabled=False) as page:
        page.goto(f"{site.url}/gates/{job.id}")
        expect(page.get_by_text("4 of 13 bounds judged")).to_be_visible()
        page.get_by_role("button", name="Cancel this gate").click()
        expect(page.get_by_text("It was asked to stop.", exact=True)).to_be_visible()
    assert site.noted.cancelled == [job.id]


def test_nothing_moves_for_those_who_asked_for_that(browser: Browser, site: Shown) -> None:
    job = running(site)
    with watched(browser, site, reduced_motion="reduce") as page:
        page.goto(f"{site.url}/gates/{job.id}")
        moving = "getComputedStyle(document.querySelector('.now'), '::before').animationName"
        assert page.evaluate(moving) == "none"


def test_a_version_is_promoted_by_keyboard_alone(
    browser: Browser, site: Shown, gated: Gated
) -> None:
    job = gated.job(site.service, "good")
    with watched(browser, site) as page:
        page.goto(f"{site.url}/gates/{job.id}")
        report = page.frame_locator("iframe.report")
        expect(report.get_by_role("heading", level=1)).to_contain_text("PASS")
        page.locator("body").focus()
        reached = []
        for _ in range(30):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("(e => e.name || e.textContent.trim())(document.activeElement)")
            )
            outlined = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outlined in {"solid", "auto"}, reached
            if reached[-1] == "why":
                page.keyboard.type("better on every slice")
            if reached[-1] == "Promote version 2":
                break
        assert reached[0] == "Skip to the content"
        assert reached[-2:] == ["why", "Promote version 2"]
        page.keyboard.press("Enter")
        expect(page.get_by_text("The version was promoted")).to_be_visible(timeout=PATIENCE)
    assert gated.registry().aliases(MODEL)["champion"] == "2"


def test_a_promotion_that_came_too_late_is_refused_with_its_reasons(
    browser: Browser, site: Shown, gated: Gated
) -> None:
    job = gated.job(site.service, "good")
    with watched(browser, site, refused=True) as page:
        page.goto(f"{site.url}/gates/{job.id}")
        gated.registry().set_alias(MODEL, "champion", "3", "1")
        page.get_by_label("Why, for the history").fill("better on every slice")
        with page.expect_response(lambda one: one.url.endswith("/promote")) as answer:
            page.get_by_role("button", name="Promote version 2").click()
        assert answer.value.status == 409
        expect(page.get_by_role("heading", level=1)).to_have_text("Refused: nothing was changed")
        expect(page.get_by_text("the champion differs")).to_be_visible()
        page.get_by_role("link", name="Back").click()
        page.wait_for_url(f"{site.url}/gates/{job.id}")
    assert gated.registry().aliases(MODEL)["champion"] == "3"


def test_a_model_is_rolled_back(browser: Browser, site: Shown, gated: Gated) -> None:
    job = gated.job(site.service, "good")
    page_of_gate = f"/gates/{job.id}"
    pressed = site.browser(ANN).press(page_of_gate, f"{page_of_gate}/promote", why="better")
    assert pressed.status_code == 303, pressed.text
    with watched(browser, site) as page:
        page.goto(f"{site.url}/models/{MODEL}")
        page.get_by_text("Roll back", exact=True).click()
        page.get_by_label("Why, for the history").fill("complaints about lamps")
        page.get_by_role("button", name=f"Roll back {MODEL}").click()
        expect(page.get_by_text("Rolled back: the alias has moved.")).to_be_visible(
            timeout=PATIENCE
        )
        expect(page.locator("#champion")).to_contain_text("version 1")
        expect(page.get_by_text("complaints about lamps")).to_be_visible()
    assert gated.registry().aliases(MODEL)["champion"] == "1"
