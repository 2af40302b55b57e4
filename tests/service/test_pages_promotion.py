"""Promoting and rolling back on the pages: a real registry, real evidence, the same guards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.conftest import Gated
from tests.service.site import ANN, GUARDED, Shown, shown
from tests.toys import MODEL


@pytest.fixture
def site(tmp_path: Path, gated: Gated) -> Iterator[Shown]:
    with shown(tmp_path, gated.shelf.project, GUARDED, gated.registry) as opened:
        yield opened


def champion(gated: Gated) -> str:
    return gated.registry().aliases(MODEL)["champion"]


def test_a_version_that_passed_is_promoted_and_rolled_back(site: Shown, gated: Gated) -> None:
    job = gated.job(site.service, "good")
    ann, page, model = site.browser(ANN), f"/gates/{job.id}", f"/models/{MODEL}"
    pressed = ann.press(page, f"{page}/promote", why="clearly better on lamps")
    assert pressed.status_code == 303, pressed.text
    assert champion(gated) == job.version
    shown_after = ann.page(pressed.headers["location"])
    assert "The version was promoted" in shown_after
    assert "<strong>in production</strong>" in shown_after
    assert f'action="{page}/promote"' not in shown_after
    history = ann.page(model)
    assert "clearly better on lamps" in history
    assert "<strong>promoted</strong> version 2 over version 1" in history

    again = ann.post(f"{page}/promote", csrf=_csrf(history), why="once more")
    assert again.status_code == 409
    assert "already is the champion" in again.text

    back = ann.press(model, f"{model}/rollback", why="complaints about lamps", to="")
    assert back.status_code == 303, back.text
    assert champion(gated) == "1"
    assert "complaints about lamps" in ann.page(back.headers["location"])
    event = gated.registry().events(MODEL)[0]
    assert (event.kind, event.by) == ("rollback", "ann")


def test_a_version_that_failed_has_no_button_and_is_refused_without_one(
    site: Shown, gated: Gated
) -> None:
    job = gated.job(site.service, "shuffled")
    ann, page = site.browser(ANN), f"/gates/{job.id}"
    shown_first = ann.page(page)
    assert f'action="{page}/promote"' not in shown_first
    refused = ann.post(f"{page}/promote", csrf=_csrf(shown_first), why="I want it")
    assert refused.status_code == 409
    assert "Refused: nothing was changed" in refused.text
    assert "the verdict is FAIL" in refused.text
    assert champion(gated) == "1"


def test_promotion_needs_a_reason_and_the_evidence_of_that_very_gate(
    site: Shown, gated: Gated
) -> None:
    job = gated.job(site.service, "good")
    ann, page = site.browser(ANN), f"/gates/{job.id}"
    silent = ann.press(page, f"{page}/promote", why="  ")
    assert silent.status_code == 400
    assert "&#39;why&#39; is empty" in silent.text
    evidence = site.service.project.settings.output / job.id / "evidence.json"
    evidence.write_bytes(evidence.read_bytes().replace(b"FAIL", b"PASS") + b" ")
    edited = ann.press(page, f"{page}/promote", why="better")
    assert edited.status_code == 409
    assert "what there is now is" in edited.text
    assert champion(gated) == "1"


def test_evidence_that_is_not_on_this_host_comes_from_mlflow(site: Shown, gated: Gated) -> None:
    job = gated.job(site.service, "good")
    folder = site.service.project.settings.output / job.id
    folder.rename(folder.with_name(f"{job.id}.elsewhere"))
    page = f"/gates/{job.id}"
    pressed = site.browser(ANN).press(page, f"{page}/promote", why="better")
    assert pressed.status_code == 303, pressed.text
    assert champion(gated) == job.version


def test_a_rollback_to_what_never_served_is_refused(site: Shown, gated: Gated) -> None:
    ann, model = site.browser(ANN), f"/models/{MODEL}"
    token = _csrf(ann.page(model))
    refused = ann.post(f"{model}/rollback", csrf=token, why="because", to="3")
    assert refused.status_code == 409
    assert "was never the champion" in refused.text
    assert champion(gated) == "1"


def _csrf(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]
