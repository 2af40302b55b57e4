"""A toy project: a card, a golden set and a model that is plain Python, quick to package and gate.

The model scores `sum(weight * feature)`; `params.json` says which weights, and how to misbehave.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

MODEL = "toy-ranker"
SIX = """\
six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274 \\
    --hash=sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81
"""

OLDER_SIX = """\
six==1.16.0 \\
    --hash=sha256:1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926 \\
    --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254
"""

CARD = """\
---
model: toy-ranker
task: ranking
owners: [search@example.com]
environment: {start_seconds: 20, predict_seconds: 5, memory_mb: 1024}
checks:
  lockfile: {}
  behaviour:
    bounds:
      must-be-first: {min: 1.0}
  ranking-diff:
    options: {severe: 0.3}
    bounds:
      ndcg@10.delta:
        min: -0.02
        slices:
          category: {min: -0.1}
      severe-losses: {max: 0.4}
      rbo: {min: 0.99, advisory: true}
---
A toy.
"""

BUILD = """\
import json
import pathlib
import shutil
import sys

here = pathlib.Path(__file__).parent
output = pathlib.Path(sys.argv[1])
params = json.loads((here / "params.json").read_text())
if params.get("build") == "fails":
    raise SystemExit("the training data is gone")
if params.get("build") == "nothing":
    raise SystemExit(0)
output.mkdir(exist_ok=True)
(output / "code").mkdir()
shutil.copyfile(here / "toy_model.py", output / "code" / "toy_model.py")
(output / "data.json").write_text(json.dumps(params))
signature = json.dumps([{"type": "double", "name": name} for name in params["inputs"]])
(output / "MLmodel").write_text(
    "flavors:\\n  python_function:\\n    loader_module: toy_model\\n    code: code\\n"
    "    data: data.json\\n"
    f"    python_version: {sys.version.split()[0]}\\n"
    f"signature:\\n  inputs: {json.dumps(signature)}\\n"
)
"""

SOURCE = """\
import json
import math
import os
import time


class Toy:
    def __init__(self, params):
        self.params = params

    def predict(self, frame):
        rows = len(next(iter(frame.values())))
        weights = self.params["weights"]
        scores = [
            sum(weights.get(name, 0.0) * frame[name][row] for name in frame) for row in range(rows)
        ]
        trick = self.params.get("trick")
        if trick == "nan":
            scores[3] = math.nan
        elif trick == "dies":
            os._exit(9)
        elif trick == "hangs":
            time.sleep(600)
        elif trick == "short":
            scores = scores[:-1]
        elif trick == "raises":
            raise RuntimeError("no such feature store")
        elif trick == "noise":
            print("noise " * 1000)
        elif trick == "reads-six":
            import six

            scores[7] = 20.0 if six.__version__ < "1.17" else -20.0
        elif trick == "dies-on-missing":
            if any(value != value for value in frame["noise"]):
                os._exit(9)
            scores = [0.0 if score != score else score for score in scores]
        elif trick == "shuffled":
            scores = [math.sin(1e4 * (row + 1)) for row in range(rows)]
        return scores

    def contributions(self, frame):
        if self.params.get("trick") == "dies-explaining":
            os._exit(9)
        weights = self.params["weights"]
        return {name: [weights[name] * value for value in frame[name]] for name in weights}


def _load_pyfunc(path):
    with open(path) as stream:
        return Toy(json.load(stream))
