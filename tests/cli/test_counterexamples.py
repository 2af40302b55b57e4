"""Counterexamples live on: asked again by the next gate, and kept for good by the printed command.

Every command here is run by a real shell, from the very line that a report shows.
"""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gates.evidence.bundle import read_evidence
from tests.conftest import Answer, CommandLine
from tests.toys import lay_out, package_toy, put_in_production, store_of

CLASSIFIER = "toy-classifier"
HOSTILE = ("-x", "it's\"10`*\\n", "$(touch${IFS}pwned)", "🛋️", "--label=things")
CARD = """\
---
model: toy-classifier
task: classification
owners: [search@example.com]
environment: {start_seconds: 20, predict_seconds: 5, memory_mb: 1024}
checks:
  behaviour:
    bounds:
      invariance.typo: {max: 1.0, advisory: true}
      replayed: {max: 0, advisory: true}
  score-range:
    bounds:
      label-accuracy: {min: 0}
---
A toy.
"""
SOURCE = """\
import json


class Toy:
    def __init__(self, params):
        self.params = params

    def label(self, text):
        words = text.split()
        is_known = self.params["spells"] or "pants" in words
        return "clothes" if is_known and len(words) > 1 else "things"

    def predict(self, frame):
        labels = [self.label(text) for text in frame["query"]]
        return {"label": labels, "score": [0.8] * len(labels)}


def _load_pyfunc(path):
    with open(path) as stream:
        return Toy(json.load(stream))
"""
MANIFEST = (
    "name: toys\ntask: classification\ndescription: d\nsynthetic: true\nsource: tests\n"
    "sampling: every query\ninputs: [query]\n"
)

Gate = Callable[..., Answer]


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory, gates_cache: Path) -> Path:
    """A project with three versions: two that a typo in `pants` misleads, one that can spell."""
    folder = tmp_path_factory.mktemp("counterexamples") / "shop"
    cells = [f"{mark} pants".replace('"', '""') for mark in HOSTILE]
    rows = [f'q{at},"{cell}"' for at, cell in enumerate(cells)]
    golden = {
        "manifest.yaml": MANIFEST,
        "queries.csv": "\n".join(["query_id,query", *rows]) + "\n",
        "expectations.csv": "query_id,expect,target\nq0,label,clothes\n",
    }
    lay_out(folder, CLASSIFIER, card=CARD, source=SOURCE, golden=golden)
    for number, spells in enumerate((False, False, True)):
        params = {"spells": spells, "number": number, "inputs": ["query"]}
        (folder / "models" / CLASSIFIER / "params.json").write_text(json.dumps(params))
        package_toy(folder, gates_cache, CLASSIFIER)
    put_in_production(folder, gates_cache, CLASSIFIER)
    return folder


@pytest.fixture
def project(packaged: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(packaged, tmp_path / "shop"))


@pytest.fixture
def gate(gates: CommandLine, packaged: Path, project: Path, gates_cache: Path) -> Gate:
    def call(version: int, *arguments: str) -> Answer:
        store = ("--tracking-uri", store_of(packaged))
        options = ("--project", str(project), "--cache", str(gates_cache), *store)
        return gates("run", f"models:/{CLASSIFIER}/{version}", *options, *arguments)

    return call


def said(answer: Answer) -> dict[str, Any]:
    assert answer.code in (0, 3), answer.out + answer.err
    return dict(json.loads(answer.out))


def replayed(answer: dict[str, Any]) -> dict[str, Any]:
    (found,) = (one for one in answer["bounds"] if one["id"] == "behaviour::replayed")
    return dict(found)


def in_shell(line: str, project: Path) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line, in the project's folder."""
    folder = Path(sys.executable).parent
    environ = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_next_version_is_asked_what_the_last_one_failed_in(gate: Gate) -> None:
    first = said(gate(2, "--json"))
    assert replayed(first)["outcome"] == "UNDECIDED"
    assert "no earlier run left anything" in replayed(first)["reason"]
    assert {one["state"] for one in first["counterexamples"]} == {"new"}

    again = said(gate(2, "--json"))
    assert replayed(again)["outcome"] == "FAIL"
    count = len(first["counterexamples"])
    assert replayed(again)["value"] == count > 2
    evidence = read_evidence(Path(again["evidence"]))
    (record,) = (one for one in evidence.records if one.check == "behaviour")
    assert record.replay is not None
    assert record.replay.digest.startswith("sha256:")
    assert [one.champion_fails for one in record.replay.cases] == [True] * count

    mended = said(gate(3, "--json"))
    assert (replayed(mended)["outcome"], replayed(mended)["value"]) == ("PASS", 0)
    assert {one["state"] for one in mended["counterexamples"]} == {"no longer fails"}


