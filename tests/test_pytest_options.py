"""The plugin's options: none of them is in the way of a project that knows nothing of gates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.test_pytest_plugin import evidence_of, run_pytest
from tests.toys import MODEL, copy_project

SHORT = ("--candidate", "--champion", "--against-itself", "--tracking-uri")

OWN_OPTIONS = """\
def pytest_addoption(parser):
    for name in ("--candidate", "--champion", "--tracking-uri"):
        parser.addoption(name, default="nobody")
    parser.addoption("--against-itself", action="store_true")
"""

OWN_TEST = """\
def test_its_own_options(pytestconfig):
    given = [pytestconfig.getoption(name) for name in ("--candidate", "--champion")]
    assert given == ["Ada", "nobody"]
    assert pytestconfig.getoption("--tracking-uri") == "parcel:7"
    assert pytestconfig.getoption("--against-itself") is True
"""


def call_pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A project with options of its own by the same names, in which mlgates happens to be there."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(OWN_OPTIONS)
    (folder / "test_own.py").write_text(OWN_TEST)
    return folder


OWN_VALUES = ("--candidate", "Ada", "--tracking-uri=parcel:7", "--against-itself")


def test_another_projects_options_of_the_same_names_stay_its_own(stranger: Path) -> None:
    code, out = call_pytest(stranger, *OWN_VALUES)
    assert code == 0, out
    assert "1 passed" in out


def test_they_stay_its_own_beside_a_card_too(stranger: Path) -> None:
    card = stranger / "model_cards" / "toy.md"
    card.parent.mkdir()
    card.write_text("A page about models.\n")
    code, out = call_pytest(stranger, "test_own.py", *OWN_VALUES, str(card))
    assert code == 4, out
    assert "--gates-candidate" in out, "what was given is the project's; the gate's is not there"
    assert "INTERNALERROR" not in out


def test_without_a_card_the_short_names_are_not_known(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_one(): pass\n")
    (tmp_path / "README.md").write_text("No card.\n")
    for name in SHORT:
        code, out = call_pytest(tmp_path, "test_one.py", "README.md", f"{name}=x")
        assert code == 4, out
        assert f"unrecognized arguments: {name}=x" in out


def test_every_option_of_the_plugin_says_whose_it_is(tmp_path: Path) -> None:
    code, out = call_pytest(tmp_path, "--help")
    assert code == 0, out
    section = out.partition("release gate for search models:")[2].partition("\n\n")[0]
    options = [line.split()[0] for line in section.splitlines() if line.strip().startswith("--")]
    assert len(options) >= 10
    assert {one for one in options if not one.startswith("--gates-")} == set()


@pytest.mark.parametrize("prefix", ["--", "--gates-"])
def test_both_names_of_an_option_ask_for_the_same(
    shelf: Shelf, tmp_path: Path, prefix: str
) -> None:
    project = copy_project(shelf.project, tmp_path / "shop")
    code, out = call_pytest(
        project,
        f"model_cards/{MODEL}.md::lockfile",
        f"{prefix}candidate={shelf.uri('good')}",
        f"{prefix}against-itself",
        *(f"{prefix}tracking-uri", shelf.tracking_uri),
        *("--gates-cache", str(shelf.cache), "--gates-unlogged"),
    )
    assert code == 3, out
    evidence = evidence_of(project)
    assert evidence["champion"] == evidence["candidate"]
    judged = {one["bound"]["check"]: one["outcome"] for one in evidence["judgements"]}
    assert judged["lockfile"] == "PASS"


def test_a_conftest_that_takes_candidate_for_itself_leaves_the_gates_own(
    shelf: Shelf, tmp_path: Path
) -> None:
    project = copy_project(shelf.project, tmp_path / "shop")
    (project / "conftest.py").write_text(OWN_OPTIONS)
    (project / "pytest.ini").write_text("[pytest]\n")
    code, out = run_pytest(shelf, project, "-k", "lockfile", prefix="--gates-")
    assert code == 3, out
    assert "verdict: UNDECIDED" in out


def test_a_champion_and_an_a_a_run_exclude_each_other(shelf: Shelf, tmp_path: Path) -> None:
    project = copy_project(shelf.project, tmp_path / "shop")
    code, out = run_pytest(shelf, project, "--champion", shelf.uri("weak"), "--against-itself")
    assert code == 2, out
    assert "exclude each other" in out
