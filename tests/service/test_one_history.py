"""Gates run by hand, in CI and by the service are shown together, each once, with its verdict."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from gates.errors import RegistryError
from gates.registry import Event, Registry
from gates.service.config import Token
from tests.sealed import record_of
from tests.service.conftest import Gated
from tests.service.held import NOW, Held
from tests.service.site import ANN, BOB, GUARDED, Shown, done, shown
from tests.service.test_pages import counted
from tests.toys import MODEL, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("history") / "shop")


@pytest.fixture
def site(tmp_path: Path, gated: Gated) -> Iterator[Shown]:
    """Pages over a real store in which `good` and `shuffled` were gated by `gates run`."""
    with shown(tmp_path, gated.shelf.project, GUARDED, gated.registry) as opened:
        opened.service.last_seen.renew(MODEL)
        yield opened


def asked(site: Shown, path: str, token: Token = BOB) -> requests.Response:
    headers = {"authorization": f"Bearer {token.secret}"}
    return requests.get(f"{site.url}{path}", headers=headers, timeout=30)


def test_gates_run_by_hand_are_on_every_page_with_their_verdict(site: Shown, gated: Gated) -> None:
    by_hand = [one for one in gated.registry().events(MODEL) if one.kind == "gate"]
    assert [one.origin for one in by_hand] == ["hand", "hand"]
    bob = site.browser(BOB)
    overview = bob.page("/")
    assert "never gated" not in overview
    newest = by_hand[0]
    assert f'<a href="/gates/{newest.run_id}">version {newest.version}</a>' in overview
    assert f"</span> {newest.verdict}</span>" in overview
    assert "<strong>2</strong> gates in all" in overview
    for path in (f"/models/{MODEL}", "/gates"):
        page = bob.page(path)
        for one in by_hand:
            assert f'href="/gates/{one.run_id}"' in page, path
            assert f"</span> {one.verdict}</span>" in page, path
        assert "by hand" in page, path


def test_the_page_of_a_gate_run_by_hand_has_its_numbers_and_its_report(
    site: Shown, gated: Gated
) -> None:
    bob = site.browser(BOB)
    for one in (event for event in gated.registry().events(MODEL) if event.kind == "gate"):
        page = bob.page(f"/gates/{one.run_id}")
        assert f'<p class="word">{one.verdict}</p>' in page
        assert "by hand, <bdi>" in page
        assert "ranking-diff" in page
        assert "The service did not run this gate." in page
        assert f'<iframe class="report" src="/gates/{one.run_id}/report"' in page
        report = bob.page(f"/gates/{one.run_id}/report")
        assert f"{MODEL} version {one.version}" in report
        assert one.verdict in report


def test_the_api_lists_gates_run_by_hand(site: Shown, gated: Gated) -> None:
    by_hand = [one for one in gated.registry().events(MODEL) if one.kind == "gate"]
    said = asked(site, "/api/v1/gates").json()
    assert [one["id"] for one in said["gates"]] == [one.run_id for one in by_hand]
    assert [one["verdict"] for one in said["gates"]] == [one.verdict for one in by_hand]
    assert {one["origin"] for one in said["gates"]} == {"hand"}
    assert said["complete"] is True
    (model,) = asked(site, "/api/v1/models").json()
    assert model["latest"]["id"] == by_hand[0].run_id
    path = f"/api/v1/gates/{by_hand[0].run_id}"
    assert asked(site, path).json()["champion"] == by_hand[0].champion == "1"
    record = record_of(asked(site, f"{path}/evidence").json())
    assert record["verdict"]["outcome"] == by_hand[0].verdict
    assert asked(site, f"{path}/journal").json() == []
    assert (
        requests.post(
            f"{site.url}{path}/cancel",
            headers={"authorization": f"Bearer {ANN.secret}"},
            timeout=30,
        ).status_code
        == 409
    )
    numbers = asked(site, "/metrics").text
    for one in by_hand:
        assert f'gates_recorded{{origin="hand",verdict="{one.verdict}"}} 1.0' in numbers
    assert "gates_models_unread 0.0" in numbers


def test_a_gate_that_the_service_and_mlflow_know_is_shown_once(site: Shown, gated: Gated) -> None:
    job = gated.job(site.service, "good")
    site.service.last_seen.renew(MODEL)
    bob = site.browser(BOB)
    assert "<strong>2</strong> gates in all" in bob.page("/")
    for path in (f"/models/{MODEL}", "/gates"):
        page = bob.page(path)
        assert f"/gates/{job.id}" in page, path
        assert job.mlflow_run not in page, path
    listed = asked(site, "/api/v1/gates").json()["gates"]
    assert [one["id"] for one in listed].count(job.id) == 1
    assert len(listed) == 2
    assert asked(site, f"/api/v1/gates/{job.mlflow_run}").json()["id"] == job.id


def test_a_version_gated_by_hand_is_promoted_on_its_page(site: Shown, gated: Gated) -> None:
    passed = next(one for one in gated.registry().events(MODEL) if one.verdict == "PASS")
    page = f"/gates/{passed.run_id}"
    pressed = site.browser(ANN).press(page, f"{page}/promote", why="better on lamps")
    assert pressed.status_code == 303, pressed.text
    assert gated.registry().aliases(MODEL)["champion"] == passed.version


# What is said while MLflow is away, slow, or large.


def gate(version: int, **more: Any) -> Event:
    """A gate that somebody ran."""
    event = Event(
        NOW - timedelta(days=90) + timedelta(minutes=version),
        "gate",
        MODEL,
        str(version),
        by="ann",
        verdict="PASS",
        evidence_digest=f"sha256:{version:064}",
        run_id=f"{version:032x}",
        origin="hand",
        summary='{"metrics":[{"name":"ranking-diff/ndcg@10.delta","value":0.01}],"reasons":["ok"]}',
    )
    return replace(event, **more)


def test_only_a_registry_that_was_read_and_holds_no_gate_says_never(
    tmp_path: Path, project: Path
) -> None:
    registry = Held({MODEL: (gate(1, kind="package", verdict=""),)})
    failing: dict[str, RegistryError] = {}
    registry.failing = failing
    with shown(tmp_path, project, registry=registry.opened) as site:
        bob = site.browser(BOB)
        site.service.last_seen.renew(MODEL)
        for path in ("/", f"/models/{MODEL}"):
            assert "never gated" in bob.page(path), path
        assert asked(site, "/api/v1/models").json()[0]["complete"] is True
        failing[MODEL] = RegistryError("it does not answer", passing=True)
        site.service.last_seen.renew(MODEL)
        for path in ("/", f"/models/{MODEL}"):
            page = bob.page(path)
            assert "never gated" not in page, path
            assert "not known: MLflow cannot be read" in page, path
        assert "whether MLflow holds one is not known" in bob.page("/gates")
        assert asked(site, "/api/v1/models").json()[0]["complete"] is False
        assert asked(site, "/api/v1/gates").json()["complete"] is False
        assert asked(site, f"/api/v1/gates/{'a' * 32}").status_code == 503
        assert "could not be read yet" in bob.page(f"/gates/{'a' * 32}", 503)
        assert "gates_models_unread 1.0" in asked(site, "/metrics").text


def test_what_was_seen_last_is_shown_while_mlflow_is_away(tmp_path: Path, project: Path) -> None:
    failing: dict[str, RegistryError] = {}
    registry = Held({MODEL: (gate(7, verdict="FAIL"),)}, failing)
    with shown(tmp_path, project, registry=registry.opened) as site:
        site.service.last_seen.renew(MODEL)
        failing[MODEL] = RegistryError("it does not answer", passing=True)
        site.service.last_seen.renew(MODEL)
        page = site.browser(BOB).page("/")
        assert "version 7" in page
        assert "</span> FAIL</span>" in page
        assert "The registry cannot be read." in page


def test_nothing_is_called_never_gated_while_mlflow_hangs(tmp_path: Path, project: Path) -> None:
    answers = threading.Event()

    def hangs() -> Registry:
        assert answers.wait(60)
        return Held().opened()

    with shown(tmp_path, project, registry=hangs) as site:
        page = site.browser(BOB).page("/")
        assert "never gated" not in page
        assert "being read…" in page
        assert asked(site, f"/api/v1/gates/{'a' * 32}").status_code == 503
        answers.set()


def test_the_trouble_of_one_model_is_not_said_of_the_others(tmp_path: Path) -> None:
    shop = make_project(tmp_path / "shop")
    cards = shop / "model_cards"
    (cards / "other.md").write_text((cards / f"{MODEL}.md").read_text().replace(MODEL, "other"))
    deleted = RegistryError("the experiment 'gates/other' was deleted")
    registry = Held({MODEL: (gate(1, kind="package", verdict=""),)}, {"other": deleted})
    with shown(tmp_path, shop, registry=registry.opened) as site:
        site.browser(BOB).page("/")
        seen = site.service.last_seen.of([MODEL, "other"], patience=30)
        assert seen["other"].trouble == deleted.what
        assert seen[MODEL].is_sure


def test_ten_thousand_gates_in_mlflow_take_no_more_statements_than_none(
    tmp_path: Path, project: Path
) -> None:
    registry = Held({MODEL: tuple(gate(number) for number in range(10_000, 0, -1))})
    with shown(tmp_path, project, registry=registry.opened) as site:
        site.service.last_seen.renew(MODEL)
        bob = site.browser(BOB)
        # One of each asks whether the session has ended.
        most = {
            "/": 5,
            "/gates": 3,
            f"/models/{MODEL}": 4,
            f"/gates/{5_000:032x}": 1,
        }
        for path, limit in most.items():
            with counted(site.service.jobs._engine) as said:
                page = bob.page(path)
            assert len([one for one in said if one.startswith("SELECT")]) <= limit, path
            assert len(page) < 200_000, path
        overview = bob.page("/")
        assert "<strong>10,000</strong> gates in all" in overview
        assert "over 20 versions" in overview


def test_gates_of_both_kinds_are_paged_in_one_order(tmp_path: Path, project: Path) -> None:
    registry = Held({MODEL: tuple(gate(number) for number in range(75, 0, -1))})
    with shown(tmp_path, project, registry=registry.opened) as site:
        jobs = [done(site.service, str(100 + number)).id for number in range(40)]
        site.service.last_seen.renew(MODEL)
        bob, path, found = site.browser(BOB), "/gates", list[str]()
        while path:
            page = bob.page(path)
            found += re.findall(r'<th scope="row"><a href="/gates/([0-9a-f]+)"', page)
            older = re.search(r'rel="next" href="([^"]+)"', page)
            path = older[1].replace("&amp;", "&") if older else ""
        assert found == [*reversed(jobs), *(f"{number:032x}" for number in range(75, 0, -1))]
        listed, before = list[str](), ""
        while True:
            said = asked(site, f"/api/v1/gates?size=30&verdict=PASS&before={before}").json()
            listed += [one["id"] for one in said["gates"]]
            before = said["older"]
            if not before:
                break
        assert listed == found
        assert "There is no such gate" in bob.page("/gates?verdict=FAIL")
        assert asked(site, "/api/v1/gates?state=queued").json()["gates"] == []


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "7",
        '{"metrics": 7, "reasons": null, "counts": "x"}',
        "[" * 5_000,
        '{"seconds": NaN}',
        '{"metrics": [7], "reasons": [{}], "counts": {"PASS": "x"}}',
        '{"metrics": [{"name": 7, "value": "x", "low": [], "outcome": {}}]}',
    ],
    ids=lambda text: text[:20],
)
def test_a_summary_that_somebody_edited_spoils_no_page(
    tmp_path: Path, project: Path, text: str
) -> None:
    registry = Held({MODEL: (gate(3, summary=text),)})
    with shown(tmp_path, project, registry=registry.opened) as site:
        site.service.last_seen.renew(MODEL)
        for path in ("/", "/gates", f"/models/{MODEL}", f"/gates/{3:032x}"):
            assert site.browser(BOB).page(path), path


def test_a_gate_that_is_being_recorded_is_no_second_one(tmp_path: Path, project: Path) -> None:
    events: dict[str, tuple[Event, ...]] = {}
    registry = Held(events)
    with shown(tmp_path, project, registry=registry.opened) as site:
        job, _ = site.service.jobs.ask(MODEL, "4", "webhook", "mlflow")
        site.service.jobs.change(job.id, state="running", step="record")
        events[MODEL] = (gate(4, by="gates serve", origin="service", job=job.id, state="begun"),)
        site.service.last_seen.renew(MODEL)
        page = site.browser(BOB).page("/gates")
        assert re.findall(r'<th scope="row"><a href="/gates/([0-9a-f]+)"', page) == [job.id]
        page = site.browser(BOB).page(f"/models/{MODEL}")
        assert page.count(f'href="/gates/{job.id}"') == 2, "among versions, and in the history"


def test_what_was_read_once_is_read_on_and_not_anew(tmp_path: Path, project: Path) -> None:
    registry = Held({MODEL: (gate(2), gate(1))})
    with shown(tmp_path, project, registry=registry.opened) as site:
        for _ in range(3):
            site.service.last_seen.renew(MODEL)
        whole, *later = registry.since
        assert whole is None
        assert all(one is not None for one in later)
        assert len(site.service.last_seen.of([MODEL])[MODEL].elsewhere) == 2
