"""Real projects, built once a run from the data beside the repository, through real commands."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gates.system.file_locks import take_exclusive
from tests.conftest import Answer
from tests.real import chorus, wands

DATA = chorus.REPOSITORY.parent / "shared" / "data"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, by name, what reads real data where there is none."""
    if item.get_closest_marker("requires_real_data") and not DATA.is_dir():
        pytest.skip(f"{item.name} reads ../shared/data, which is absent")


@dataclass(frozen=True)
class Desk:
    """A project with a store of packaged versions; version 1 is the champion.

    Tests may gate on it; who promotes, or changes the card, takes a `copy`.
    """

    project: Path
    store: Path
    cache: Path
    model: str
    versions: tuple[str, ...]

    def uri(self, version: str) -> str:
        """The model URI of a version by its name."""
        return f"models:/{self.model}/{self.versions.index(version) + 1}"

    def options(self) -> list[str]:
        """The options every command needs."""
        store = f"sqlite:///{self.store}"
        return [
            "--project",
            str(self.project),
            "--tracking-uri",
            store,
            "--cache",
            str(self.cache),
        ]

    def copy(self, folder: Path) -> Desk:
        """A project and a store of one's own; artifacts, which never change, are shared."""
        ignored = shutil.ignore_patterns(".gates")
        project = shutil.copytree(self.project, folder / "shop", ignore=ignored)
        store = shutil.copyfile(self.store, folder / "mlflow.db")
        return Desk(project, store, self.cache, self.model, self.versions)

    def call(self, *arguments: str) -> Answer:
        """Run a command that must succeed or, as `gates run`, give a verdict."""
        out, err = io.StringIO(), io.StringIO()
        code: object = 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["gates", *arguments, *self.options()])
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                from gates.cli import main

                try:
                    main.run()
                except SystemExit as end:
                    code = end.code
        answer = Answer(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())
        assert answer.code in {0, 3}, answer.out + answer.err
        return answer


def _once(
    tmp_path_factory: pytest.TempPathFactory,
    desk: Callable[[Path], Desk],
    build: Callable[[Desk], None],
) -> Desk:
    """A desk built by the first process of a run that asks for it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = desk(shared / "real")
    done = made.project.with_suffix(".done")
    with take_exclusive(made.project.with_suffix(".lock"), patience=280):
        if not done.exists():
            build(made)
            done.touch()
    return made


def _champion(desk: Desk) -> None:
    """Gate version 1, which nothing can be compared with, and let it be the first champion."""
    uri = desk.uri(desk.versions[0])
    assert desk.call("run", uri).code == 3
    desk.call("promote", uri, "--first", "--why", "the first version")


@pytest.fixture(scope="session")
def chorus_desk(tmp_path_factory: pytest.TempPathFactory, gates_cache: Path) -> Desk:
    """The rankers `few` (champion), `more` and `shuffled`."""

    def desk(folder: Path) -> Desk:
        project = folder / "chorus"
        store = project / ".gates" / "mlflow.db"
        return Desk(project, store, gates_cache, chorus.MODEL, tuple(chorus.VERSIONS))

    def build(made: Desk) -> None:
        made.project.mkdir()
        chorus.lay_out(made.project, DATA)
        for name in chorus.VERSIONS:
            chorus.set_version(made.project, name)
            made.call("package", chorus.MODEL)
        _champion(made)

    return _once(tmp_path_factory, desk, build)


@pytest.fixture(scope="session")
def wands_desk(tmp_path_factory: pytest.TempPathFactory, gates_cache: Path) -> Desk:
    """The classifiers `words` (champion, whose scores the golden set records) and `letters`."""

    def desk(folder: Path) -> Desk:
        project = folder / "wands"
        store = project / ".gates" / "mlflow.db"
        return Desk(project, store, gates_cache, wands.MODEL, tuple(wands.VERSIONS))

    def build(made: Desk) -> None:
        made.project.mkdir()
        wands.lay_out(made.project, DATA)
        wands.set_version(made.project, "words")
        made.call("package", wands.MODEL)
        _record_first(made)
        wands.set_version(made.project, "letters")
        made.call("package", wands.MODEL)
        _champion(made)

    return _once(tmp_path_factory, desk, build)


def _record_first(desk: Desk) -> None:
    from gates.environments.cache import EnvironmentCache
    from gates.golden import read_golden
    from gates.registry.mlflow import MlflowRegistry
    from tests.arms import open_arm

    registry = MlflowRegistry(f"sqlite:///{desk.store}", desk.cache)
    version = registry.resolve(desk.uri("words"))
    arm = open_arm(
        registry.path(version),
        EnvironmentCache(desk.cache),
        desk.project,
        version=version,
        role="champion",
    )
    try:
        golden = read_golden(desk.project / "golden" / desk.model)
        labels, scores = arm.labels(golden.inputs())
    finally:
        arm.close()
    wands.record(desk.project, labels, scores.tolist())
