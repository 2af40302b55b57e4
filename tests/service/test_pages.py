"""The pages over HTTP: what they say, to whom, and what their buttons do."""

from __future__ import annotations

import ipaddress
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from hatchling.builders.wheel import WheelBuilder

from gates.registry import Registry
from gates.service.api import REPORT_POLICY
from gates.service.auth import SESSION_COOKIE
from gates.service.config import ServiceConfig
from gates.service.kept_files import job_folder
from gates.service.store.schema import jobs as table
from tests.service.site import ANN, BOB, GUARDED, METRIC, Shown, away, done, shown, summary
from tests.toys import MODEL, copy_project, make_project

HOSTILE = "</script><script>alert(1)</script>\u202eevil\x1b[31m" + "x" * 300


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("pages") / "shop")


@pytest.fixture
def site(tmp_path: Path, project: Path) -> Iterator[Shown]:
    with shown(tmp_path, project, GUARDED) as opened:
        yield opened


def test_the_overview_shows_every_model_with_its_newest_gate(site: Shown) -> None:
    job = done(site.service, "2")
    done(site.service, "7", "FAIL", model="no-card")
    page = site.browser(BOB).page("/")
    assert f'href="/models/{MODEL}"' in page
    assert f'href="/gates/{job.id}"' in page
    assert "no card here" in page
    assert "</span> FAIL</span>" in page


def test_the_trend_is_a_picture_that_says_in_words_what_it_shows(site: Shown) -> None:
    for version, value in (("2", 0.004), ("3", -0.02), ("4", 0.018)):
        done(site.service, version, value=value)
    said = f"{METRIC} over 3 versions: from 0.004 (version 2) to 0.018 (version 4)"
    assert f'aria-label="{said}"' in site.browser(BOB).page("/")
    page = site.browser(BOB).page(f"/models/{MODEL}")
    assert "version 3: −0.02, PASS" in page
    assert "[−0.028, −0.012]" in page


def test_a_gate_that_runs_says_what_is_being_done_and_is_loaded_again(site: Shown) -> None:
    job, _ = site.service.jobs.ask(MODEL, "2", "webhook", "mlflow")
    site.service.jobs.change(
        job.id, state="running", step="judge", progress="slices of category", judged=4, bounds=13
    )
    site.service.jobs.note(job.id, "both environments are there")
    page = site.browser(BOB).page(f"/gates/{job.id}")
    assert "Slices of category." in page
    assert '<progress id="bar" max="13" value="4">' in page
    assert '<li class="now" aria-current="step">' in page
    assert "both environments are there" in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page


def test_a_gate_that_is_done_says_why_and_is_loaded_no_more(site: Shown) -> None:
    job = done(site.service, verdict="FAIL", reasons=("ndcg@10.delta is -0.021, demanded ≥ -0.02",))
    page = site.browser(BOB).page(f"/gates/{job.id}")
    assert "does not meet what its card requires" in page
    assert "ndcg@10.delta is −0.021, demanded ≥ −0.02" in page
    assert "http-equiv" not in page
    assert "data-poll" not in page


@pytest.mark.parametrize("state", ["parked", "cancelled", "skipped"])
def test_a_gate_without_a_verdict_says_why(site: Shown, state: str) -> None:
    before = done(site.service)
    job, _ = site.service.jobs.ask(MODEL, "3", "api", "ann")
    site.service.jobs.end(job.id, state, f"{state} because of tests", same_as=before.id)  # type: ignore[arg-type]  # each is a state
    page = site.browser(BOB).page(f"/gates/{job.id}")
    assert f"{state} because of tests" in page
    assert f'href="/gates/{before.id}"' in page


def test_the_golden_set_is_counted_by_slice(site: Shown) -> None:
    page = site.browser(BOB).page(f"/golden/{MODEL}")
    assert "Synthetic." in page
    assert re.search(r"lamps</bdi></th><td class=\"n\">30</td><td class=\"n\">50.0%", page)
    assert "sha256:" in page