def test_the_rate_is_the_same_with_and_without_what_earlier_runs_left(gate: Gate) -> None:
    def rate(answer: Answer) -> list[object]:
        evidence = read_evidence(Path(said(answer)["evidence"]))
        (record,) = (one for one in evidence.records if one.check == "behaviour")
        return [one for one in record.measurements if one.metric == "invariance.typo"]

    assert rate(gate(2, "--json")) == rate(gate(2, "--json"))


def test_the_terminal_says_which_still_fail_and_whether_the_champion_does_too(gate: Gate) -> None:
    gate(2)
    shown = gate(2).out
    assert re.search(r"(\d) of \1 known ones still fail", shown)
    assert "the champion fails too" in shown
    assert f"    gates golden add {CLASSIFIER} " in shown
    mended = gate(3).out
    assert re.search(r"0 of \d known ones still fail", mended)


def test_counterexamples_are_kept_where_the_flag_says(
    gate: Gate, project: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    gate(2, "--json", "--counterexamples", str(kept))
    assert (kept / CLASSIFIER / "behaviour.json").is_file()
    assert not (project / ".gates" / "counterexamples").exists()
    shutil.rmtree(project / ".gates", ignore_errors=True)  # a clean checkout; the folder was cached
    again = said(gate(2, "--json", "--counterexamples", str(kept)))
    assert replayed(again)["value"] > 2


def test_a_damaged_file_is_said_in_every_report_and_begun_anew(gate: Gate, project: Path) -> None:
    path = project / ".gates" / "counterexamples" / CLASSIFIER / "behaviour.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    answer = gate(2)
    assert answer.code == 0
    assert "cannot be read" in answer.out
    assert "it is not JSON; it is begun anew" in " ".join(answer.out.split())
    (page,) = (project / ".gates" / "runs").glob("*/report.md")
    assert "it is not JSON" in page.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8"))["runs"] == 1


def test_a_folder_that_cannot_be_written_is_a_warning_and_the_verdict_stands(
    gate: Gate, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    found = said(gate(2, "--json", "--counterexamples", str(tmp_path / "file")))
    assert found["verdict"] == "PASS"
    assert "counterexamples could not be kept for the next run" in found["warning"]


def lines(shown: str) -> set[str]:
    return set(re.findall(r"gates golden add \S+ .*? --label clothes", shown))


def test_the_very_line_of_a_report_keeps_a_hostile_query_and_the_next_gate_asks_it(
    gate: Gate, project: Path
) -> None:
    every: set[str] = set()
    for seed in range(2):
        card = project / "model_cards" / f"{CLASSIFIER}.md"
        card.write_text(CARD.replace("checks:", f"seed: {seed}\nchecks:", 1))
        terminal = lines(gate(2).out)
        runs = (project / ".gates" / "runs").iterdir()
        run = max(runs, key=lambda one: one.stat().st_mtime_ns)
        page = lines((run / "report.md").read_text(encoding="utf-8"))
        assert page == lines(html.unescape((run / "report.html").read_text(encoding="utf-8")))
        assert terminal
        assert terminal <= page
        every |= page
    asked = [" ".join(shlex.split(line)) for line in every]
    assert [mark for mark in HOSTILE if not any(mark in one for one in asked)] == []
    for line in every:
        done = in_shell(line, project)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    assert not (project / "pwned").exists()
    rows = (project / "golden" / CLASSIFIER / "queries.csv").read_text("utf-8").splitlines()
    assert sum("added-" in row for row in rows) == len(every)
    evidence = read_evidence(Path(said(gate(2, "--json"))["evidence"]))
    assert evidence.golden.expectations == 1 + len(every)
    measured = [one for record in evidence.records for one in record.measurements]
    (labels,) = (one for one in measured if one.metric == "label-accuracy" and not one.slice)
    assert labels.n == 1 + len(every)
