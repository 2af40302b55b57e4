"""In one run a card is read once, a version resolved once, and no tree is hashed twice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import PRISTINE, CommandLine, Shelf
from tests.toys import MODEL, copy_project, store_of

NOTING = """\
import os

from gates.card import card
from gates.registry import _snapshots, mlflow


def noted(kind, original, subject):
    def call(*arguments, **named):
        with open(os.environ["NOTED_CALLS"], "a") as out:
            out.write(f"{os.getpid()} {kind} {subject(arguments)}\\n")
        return original(*arguments, **named)

    return call


def everywhere():
    card.read_card = noted("card", card.read_card, lambda given: given[0])
    digest = noted("tree", _snapshots.tree_digest, lambda given: given[0])
    _snapshots.tree_digest = mlflow.tree_digest = digest
    digested = mlflow.MlflowRegistry._digested
    mlflow.MlflowRegistry._digested = noted("version", digested, lambda given: given[1].version)
"""


class Calls:
    """What was called, in whatever process."""

    def __init__(self, file: Path) -> None:
        lines = [line.split(" ", 2) for line in file.read_text().splitlines()]
        self.all = [(int(process), kind, subject) for process, kind, subject in lines]

    def of(self, kind: str) -> Counter[str]:
        """How often each subject was given to one kind of call."""
        return Counter(subject for _, one, subject in self.all if one == kind)


class Shop:
    """A toy project of its own, and commands that note what they call from the first line on."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self.shelf = shelf
        self.project = copy_project(shelf.project, folder / "shop")
        store = self.project / ".gates" / "mlflow.db"
        store.parent.mkdir(exist_ok=True)
        shutil.copyfile(shelf.project / ".gates" / PRISTINE, store)
        self.options = ["--project", str(self.project), "--tracking-uri", store_of(self.project)]
        self.options += ["--cache", str(shelf.cache)]
        (folder / "noting.py").write_text(NOTING)
        self._file = folder / "calls"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            "PYTHONPATH": os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", ""))),
            "NOTED_CALLS": str(self._file),
        }

    def run(self, *arguments: str) -> tuple[dict[str, object], Calls]:
        """`gates run` of a better version."""
        command = ["run", self.shelf.uri("good"), *self.options]
        return self._called([*command, "--json", *arguments])

    def promote(self) -> tuple[dict[str, object], Calls]:
        """`gates promote` of it."""
        command = ["promote", self.shelf.uri("good"), *self.options]
        return self._called([*command, "--why", "better", "--json"])

    def _called(self, arguments: list[str]) -> tuple[dict[str, object], Calls]:
        self._file.write_text("")
        code = "import noting\nnoting.everywhere()\nfrom gates.cli.main import run\nrun()"
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, object] = json.loads(done.stdout)
        return answer, Calls(self._file)


@pytest.fixture
def shop(shelf: Shelf, tmp_path: Path) -> Shop:
    return Shop(shelf, tmp_path)


GATED, CHAMPION = "2", "1"
"""The toy version `good` and the champion, `weak`."""


def _each_once(calls: Calls) -> None:
    """Both versions, each as the store has it and as it is run from: four trees."""
    assert calls.of("version") == {GATED: 1, CHAMPION: 1}
    trees = calls.of("tree")
    assert set(trees.values()) == {1}, trees
    assert len(trees) == 4, trees


def test_a_run_reads_its_card_and_resolves_its_versions_once(shop: Shop) -> None:
    answer, calls = shop.run()
    assert answer["verdict"] == "PASS"
    assert calls.of("card") == {str(shop.project / "model_cards" / f"{MODEL}.md"): 1}
    _each_once(calls)


def test_workers_of_xdist_do_nothing_of_it_again(shop: Shop) -> None:
    answer, calls = shop.run("--", "-n", "2")
    assert answer["verdict"] == "PASS"
    _each_once(calls)
    assert len({process for process, _, _ in calls.all}) == 1
    assert calls.of("card") == {str(shop.project / "model_cards" / f"{MODEL}.md"): 1}


def test_a_promotion_verifies_again_exactly_once(shop: Shop, gates: CommandLine) -> None:
    shop.run()
    answer, calls = shop.promote()
    assert answer["promoted"] == shop.shelf.uri("good")
    assert calls.of("card") == {str(shop.project / "model_cards" / f"{MODEL}.md"): 1}
    _each_once(calls)
    shown = json.loads(gates("history", MODEL, shop.options, "--json").out)
    assert shown[0]["kind"] == "promote"