def test_what_the_card_requires_is_on_the_page_of_its_model(site: Shown) -> None:
    page = site.browser(BOB).page(f"/models/{MODEL}")
    assert "≥ −0.02" in page
    assert "by category: ≥ −0.1" in page
    assert "only shown" in page


def test_a_card_or_golden_set_that_cannot_be_read_is_said_where_it_is_missed(
    tmp_path: Path, project: Path
) -> None:
    spoilt = copy_project(project, tmp_path / "spoilt")
    with shown(tmp_path, spoilt) as site:
        ann = site.browser(ANN)
        (spoilt / "golden" / MODEL / "queries.csv").write_text("nothing\n")
        assert "queries.csv" in ann.page(f"/golden/{MODEL}", 409)
        (spoilt / "model_cards" / f"{MODEL}.md").write_text("---\nmodel: 7\n---\n")
        assert "its card cannot be read" in ann.page("/")
        assert "Its card cannot be read." in ann.page(f"/models/{MODEL}")
        assert ann.page(f"/golden/{MODEL}", 409)


def test_pages_are_there_while_the_registry_is_away(site: Shown) -> None:
    job = done(site.service)
    ann = site.browser(ANN)
    for path in ("/", f"/models/{MODEL}"):
        assert "The registry cannot be read." in ann.page(path)
    assert ann.page(f"/gates/{job.id}")


def test_no_page_waits_for_a_registry_that_hangs(tmp_path: Path, project: Path) -> None:
    answers = threading.Event()

    def hangs() -> Registry:
        assert answers.wait(60)
        return away()

    with shown(tmp_path, project, registry=hangs) as site:
        done(site.service)
        bob = site.browser(BOB)
        for path in ("/", f"/models/{MODEL}"):
            assert "being read…" in bob.page(path)
        answers.set()


def test_a_summary_that_makes_no_sense_spoils_no_page(site: Shown) -> None:
    odd = [
        {"metrics": "none", "reasons": None, "counts": None},
        {"metrics": [7, {"name": None, "value": "x", "low": True, "high": 1e400, "n": "many"}]},
        {"metrics": [{"name": "a/b", "value": 1.5}], "counts": {"PASS": 1}},
    ]
    bob = site.browser(BOB)
    for version, one in enumerate(odd):
        job, _ = site.service.jobs.ask(MODEL, str(version), "api", "ann")
        site.service.jobs.end(job.id, "done", verdict="PASS", summary=one)
        for path in ("/", "/gates", f"/gates/{job.id}", f"/models/{MODEL}"):
            assert bob.page(path)


def test_gates_are_filtered_and_paged(site: Shown) -> None:
    for version in range(60):
        done(site.service, str(version), "FAIL" if version % 2 else "PASS")
    bob = site.browser(BOB)
    first = bob.page("/gates?verdict=PASS&model=" + MODEL)
    assert len(re.findall('<th scope="row">', first)) == 30
    newest = bob.page("/gates")
    older = re.search(r'rel="next" href="([^"]+)"', newest)
    assert older
    rest = bob.page(older[1].replace("&amp;", "&"))
    found = re.findall(r'href="/gates/([0-9a-f]{24})"', newest + rest)
    assert len(found) == len(set(found)) == 60
    assert found == sorted(found, reverse=True)
    for wrong in ("state=lost", "verdict=maybe", "before=x", "model=%00"):
        assert "cannot be filtered" in bob.page(f"/gates?{wrong}", 400)


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """The statements that an engine is given."""
    said: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        said.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield said
    sa.event.remove(engine, "before_cursor_execute", note)


