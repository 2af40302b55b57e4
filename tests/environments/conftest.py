"""Environments that the tests of this folder share, kept between runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.environments.scripts import run_script
from gates.locks.lock import read_installable

from .toy_models import write_model

StartWorker = Callable[..., Worker]


@dataclass(frozen=True)
class Forest:
    """Real models, trained once, with the raw scores their libraries give on `columns`.

    `files` holds model files, and `gains` what their libraries say of each: gains and splits.
    """

    folder: Path
    columns: dict[str, Any]
    words: list[str]
    shelf: list[str]
    raw: dict[str, list[float]]
    gains: dict[str, list[list[float]]]


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest) -> EnvironmentCache:
    assert request.config.cache is not None
    return EnvironmentCache(Path(request.config.cache.mkdir("gates-environments")))


@pytest.fixture(scope="session")
def bare(cache: EnvironmentCache, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with nothing in it."""
    lock = tmp_path_factory.mktemp("bare") / "requirements.txt"
    lock.write_text("# nothing\n", encoding="utf-8")
    return cache.ensure(read_installable(lock))


@pytest.fixture(scope="session")
def data(cache: EnvironmentCache) -> Environment:
    """An environment with NumPy, pandas, pyarrow and MLflow's skinny half."""
    return cache.ensure(read_installable(Path(__file__).with_name("data-requirements.txt")))


@pytest.fixture(scope="session")
def trees(cache: EnvironmentCache) -> Environment:
    """An environment with LightGBM, XGBoost (the wheel without GPU code), MLflow and pandas."""
    return cache.ensure(read_installable(Path(__file__).with_name("tree-requirements.txt")))


@pytest.fixture(scope="session")
def forest(trees: Environment, tmp_path_factory: pytest.TempPathFactory) -> Forest:
    folder = tmp_path_factory.mktemp("forest")
    script = Path(__file__).with_name("tree_models.py")
    environment = {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    run_script(trees, script, [str(folder)], folder, environment, timeout=200)
    return Forest(folder, **json.loads((folder / "told.json").read_text("utf-8")))


@pytest.fixture
def start(bare: Environment, tmp_path: Path) -> Iterator[StartWorker]:
    """Start a worker on a toy model in the bare environment; closed when the test ends."""
    workers: list[Worker] = []

    def start_worker(
        predict: str = "return x['a']",
        *,
        load: str = "",
        explain: str = "",
        limits: Limits | None = None,
        environment: Environment = bare,
    ) -> Worker:
        model = write_model(tmp_path / f"model{len(workers)}", predict, load=load, explain=explain)
        worker = Worker.start(environment, model, limits or Limits(), "candidate")
        workers.append(worker)
        return worker

    yield start_worker
    for worker in workers:
        worker.close()
