"""What environments and cages cost: found, built, closed, and scored through.

The peer of the cage is the same worker without it, in turn, on the same model and rows.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import in_turn, machine
from gates.domain.judging import EnvironmentFacts, Layer
from gates.environments._child import Child
from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.frames import encode_message
from gates.environments.launching import WORKER, Launchable, Limits, scrubbed_environment
from gates.environments.mlmodel import read_mlmodel
from gates.environments.process import Worker
from gates.environments.scripts import run_script
from gates.locks.lock import read_installable

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "models" / "product-ranker"
ROWS = 100_000
STARTS = 7


class _Uncaged(Child):
    """A worker of which nothing was shut off."""

    @property
    def layers(self) -> Mapping[Layer, str]:
        """One layer, off: a worker that takes itself to be contained tells of none."""
        return {"network": "the peer of a benchmark has no cage"}


@dataclass(frozen=True)
class _Bare:
    """An environment whose workers have no cage: the peer."""

    inner: Environment

    @property
    def path(self) -> Path:
        """As the environment's."""
        return self.inner.path

    @property
    def facts(self) -> EnvironmentFacts:
        """As the environment's."""
        return self.inner.facts

    def launch(self, model_dir: Path, limits: Limits, hello: Mapping[str, Any]) -> Child:
        """Start a worker that takes itself to be contained already."""
        del limits
        scratch = Path(tempfile.mkdtemp())
        python = self.inner.python
        places = {"model_dir": str(model_dir), "python": str(python)}
        return _Uncaged(
            [str(python.resolve()), "-I", "-S", "-B", "-u", str(WORKER), str(scratch)],
            env=scrubbed_environment(str(scratch)),
            cwd=scratch,
            first=encode_message({**hello, **places, "contained": True, "require": ()}),
        )


def main() -> None:
    """Print what finding, building, starting and scoring take, with the cage and without it."""
    lock = read_installable(MODEL / "requirements.txt")
    with tempfile.TemporaryDirectory() as scratch:
        built = []
        for number in range(3):
            started = time.perf_counter()
            cache = EnvironmentCache(Path(scratch) / f"cache{number}")
            environment = cache.ensure(lock)
            built.append(time.perf_counter() - started)
        files = sum(1 for one in environment.path.rglob("*") if one.is_file())
        model = Path(scratch) / "model"
        model.mkdir()
        run_script(environment, MODEL / "build.py", [str(model)], MODEL, {}, 600)
        kinds: dict[str, Launchable] = {"caged": environment, "without a cage": _Bare(environment)}
        found = in_turn({"found": lambda: cache.ensure(lock)})["found"]
        starts = {name: partial(_start_and_end, kind, model) for name, kind in kinds.items()}
        started_in = in_turn(starts, rounds=STARTS)
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(_ready(kind, model)) for name, kind in kinds.items()
            }
            frame = _rows(model)
            asks = {name: partial(worker.predict, frame) for name, worker in workers.items()}
            scored = in_turn(asks, rounds=STARTS)
    print(f"\n### Environments and cages ({machine()})\n")
    print("| what | seconds |\n| --- | --- |")
    print(f"| the demo ranker's environment, found ({files:,} files compared) | {found:.3f} |")
    print(f"| … built, packages in uv's cache (median of 3) | {sorted(built)[1]:.1f} |")
    print("\n| | caged | without a cage | ratio |\n| --- | --- | --- | --- |")
    for what, took in (("worker started and ended", started_in), (f"{ROWS:,} rows", scored)):
        caged, bare = took["caged"], took["without a cage"]
        print(f"| {what} | {caged:.3f} s | {bare:.3f} s | {caged / bare:.2f} |")


def _start_and_end(environment: Launchable, model: Path) -> None:
    with _ready(environment, model):
        pass


@contextmanager
def _ready(environment: Launchable, model: Path) -> Iterator[Worker]:
    with Worker.start(environment, model, Limits(), "candidate") as worker:
        worker.ready()
        yield worker


def _rows(model: Path) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {name: rng.random(ROWS) for name in read_mlmodel(model).input_columns or ()}