def test_ten_thousand_gates_take_no_more_statements_than_ten(site: Shown) -> None:
    engine = site.service.jobs._engine
    last = done(site.service, "99")
    began = datetime.now(UTC) - timedelta(days=30)
    rows = [
        {
            "id": f"{number:012x}{'0' * 12}",
            "model": MODEL if number % 2 else f"model-{number % 40}",
            "version": str(number),
            "origin": "webhook",
            "requested_by": "mlflow",
            "forced": False,
            "created_at": began,
            "state": "done",
            "active": None,
            "verdict": "PASS",
            "summary": summary(value=number / 1e6),
            **dict.fromkeys(("step", "progress", "reason", "executor", "champion"), ""),
            **dict.fromkeys(("candidate_digest", "key", "same_as", "evidence_digest"), ""),
            **dict.fromkeys(("judged", "bounds", "attempts", "troubles"), 0),
            **dict.fromkeys(("mlflow_run", "told"), ""),
            "cancel": False,
        }
        for number in range(10_000)
    ]
    with engine.begin() as connection:
        connection.execute(table.insert(), rows)
    bob = site.browser(BOB)
    most = {
        "/": 4,
        "/gates": 2,
        f"/gates?model={MODEL}&before={5_000:012x}{'0' * 12}": 2,
        f"/models/{MODEL}": 3,
        f"/gates/{last.id}": 2,
    }
    for path, limit in most.items():
        with counted(engine) as said:
            page = bob.page(path)
        read = [one for one in said if one.startswith("SELECT")]
        assert 0 < len(read) <= limit + 1, (path, read)  # and whether the session was ended
        assert len(page) < 200_000, path


def test_hostile_text_is_shown_as_text(site: Shown) -> None:
    jobs = site.service.jobs
    job = done(site.service, "2", "FAIL", model=HOSTILE, reasons=(HOSTILE,))
    jobs.note(job.id, HOSTILE)
    parked, _ = jobs.ask(MODEL, "3", "api", HOSTILE[:200])
    jobs.end(parked.id, "parked", HOSTILE)
    name = quote(HOSTILE, safe="")
    ann = site.browser(ANN)
    for path in ("/", "/gates", f"/gates/{job.id}", f"/gates/{parked.id}", f"/models/{name}"):
        page = ann.page(path)
        assert page.count("<script") == 1, path
        assert "alert(1)" in page
        assert not {"\u202e", "\x1b"} & set(page), path


def test_no_page_has_style_or_script_of_its_own(site: Shown) -> None:
    job = done(site.service)
    ann = site.browser(ANN)
    paths = ("/", "/gates", f"/gates/{job.id}", f"/models/{MODEL}", f"/golden/{MODEL}", "/login")
    for path in paths:
        page = ann.page(path)
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script>", page), path
        assert not re.search(r"""(src|href|action)=["'](https?:)?//""", page), path
        assert page.count("<h1") == 1, path
        assert 'href="#content"' in page, path
        assert '<main id="content"' in page, path
    policy = ann.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy


def test_a_report_is_shown_in_a_sandbox(site: Shown) -> None:
    job = done(site.service)
    folder = job_folder(site.service, job.id)
    ann = site.browser(ANN)
    missing = ann.get(f"/gates/{job.id}/report")
    assert missing.status_code == 404
    assert "frame-ancestors 'self'" in missing.headers["content-security-policy"]
    assert "<iframe" not in ann.page(f"/gates/{job.id}")
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<title>the report</title>")
    answer = ann.get(f"/gates/{job.id}/report")
    assert answer.text == "<title>the report</title>"
    assert answer.headers["content-security-policy"] == REPORT_POLICY
    assert 'sandbox="allow-scripts"' in ann.page(f"/gates/{job.id}")


def test_style_and_script_are_kept_by_their_digest(site: Shown) -> None:
    anybody = site.browser()
    page = anybody.page("/login")
    for name in ("pages.css", "pages.js", "icon.svg"):
        found = re.search(rf'"(/static/{re.escape(name)}\?v=[0-9a-f]+)"', page)
        assert found
        answer = anybody.get(found[1])
        assert "immutable" in answer.headers["cache-control"]
        tag = answer.headers["etag"]
        assert anybody.get(f"/static/{name}", **{"if-none-match": tag}).status_code == 304
        assert anybody.get(f"/static/{name}").headers["cache-control"] == "no-cache"
    assert anybody.get("/static/pages.py").status_code == 404
    assert anybody.get("/static/..%2f__init__.py").status_code == 404


