"""Versions that were really gated, for tests that promote them; and databases of both kinds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from gates.evidence.bundle import read_evidence
from gates.evidence.evidence import evidence_digest
from gates.registry.mlflow import MlflowRegistry
from gates.run.source import CI_SIGNS
from gates.service.context import Service
from gates.service.kept_files import job_folder
from gates.service.store.values import Job
from tests.conftest import PRISTINE, VERSIONS, Shelf
from tests.report.in_browser import ARGUMENTS, CHROMIUM
from tests.service.postgres import new_database, running_cluster
from tests.service.site import done
from tests.toys import MODEL

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.requires_postgres))
"""The kinds of database a service may have."""


@dataclass(frozen=True)
class Gated:
    """The toy project, a store of its own in which `weak` is the champion, and what gates left."""

    shelf: Shelf
    store: Path
    runs: Path

    def registry(self) -> MlflowRegistry:
        """The registry, opened."""
        return MlflowRegistry(f"sqlite:///{self.store}", self.shelf.cache)

    def job(self, service: Service, name: str) -> Job:
        """The job that would have led to the gate of a toy version."""
        folder = self.runs / name
        evidence = folder / "evidence.json"
        digest = evidence_digest(evidence.read_bytes())
        recorded = (one for one in self.registry().events(MODEL) if one.evidence_digest == digest)
        job = done(
            service,
            str(list(VERSIONS).index(name) + 1),
            str(read_evidence(evidence).verdict.outcome),
            evidence_digest=digest,
            mlflow_run=next(recorded).run_id,
        )
        shutil.copytree(folder, job_folder(service, job.id))
        return job


@pytest.fixture(scope="session")
def gated_once(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Gated:
    """`good` and `shuffled` gated by `gates run`; for reading only."""
    folder = tmp_path_factory.mktemp("gated")
    store = folder / "mlflow.db"
    shutil.copyfile(shelf.project / ".gates" / PRISTINE, store)
    by_hand = {key: text for key, text in os.environ.items() if key not in CI_SIGNS}
    for name in ("good", "shuffled"):
        command = [sys.executable, "-m", "gates", "run", shelf.uri(name)]
        where = ["--project", str(shelf.project), "--cache", str(shelf.cache)]
        where += ["--tracking-uri", f"sqlite:///{store}", "--output", str(folder / name)]
        subprocess.run([*command, *where], capture_output=True, check=False, env=by_hand)
        left = next((folder / name).rglob("evidence.json")).parent
        left.rename(folder / f"{name}.run")
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / f"{name}.run").rename(folder / name)
    return Gated(shelf, store, folder)


@pytest.fixture
def gated(gated_once: Gated, tmp_path: Path) -> Gated:
    """The same, with a store whose aliases may be moved."""
    store = tmp_path / "mlflow.db"
    shutil.copyfile(gated_once.store, store)
    return Gated(gated_once.shelf, store, gated_once.runs)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one file of tests."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield running
        running.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The URL of a real PostgreSQL server."""
    with running_cluster() as url:
        yield url


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'service.db'}"
    return new_database(request.getfixturevalue("cluster"))
