"""The pages over HTTP: what they say, to whom, and what their buttons do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.site import ANN, BOB, GUARDED, Shown, done, shown
from tests.toys import MODEL, make_project


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


def test_every_page_is_there(site: Shown) -> None:
    job = done(site.service)
    ann = site.browser(ANN)
    for path in ("/", "/gates", f"/gates/{job.id}", f"/models/{MODEL}", f"/golden/{MODEL}"):
        page = ann.page(path)
        assert page.count("<h1") == 1
        assert "<main" in page