def test_the_wheel_holds_templates_and_static_files(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    (built,) = WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(built).namelist()
    for folder in ("templates", "static"):
        for path in (root / "gates" / "service" / folder).iterdir():
            assert f"gates/service/{folder}/{path.name}" in names


# Who may see, and how they say who they are.


def test_who_is_not_known_is_led_to_sign_in_and_back(site: Shown) -> None:
    somebody = site.browser()
    answer = somebody.get("/gates?state=done")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/gates%3Fstate%3Ddone"
    assert 'value="/gates?state=done"' in somebody.page(answer.headers["location"])
    signed = somebody.post("/login", token=BOB.secret, next="/gates?state=done")
    assert signed.headers["location"] == "/gates?state=done"
    cookie = signed.headers["set-cookie"].lower()
    assert cookie.startswith(SESSION_COOKIE)
    for part in ("httponly", "samesite=strict", "path=/", "max-age=43200"):
        assert part in cookie
    assert BOB.secret not in cookie
    assert "bob" in somebody.page("/")


def test_the_cookie_is_for_https_where_people_come_by_https(tmp_path: Path, project: Path) -> None:
    config = ServiceConfig(tokens=(ANN,), url="https://gates.example.com")
    with shown(tmp_path, project, config) as site:
        assert (
            "secure"
            in site.browser().post("/login", token=ANN.secret).headers["set-cookie"].lower()
        )


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil", "", "x", "/a\\b"],
)
def test_after_signing_in_nobody_is_led_elsewhere(site: Shown, elsewhere: str) -> None:
    somebody = site.browser()
    assert somebody.post("/login", token=ANN.secret, next=elsewhere).headers["location"] == "/"


def test_a_wrong_token_is_told_the_same_whatever_it_was(site: Shown) -> None:
    somebody = site.browser()
    answers = [somebody.post("/login", token=wrong) for wrong in ("", "ann", "ann's token")]
    assert {one.status_code for one in answers} == {401}
    pages = {re.sub(r"Page made [^.]*", "", one.text) for one in answers}
    assert len(pages) == 1
    assert "not known here" in pages.pop()
    assert not somebody.http.cookies


def test_signing_out_ends_the_session(site: Shown) -> None:
    ann = site.browser(ANN)
    assert ann.post("/logout").status_code == 403
    assert ann.page("/")
    assert ann.press("/", "/logout").headers["location"] == "/login"
    assert ann.get("/").status_code == 303


