"""A world to spoil (a copy of the shelf with its store), and a way to see that nothing moved."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PRISTINE, Answer, CommandLine, Shelf
from tests.toys import MODEL

GATE_VARIABLES = ("MLFLOW_", "GATES_", "PYTEST_")


@dataclass(frozen=True)
class World(Shelf):
    """A project and a store of a test's own. `weak` (version 1) is the champion."""

    runs: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def card(self) -> Path:
        """The toy's card."""
        return self.project / "model_cards" / f"{MODEL}.md"

    @property
    def golden(self) -> Path:
        """The toy's golden set."""
        return self.project / "golden" / MODEL

    @property
    def model(self) -> Path:
        """The toy's model folder."""
        return self.project / "models" / MODEL

    @property
    def output(self) -> Path:
        """Where runs get their folders."""
        return self.project / ".gates" / "runs"

    def artifact(self, version: str) -> Path:
        """The files of a version in the store, where a vandal would find them."""
        with sqlite3.connect(self._database) as store:
            row = store.execute(
                "SELECT source FROM model_versions WHERE name = ? AND version = ?",
                (MODEL, self.uri(version).rpartition("/")[2]),
            ).fetchone()
        return Path(str(row[0]).removeprefix("file://"))

    def champion(self) -> str:
        """The version in production, straight from the store."""
        with sqlite3.connect(self._database) as store:
            statement = "SELECT version FROM registered_model_aliases WHERE alias = 'champion'"
            return str(store.execute(statement).fetchone()[0])

    def evidence(self, run: str) -> Path:
        """The evidence of one of the runs, in this world's copy of its folder."""
        folder = Path(json.loads(self.runs[run].out)["evidence"]).parent.name
        return self.output / folder / "evidence.json"

    def edit(self, statement: str, *values: str) -> None:
        """Change the store behind the gate's back."""
        with sqlite3.connect(self._database) as store:
            store.execute(statement, values)

    def state(self) -> dict[str, Any]:
        """Aliases, versions and promotions in the store, and every file of the project."""
        with sqlite3.connect(self._database) as store:
            found: dict[str, Any] = {
                table: sorted(store.execute(f"SELECT * FROM {table}"))  # noqa: S608 - ours
                for table in ("registered_model_aliases", "model_versions", "model_version_tags")
            }
        found["files"] = {
            path.relative_to(self.project): path.stat().st_size
            for path in self.project.rglob("*")
            if path.is_file()
            and not path.name.startswith("mlflow.db")
            and not {".pytest_cache", "__pycache__"} & set(path.parts)
        }
        return found

    @property
    def _database(self) -> Path:
        return self.project / ".gates" / "mlflow.db"


def copy_world(source: Shelf, target: Path) -> World:
    """A project with its store; artifact addresses are absolute, so they are rewritten."""
    shutil.copytree(source.project, target)
    database = target / ".gates" / "mlflow.db"
    if not isinstance(source, World):
        shutil.copyfile(database.with_name(PRISTINE), database)
    with sqlite3.connect(database) as store:
        for table, column in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("model_versions", "source"),
            ("model_versions", "storage_location"),
        ):
            store.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)",  # noqa: S608 - ours
                (str(source.project), str(target)),
            )
    runs = source.runs if isinstance(source, World) else {}
    return World(target, f"sqlite:///{database}", source.cache, runs)


def start(*arguments: str | Sequence[str], **variables: str) -> subprocess.Popen[str]:
    """`gates` as a process of its own."""
    flat: list[str] = []
    for one in arguments:
        flat += [one] if isinstance(one, str) else list(one)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(GATE_VARIABLES)}
    return subprocess.Popen(
        [sys.executable, "-m", "gates", *flat],
        env={**kept, "COLUMNS": "200", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Answer:
    """What a started command gave."""
    out, err = process.communicate(timeout=120)
    return Answer(process.returncode, out, err)


@pytest.fixture(scope="module", autouse=True)
def _light_collections(shelf: Shelf) -> None:
    """Spare each pytest run inside a test from walking all objects of the one outside."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def world(shelf: Shelf, tmp_path: Path) -> World:
    """A world in which nothing has been gated yet."""
    return copy_world(shelf, tmp_path / "world")


@pytest.fixture(scope="session")
def gated_once(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> World:
    """`good` gated twice at once, and `shuffled` beside them, in processes of their own."""
    made = copy_world(shelf, tmp_path_factory.mktemp("gated") / "world")
    started = {
        "first": start("run", made.uri("good"), made.options(), "--json"),
        "second": start("run", made.uri("good"), made.options(), "--json"),
        "shuffled": start("run", made.uri("shuffled"), made.options(), "--json"),
    }
    runs = {name: finish(process) for name, process in started.items()}
    return World(made.project, made.tracking_uri, made.cache, runs)


@pytest.fixture
def gated(gated_once: World, tmp_path: Path) -> World:
    """A world in which `good` has PASS evidence and `shuffled` has FAIL evidence."""
    return copy_world(gated_once, tmp_path / "world")


class Refusals:
    """Runs commands that must be refused, and looks at how."""

    def __init__(self, gates: CommandLine) -> None:
        self._gates = gates

    def __call__(
        self, world: World, *arguments: str | Sequence[str], code: int = 2, says: Sequence[str]
    ) -> dict[str, Any]:
        """Run with `--json`; give the error after all that holds for every refusal was seen.

        Args:
            world: Where; its store, project and aliases must stay as they are.
            arguments: The command.
            code: The exit code it must end with.
            says: Words that must be in what a person reads.
        """
        before = world.state()
        answer = self._gates(*arguments, "--json")
        report = f"{arguments}\n{answer.out}\n{answer.err}"
        print(answer.err)  # with -rP: the messages as people see them
        assert answer.code == code, report
        error: dict[str, Any] = json.loads(answer.out)["error"]
        assert error["message"], report
        assert "Traceback" not in answer.err + answer.out, report
        assert answer.err.startswith("error: "), report
        for words in says:
            assert words in answer.err, f"{words!r} is not in:\n{answer.err}"
        after = world.state()
        assert {key for key in before if before[key] != after[key]} == set(), "something moved"
        return error


@pytest.fixture
def refused(gates: CommandLine) -> Callable[..., dict[str, Any]]:
    """A command that must be refused, with nothing half-written."""
    return Refusals(gates)
