"""A card is a test file: pytest's own options work on it, and the evidence stays whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import Shelf
from tests.run.test_author_code import EVIL
from tests.sealed import record_in
from tests.toys import MODEL, copy_project


def run_pytest(
    shelf: Shelf, project: Path, *arguments: str, version: str = "good", prefix: str = "--"
) -> tuple[int, str]:
    """pytest as a user types it, in the project's folder."""
    command = [sys.executable, "-m", "pytest", f"model_cards/{MODEL}.md"]
    command += [f"{prefix}candidate", shelf.uri(version), *arguments]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment = {
        **kept,
        "MLFLOW_TRACKING_URI": shelf.tracking_uri,
        "GATES_CACHE": str(shelf.cache),
    }
    done = subprocess.run(
        command,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def evidence_of(project: Path) -> dict[str, Any]:
    found = list((project / ".gates" / "runs").glob("*/evidence.json"))
    assert len(found) == 1
    return record_in(found[0])


@pytest.fixture
def project(shelf: Shelf, tmp_path: Path) -> Path:
    return copy_project(shelf.project, tmp_path / "shop")


def test_each_required_bound_is_an_item(shelf: Shelf, project: Path) -> None:
    code, out = run_pytest(shelf, project, "--collect-only", "-q")
    assert code == 0, out
    assert f"model_cards/{MODEL}.md::lockfile::unpinned" in out
    assert f"model_cards/{MODEL}.md::ranking-diff::ndcg@10.delta[category=lamps]" in out
    assert not list((project / ".gates" / "runs").glob("*/evidence.json"))


def test_plain_pytest_gives_the_gates_verdict_as_its_exit_code(shelf: Shelf, project: Path) -> None:
    code, out = run_pytest(shelf, project)
    assert code == 0, out
    assert "verdict: PASS" in out
    assert "report.html" in out


def test_a_fail_says_what_was_measured_and_what_was_demanded(shelf: Shelf, project: Path) -> None:
    code, out = run_pytest(shelf, project, version="shuffled")
    assert code in {1, 3}, out
    assert "demanded" in out
    assert "Traceback" not in out


def test_two_xdist_workers_give_one_whole_evidence(shelf: Shelf, project: Path) -> None:
    code, out = run_pytest(shelf, project, "-n", "2")
    assert code == 0, out
    evidence = evidence_of(project)
    assert evidence["verdict"]["outcome"] == "PASS"
    assert [one["check"] for one in evidence["records"]] == [
        "lockfile",
        "behaviour",
        "ranking-diff",
    ]
    assert set(evidence["environments"]) == {"candidate", "champion"}


def test_stopping_at_the_first_failure_leaves_a_verdict_that_is_no_pass(
    shelf: Shelf, project: Path
) -> None:
    code, out = run_pytest(shelf, project, "-x", version="nan")
    assert code == 1, out
    outcomes = [one["outcome"] for one in evidence_of(project)["judgements"]]
    assert "UNDECIDED" in outcomes
    assert "FAIL" in outcomes


OWN = "def test_passes(candidate):\n    assert candidate.role == 'candidate'\n"
OWN += "class TestSizes:\n    def test_in_a_class(self):\n        assert 0, 'embarrassing'\n"
OWN_FILE = f"golden/{MODEL}/test_own.py"


def test_own_tests_are_items_under_their_names(shelf: Shelf, project: Path) -> None:
    (project / OWN_FILE).write_text(OWN)
    code, out = run_pytest(shelf, project, "-rA")
    assert code == 1, out
    assert f"PASSED {OWN_FILE}::test_passes" in out
    assert f"FAILED {OWN_FILE}::TestSizes::test_in_a_class" in out
    assert "AssertionError: embarrassing" in out, "people see what pytest shows of it"


@pytest.mark.parametrize(
    ("arguments", "left_out"),
    [
        (("-n", "2"), set()),
        (("-k", "not Sizes"), {"TestSizes::test_in_a_class"}),
        (("--deselect", f"{OWN_FILE}::test_passes"), {"test_passes"}),
        (("--maxfail", "1", "-p", "no:randomly"), set()),
    ],
    ids=["-n", "-k", "--deselect", "--maxfail"],
)
def test_pytests_own_options_choose_among_own_tests_and_what_is_left_out_is_undecided(
    shelf: Shelf, project: Path, arguments: tuple[str, ...], left_out: set[str]
) -> None:
    (project / OWN_FILE).write_text(OWN)
    code, out = run_pytest(shelf, project, *arguments)
    assert code in (1, 3), out
    judged = {
        one["bound"]["metric"].partition("::")[2]: one["outcome"]
        for one in evidence_of(project)["judgements"]
        if one["bound"]["check"] == "tests"
    }
    expected = {"test_passes": "PASS", "TestSizes::test_in_a_class": "FAIL"}
    assert judged == {**expected, **dict.fromkeys(left_out, "UNDECIDED")}


def test_a_conftest_may_change_what_is_seen_and_nothing_that_is_written(
    shelf: Shelf, project: Path
) -> None:
    forged = EVIL + (
        "\n\nimport pytest\n@pytest.hookimpl(trylast=True)\n"
        "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
    )
    (project / "conftest.py").write_text(forged)
    code, _ = run_pytest(shelf, project, "--champion", shelf.uri("good"), version="shuffled")
    assert code in (0, 1), "this process is the author's to change"
    assert evidence_of(project)["verdict"]["outcome"] == "FAIL"


def test_a_judge_that_is_killed_leaves_no_verdict_and_the_session_says_so(
    shelf: Shelf, project: Path
) -> None:
    (project / "conftest.py").write_text(
        "import os, signal\n\n\ndef pytest_collection_finish(session):\n"
        "    front = next(one.front for one in session.items if hasattr(one, 'front'))\n"
        "    os.kill(front._judge.pid, signal.SIGKILL)\n"
    )
    code, out = run_pytest(shelf, project)
    assert code == 2, out
    assert "the judge's process has ended" in out
    assert not list((project / ".gates" / "runs").glob("*/evidence.json"))


def test_last_failed_runs_only_what_failed(shelf: Shelf, project: Path) -> None:
    run_pytest(shelf, project, version="nan")
    _, out = run_pytest(shelf, project, "--lf", "--collect-only", "-q", version="nan")
    assert "ranking-diff::severe-losses" in out
    assert "lockfile::unpinned" not in out


def test_junitxml_names_every_bound(shelf: Shelf, project: Path) -> None:
    code, out = run_pytest(shelf, project, "--junitxml", "out.xml")
    assert code == 0, out
    names = {case.get("name") for case in ET.parse(project / "out.xml").iter("testcase")}  # noqa: S314
    assert {"unpinned", "must-be-first", "ndcg@10.delta[category=lamps]"} <= names


def test_a_card_named_without_a_candidate_says_what_is_missing(shelf: Shelf, project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"model_cards/{MODEL}.md"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "--candidate models:/" in done.stdout + done.stderr


def test_an_input_error_ends_the_run_with_exit_code_2(shelf: Shelf, project: Path) -> None:
    card = project / "model_cards" / f"{MODEL}.md"
    card.write_text(card.read_text().replace("owners", "owner"))
    code, out = run_pytest(shelf, project)
    assert code == 2, out
    assert "did you mean 'owners'" in out
    assert "INTERNALERROR" not in out


def test_the_plugin_costs_other_peoples_runs_nothing() -> None:
    heavy = ["mlflow", "numpy", "pyarrow", "pydantic", "yaml", "hypothesis", "gates.run.gate"]
    script = (
        "import sys, pytest\n"
        f"before = set(sys.modules)\nimport gates.pytest_plugin\n"
        f"print([one for one in {heavy!r} if one in set(sys.modules) - before])\n"
        "print(len(set(sys.modules) - before))\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert out[0] == "[]"
    assert int(out[1]) <= 3
