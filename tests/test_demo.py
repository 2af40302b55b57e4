"""The README's first command, and then every command that README and docs show."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from docsite.photographs import NAMES, take
from gates.card.card import read_card
from gates.checks import catalogue
from gates.golden import read_golden
from gates.planning.pilot import pilot_in
from gates.planning.plan import plan_card
from tests.report.in_browser import needs_browser
from tests.sealed import record_in

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
TIMEOUT = 600

pytestmark = pytest.mark.timeout(TIMEOUT)


@dataclass(frozen=True)
class Demo:
    """A demo that ran: its folder, what it printed, and the environment commands need."""

    folder: Path
    output: str
    environment: dict[str, str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, gates_cache: Path) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "tour"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
        "GATES_CACHE": str(gates_cache),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(
        [ROOT / "scripts" / "demo", folder],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Demo(folder, done.stdout, environment)


def test_it_promotes_refuses_and_cannot_tell(demo: Demo) -> None:
    verdicts = {}
    for path in sorted((demo.folder / ".gates" / "runs").glob("*/evidence.json")):
        evidence = record_in(path)
        version = f"{evidence['candidate']['name']}/{evidence['candidate']['version']}"
        verdicts[version] = evidence["verdict"]["outcome"]
    assert verdicts == {
        "query-category/1": "UNDECIDED",
        "query-category/2": "PASS",
        "title-embedding/1": "UNDECIDED",
        "title-embedding/2": "FAIL",
        "product-ranker/1": "UNDECIDED",
        "product-ranker/2": "PASS",
        "product-ranker/3": "FAIL",
        "product-ranker/4": "UNDECIDED",
    }


def test_the_broken_candidate_fails_by_a_slice_that_the_mean_hides(demo: Demo) -> None:
    (path,) = (demo.folder / ".gates" / "runs").glob("product-ranker-3-*/evidence.json")
    outcomes = {
        (one["bound"]["metric"], one["bound"]["slice"]): one["outcome"]
        for one in record_in(path)["judgements"]
    }
    assert outcomes["ndcg@10.delta", ""] == "PASS"
    assert outcomes["ndcg@10.delta", "category=lighting"] == "FAIL"


def test_a_version_that_is_equal_in_truth_mostly_passes_the_card_of_the_ranker(demo: Demo) -> None:
    # One in twelve with margins of 0.01, 0.05 and 0.03: the gate could say no, and hardly yes.
    (path,) = (demo.folder / ".gates" / "runs").glob("product-ranker-4-*/evidence.json")
    card = read_card(ROOT / "model_cards" / "product-ranker.md", catalogue(), project=ROOT)
    golden = read_golden(demo.folder / "golden" / "product-ranker")
    plan = plan_card(card, golden, pilot_in(path))
    assert len(plan.planned) == 13
    assert plan.joint(plan.effects[0]).joint >= 0.6


def test_capitals_break_what_neighbours_do_not_show(demo: Demo) -> None:
    (path,) = (demo.folder / ".gates" / "runs").glob("title-embedding-2-*/evidence.json")
    outcomes = {
        one["bound"]["metric"]: one["outcome"]
        for one in record_in(path)["judgements"]
        if one["bound"]["check"] == "embedding" and not one["bound"]["slice"]
    }
    broken = {metric for metric, outcome in outcomes.items() if outcome != "PASS"}
    assert broken == {"pairs", "norm.worst"}


@needs_browser[0]
@needs_browser[1]
def test_the_photographs_of_readme_can_be_taken_of_it(demo: Demo, tmp_path: Path) -> None:
    take(demo.folder, tmp_path)
    for name in NAMES:
        shown, new = (ROOT / "docs" / "images" / name).read_bytes(), (tmp_path / name).read_bytes()
        before, after = (struct.unpack(">II", one[16:24]) for one in (shown, new))
        assert before[0] == after[0], "as wide as the one that is shown"
        assert abs(before[1] - after[1]) < 200, "run: python -m docsite.photographs .gates/demo"


def test_it_ends_with_the_way_to_the_reports_and_what_to_type_next(demo: Demo) -> None:
    assert "report.html" in demo.output
    assert "What to type next" in demo.output
    assert "synthetic" in demo.output.lower()


def shown_in_console() -> list[tuple[str, str, int]]:
    """Page, command and expected exit code of each `$ ` line, in the order of reading."""
    found = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if page.name == "tutorial.md":  # a path of its own, from nothing: tests/test_tutorial.py
            continue
        for block in re.findall(
            r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
        ):
            for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
                command, _, note = line.partition("   # ")
                code = re.search(r"exit code (\d)", note)
                found.append((page.name, command.strip(), int(code[1]) if code else 0))
    return found


def test_every_console_command_on_the_pages_does_as_it_says(demo: Demo) -> None:
    commands = shown_in_console()
    assert len(commands) >= 10
    for page, command, code in commands:
        if command.startswith(("source ", "cd ")):
            continue
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=demo.folder,
            env=demo.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == code, f"{page}: {command}\n{done.stdout}{done.stderr}"


def shell_blocks() -> list[tuple[str, str]]:
    """Page and text of each shell block of the docs."""
    return [
        (page.name, block)
        for page in sorted((ROOT / "docs").glob("*.md"))
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        if "scripts/" not in block
    ]


@pytest.mark.parametrize(("page", "block"), shell_blocks())
def test_every_shell_block_of_the_docs_runs(
    demo: Demo, tmp_path: Path, page: str, block: str
) -> None:
    for part in ("models", "golden", "model_cards"):
        shutil.copytree(demo.folder / part, tmp_path / part)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=tmp_path,
        env=demo.environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, f"{page}:\n{done.stdout}{done.stderr}"
