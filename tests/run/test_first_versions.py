"""A first version, run and promoted: only what needs a champion is excused."""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from gates.domain.judging import Cause
from gates.evidence.bundle import read_evidence
from tests.conftest import PRISTINE, Answer, CommandLine, Shelf
from tests.toys import MODEL, copy_project, store_of


@dataclass(frozen=True)
class FirstVersion:
    """A project of a test's own in which nothing is in production."""

    project: Path
    options: list[str]
    gates: CommandLine
    uri: str

    def run_with(self, own_test: str) -> dict[str, Cause]:
        """Run the gate with one more own test; each bound's cause."""
        # A name of its own: in one process pytest imports a test file's name only once.
        (self.project / "golden" / MODEL / f"test_{uuid.uuid4().hex}.py").write_text(own_test)
        answer = self.gates("run", self.uri, self.options, "--json")
        assert answer.code == 3, answer.err
        judgements = read_evidence(Path(json.loads(answer.out)["evidence"])).judgements
        return {one.bound.id.rpartition("::")[2]: one.cause for one in judgements}

    def promote(self) -> Answer:
        return self.gates("promote", self.uri, "--first", "--why", "the first", self.options)


@pytest.fixture
def first(shelf: Shelf, gates: CommandLine, tmp_path: Path) -> FirstVersion:
    project = copy_project(shelf.project, tmp_path / "shop")
    store = project / ".gates" / "mlflow.db"
    store.parent.mkdir()
    shutil.copyfile(shelf.project / ".gates" / PRISTINE, store)
    with sqlite3.connect(store) as connection:
        connection.execute("DELETE FROM registered_model_aliases")
    options = ["--project", str(project), "--tracking-uri", store_of(project)]
    return FirstVersion(project, [*options, "--cache", str(shelf.cache)], gates, shelf.uri("good"))


@pytest.mark.parametrize(
    "own_test",
    [
        "def test_it(candidate, champion):\n    assert champion.role == 'champion'\n",
        "def test_it(subject):\n    subject.transplanted('candidate')\n",
    ],
    ids=["asks for the fixture", "asks the subject"],
)
def test_an_own_test_that_needs_the_champion_does_not_keep_a_first_version_back(
    first: FirstVersion, own_test: str
) -> None:
    causes = first.run_with(own_test)
    assert causes["test_it"] is Cause.NO_CHAMPION
    assert causes["ndcg@10.delta"] is Cause.NO_CHAMPION
    promoted = first.promote()
    assert promoted.code == 0, promoted.err


@pytest.mark.parametrize(
    "body",
    [
        "    pytest.skip('no champion: there is nothing to compare with')\n",
        "    pytest.xfail('no champion')\n",
    ],
    ids=["skips itself", "fails as expected"],
)
def test_an_own_test_that_is_skipped_for_anything_else_does_whatever_its_skip_says(
    first: FirstVersion, body: str
) -> None:
    assert first.run_with(f"import pytest\ndef test_it():\n{body}")["test_it"] is Cause.SKIPPED
    refused = first.promote()
    assert refused.code == 1
    assert "test_it is UNDECIDED: skipped:" in refused.err
