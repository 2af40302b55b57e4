"""What README and docs say is so: the reference is current, and no link leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gates.domain.tasks import TASKS
from tests.docs.reference import PAGES as REFERENCES
from tests.docs.reference import renewed

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.name)
def test_the_reference_of_checks_and_of_metrics_is_current(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert "begin -->" in page
    assert page == renewed(page), "run: python -m tests.docs.reference"


def test_the_page_names_every_task() -> None:
    line = next(
        one
        for one in (ROOT / "docs" / "model-cards.md").read_text().splitlines()
        if one.startswith("task:")
    )
    assert {*line.partition("#")[2].replace("|", " ").split()} == TASKS.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_card_on_the_page_is_a_valid_card(tmp_path: Path) -> None:
    from gates.card.card import read_card
    from gates.checks import catalogue
    from gates.golden import read_golden

    page = (ROOT / "docs" / "model-cards.md").read_text(encoding="utf-8")
    card = tmp_path / "model_cards" / "product-ranker.md"
    card.parent.mkdir()
    found = re.search(r"```yaml\n(---\n.*?---\n)```", page, re.DOTALL)
    assert found
    card.write_text(found[1], encoding="utf-8")
    read = read_card(card, catalogue(), project=ROOT)
    assert read.bounds(read_golden(read.golden_path))