def test_a_page_elsewhere_cannot_sign_anybody_in_or_out(site: Shown) -> None:
    ann = site.browser(ANN)
    for path in ("/login", "/logout"):
        answer = ann.http.post(
            site.url + path,
            data={"token": ANN.secret},
            headers={"origin": "https://evil.example"},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code == 403


def test_where_nobody_signs_in_the_page_says_who_one_is(tmp_path: Path, project: Path) -> None:
    local = tmp_path / "local"
    local.mkdir()
    with shown(local, project, ServiceConfig()) as site:
        assert "only this machine is served" in site.browser().page("/login")
    proxied = ServiceConfig(identity_header="X-Who", proxies=(ipaddress.ip_network("127.0.0.0/8"),))
    with shown(tmp_path, project, proxied) as site:
        somebody = site.browser()
        assert "it named nobody" in somebody.page("/login")
        assert somebody.get("/").status_code == 401
        page = somebody.get("/login", **{"X-Who": "carla@example.com"}).text
        assert "carla@example.com" in page
        assert "look, and change nothing" in page


def test_problems_are_pages_with_advice(site: Shown) -> None:
    bob = site.browser(BOB)
    for path in (
        "/nothing",
        "/gates/nothing",
        f"/gates/{'0' * 24}",
        "/models/nothing",
        "/golden/x",
    ):
        assert "Look for it among the models" in bob.page(path, 404)
    assert "That does not work here" in bob.post("/gates").text
    assert bob.post("/gates").status_code == 405


# Buttons.


def test_a_viewer_sees_no_button_and_can_press_none(site: Shown) -> None:
    job = done(site.service)
    bob = site.browser(BOB)
    for path in (f"/gates/{job.id}", f"/models/{MODEL}"):
        actions = re.findall(r'method="post" action="([^"]+)"', bob.page(path))
        assert actions == ["/logout"]
    paths = [f"/gates/{job.id}/{one}" for one in ("cancel", "again", "promote")]
    for path in (*paths, f"/models/{MODEL}/gate", f"/models/{MODEL}/rollback"):
        assert bob.post(path, why="because").status_code == 403
    assert site.noted.enqueued == []


def test_a_form_from_elsewhere_changes_nothing(site: Shown) -> None:
    job, _ = site.service.jobs.ask(MODEL, "2", "api", "ann")
    ann = site.browser(ANN)
    path = f"/gates/{job.id}/cancel"
    token = re.search(r'name="csrf" value="([^"]+)"', ann.page(f"/gates/{job.id}"))
    assert token
    other = site.browser(BOB).page("/")
    assert token[1] not in other
    for answer in (
        ann.post(path),
        ann.post(path, csrf="0" * 64),
        ann.post(path, csrf="ü"),
        ann.http.post(
            site.url + path, data={"csrf": token[1]}, headers={"origin": "https://evil.example"}
        ),
        ann.http.post(
            site.url + path, data={"csrf": token[1]}, headers={"sec-fetch-site": "cross-site"}
        ),
    ):
        assert answer.status_code == 403
    assert ann.post(path, csrf=token[1], more="x" * 70_000).status_code == 413
    assert ann.http.post(site.url + path, data=b"\xff\xfe=1").status_code == 400
    assert ann.post(path, csrf=token[1], why="\0").status_code == 400
    left = site.service.jobs.job(job.id)
    assert left
    assert not left.cancel
    assert site.noted.cancelled == []


def test_a_gate_is_cancelled_once(site: Shown) -> None:
    job, _ = site.service.jobs.ask(MODEL, "2", "api", "ann")
    ann = site.browser(ANN)
    pressed = ann.press(f"/gates/{job.id}", f"/gates/{job.id}/cancel")
    assert pressed.headers["location"] == f"/gates/{job.id}?done=cancelled"
    assert site.noted.cancelled == [job.id]
    assert "ann asked to stop it" in ann.page(f"/gates/{job.id}?done=cancelled")


def test_a_gate_is_asked_for_again_and_answers_for_itself_meanwhile(site: Shown) -> None:
    job = done(site.service)
    ann = site.browser(ANN)
    page = f"/gates/{job.id}"
    asked = ann.press(page, f"{page}/again").headers["location"]
    new = site.service.jobs.job(asked.removeprefix("/gates/").partition("?")[0])
    assert new
    assert (new.forced, new.origin, new.requested_by) == (True, "page", "ann")
    assert site.noted.enqueued == [new.id]
    assert ann.press(page, f"{page}/again").headers["location"] == f"/gates/{new.id}?done=again"


def test_a_gate_that_finds_the_queue_full_is_refused(tmp_path: Path, project: Path) -> None:
    with shown(tmp_path, project, ServiceConfig(tokens=(ANN,), queue=1)) as site:
        job = done(site.service)
        site.service.jobs.ask(MODEL, "8", "api", "ann")
        page = f"/gates/{job.id}"
        refused = site.browser(ANN).press(page, f"{page}/again")
        assert refused.status_code == 503
        assert "1 gates are queued" in refused.text


def test_a_first_version_is_promoted_only_by_whoever_says_that_it_is_the_first(site: Shown) -> None:
    job = done(site.service, verdict="UNDECIDED", champion="")
    assert 'name="first" value="yes" required' in site.browser(ANN).page(f"/gates/{job.id}")
    unsure = done(site.service, "3", "UNDECIDED")
    assert f"/gates/{unsure.id}/promote" not in site.browser(ANN).page(f"/gates/{unsure.id}")


def test_a_gate_whose_evidence_is_gone_is_not_promoted(site: Shown) -> None:
    job = done(site.service)
    page = f"/gates/{job.id}"
    refused = site.browser(ANN).press(page, f"{page}/promote", why="because")
    assert refused.status_code == 503
    assert "it does not answer" in refused.text