"""


def make_project(folder: Path) -> Path:
    """Lay the toy project out in a new folder."""
    lay_out(folder, MODEL, card=CARD, source=SOURCE)
    set_params(folder, weights={"good": 1.0, "noise": 0.0})
    write_golden(folder / "golden" / MODEL)
    return folder


def lay_out(
    folder: Path,
    name: str,
    *,
    card: str,
    source: str,
    golden: Mapping[str, str] | None = None,
    build: str = BUILD,
) -> None:
    """Lay out a project of one toy model; its `params.json` is still to be written.

    Args:
        folder: The project's; it must be new.
        name: The model's.
        card: The text of its card.
        source: The code of the model, with a `_load_pyfunc`.
        golden: Files of the golden set, name → text.
        build: The code that builds it.
    """
    model, golden_set = folder / "models" / name, folder / "golden" / name
    for one in (model, golden_set, folder / "model_cards"):
        one.mkdir(parents=True)
    (folder / "model_cards" / f"{name}.md").write_text(card)
    (model / "build.py").write_text(build)
    (model / "toy_model.py").write_text(source)
    (model / "requirements.in").write_text("six\n")
    (model / "requirements.txt").write_text(SIX)
    (model / "package.yaml").write_text("training_window: {start: 2026-06-01, end: 2026-08-31}\n")
    for file, text in (golden or {}).items():
        (golden_set / file).write_text(text)


def store_of(project: Path) -> str:
    """The tracking URI of a project's own store."""
    return f"sqlite:///{project / '.gates' / 'mlflow.db'}"


def package_toy(project: Path, cache: Path, name: str) -> str:
    """Package a model as its `params.json` has it now; the new version's number."""
    from gates.environments.cache import EnvironmentCache
    from gates.golden import golden_digest
    from gates.packaging import package
    from gates.registry.mlflow import MlflowRegistry

    done = package(
        name,
        models=project / "models",
        registry=MlflowRegistry(store_of(project), cache),
        environments=EnvironmentCache(cache),
        golden_digest=golden_digest(project / "golden" / name),
        by="tests",
        progress=lambda _: None,
    )
    return done.version


def put_in_production(project: Path, cache: Path, name: str, version: str = "1") -> None:
    """Make a version the champion of its model."""
    from gates.registry.mlflow import MlflowRegistry

    MlflowRegistry(store_of(project), cache).set_alias(name, "champion", version, None)


def set_params(folder: Path, **params: Any) -> None:
    """Say what the next packaged version is like."""
    params.setdefault("inputs", ["good", "noise"])
    (folder / "models" / MODEL / "params.json").write_text(json.dumps(params, sort_keys=True))


def write_golden(folder: Path, *, queries: int = 60, documents: int = 12) -> None:
    """A golden set in which `good` follows the grades and `noise` does not."""
    rng = np.random.default_rng(7)
    write_manifest(folder)
    query_rows: list[list[object]] = []
    candidate_rows: list[list[object]] = []
    judgment_rows: list[list[object]] = []
    for q in range(queries):
        query_rows.append([f"q{q:03}", f"query {q}", "lamps" if q % 2 else "chairs"])
        grades = rng.integers(0, 4, documents)
        grades[0] = 3
        for d in range(documents):
            good = grades[d] + rng.normal(0, 0.7) + (10 if q == 0 and d == 0 else 0)
            row = [f"q{q:03}", f"d{d:02}", f"Product {d}", f"{good:.4f}", f"{rng.normal():.4f}"]
            candidate_rows.append([*row])
            judgment_rows.append([f"q{q:03}", f"d{d:02}", int(grades[d])])
    _csv(folder / "queries.csv", ["query_id", "query", "category"], query_rows)
    columns = ["query_id", "doc_id", "title", "good", "noise"]
    _csv(folder / "candidates.csv", columns, candidate_rows)
    _csv(folder / "judgments.csv", ["query_id", "doc_id", "grade"], judgment_rows)
    expected: list[list[object]] = [["q000", "must-be-first", "d00", 1]]
    _csv(folder / "expectations.csv", ["query_id", "expect", "target", "k"], expected)


def write_manifest(folder: Path) -> None:
    """Where the toy golden set comes from."""
    (folder / "manifest.yaml").write_text(
        "name: toy\ntask: ranking\ndescription: made for tests\nsynthetic: true\n"
        "source: tests\nsampling: every query\ngrades: {max: 3}\n"
        "inputs: [good, noise]\nslices: [category]\n"
    )


def _csv(path: Path, columns: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)


def copy_project(source: Path, target: Path) -> Path:
    """A project to spoil, without the store and the runs of the first."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".gates"))
    return target
