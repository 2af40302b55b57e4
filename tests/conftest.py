"""Shared by the whole suite: one cache of environments, one shelf of toy versions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.servers import MlflowServer
from tests.toys import (
    MODEL,
    make_project,
    package_toy,
    put_in_production,
    set_params,
    store_of,
)

# How long an example takes says something of the machine, not of the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

PRISTINE = "pristine.db"
VERSIONS: dict[str, dict[str, Any]] = {
    "weak": {"weights": {"good": 0.3, "noise": 1.0}},
    "good": {"weights": {"good": 1.0, "noise": 0.0}},
    "shuffled": {"weights": {"good": 1.0}, "trick": "shuffled"},
    "nan": {"weights": {"good": 1.0}, "trick": "nan"},
    "dies": {"weights": {"good": 1.0}, "trick": "dies"},
    "hangs": {"weights": {"good": 1.0}, "trick": "hangs"},
    "short": {"weights": {"good": 1.0}, "trick": "short"},
    "raises": {"weights": {"good": 1.0}, "trick": "raises"},
    "noise": {"weights": {"good": 1.1}, "trick": "noise"},
    "wants-more": {"weights": {"good": 1.2}, "inputs": ["good", "noise", "price"]},
    "dies-explaining": {"weights": {"good": 0.3, "noise": 1.0}, "trick": "dies-explaining"},
    "dies-on-missing": {"weights": {"good": 1.0}, "trick": "dies-on-missing"},
}
"""Toy versions, in the order in which they are registered: `weak` is version 1, and so on."""


_LONG = (
    "test_demo",
    "tests/real/",
    "tests/transformer/",
    "test_pytest_plugin",
    "tests/bad_input/",
    "tests/registry/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: each goes whole to one process, and the short ones fill the gaps."""

    def place(item: pytest.Item) -> int:
        found = [at for at, part in enumerate(_LONG) if part in item.nodeid]
        return found[0] if found else len(_LONG)

    items.sort(key=place)


@dataclass(frozen=True)
class Shelf:
    """A toy project with a store of packaged versions; `weak` is the champion.

    Tests may gate and read; who moves aliases or breaks files takes a `copy`.
    """

    project: Path
    tracking_uri: str
    cache: Path

    def uri(self, version: str) -> str:
        """The model URI of a toy version."""
        return f"models:/{MODEL}/{list(VERSIONS).index(version) + 1}"

    def options(self, project: Path | None = None) -> list[str]:
        """The options every command needs."""
        return [
            "--project",
            str(project or self.project),
            "--tracking-uri",
            self.tracking_uri,
            "--cache",
            str(self.cache),
        ]


@pytest.fixture(scope="session")
def gates_cache(request: pytest.FixtureRequest) -> Path:
    """Environments, kept between runs and shared by all xdist workers."""
    kept = os.environ.get("GATES_TEST_CACHE")
    if kept:
        return Path(kept)
    assert request.config.cache is not None
    return Path(request.config.cache.mkdir("mlgates"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server, shared: tests use their own names."""
    with MlflowServer(tmp_path_factory.mktemp("server")) as running:
        yield running.uri


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, gates_cache: Path) -> Shelf:
    """A toy project whose versions are packaged through the real adapters."""
    project = make_project(tmp_path_factory.mktemp("shelf") / "shop")
    for params in VERSIONS.values():
        set_params(project, **params)
        package_toy(project, gates_cache, MODEL)
    put_in_production(project, gates_cache, MODEL)
    # Later gates leave their runs in the store; who needs it as it is now starts from this copy.
    store = project / ".gates" / "mlflow.db"
    shutil.copyfile(store, store.with_name(PRISTINE))
    return Shelf(project, store_of(project), gates_cache)


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str


class CommandLine:
    """Runs `gates` in this process, as the installed command does."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str | Sequence[str]) -> Answer:
        """Run with arguments (lists are spliced in)."""
        from gates.cli import main

        flat: list[str] = []
        for one in arguments:
            flat += [one] if isinstance(one, str) else list(one)
        self._monkeypatch.setattr("sys.argv", ["gates", *flat])
        self._capsys.readouterr()
        code = 0
        try:
            main.run()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        captured = self._capsys.readouterr()
        return Answer(code, captured.out, captured.err)


@pytest.fixture
def gates(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line."""
    monkeypatch.setenv("COLUMNS", "200")
    return CommandLine(capsys, monkeypatch)
