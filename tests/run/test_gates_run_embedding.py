"""`gates run` for models of vectors: one that stays, one that can be stuffed, one with a NaN."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.toys import BUILD, lay_out, package_toy, put_in_production, store_of

MODEL = "toy-embedding"
CARD = """\
---
model: toy-embedding
task: embedding
owners: [search@example.com]
environment: {start_seconds: 20, predict_seconds: 5, memory_mb: 1024}
checks:
  artifact: {}
  lockfile: {}
  equivalence: {}
  embedding:
    bounds:
      neighbour-overlap@3: {min: 0.8, slices: {thing: {min: 0.5}}}
      pairs: {min: 1.0}
      duplicates: {max: 0.0}
      collapse: {max: 0.5}
      norm.worst: {max: 0.5}
      stuffing@3: {min: 0.85}
---
A toy.
"""
MANIFEST = """\
name: toy-embedding
task: embedding
description: Things of a furniture shop.
synthetic: true
source: made for this test
sampling: all
inputs: [text]
slices: [thing]
"""
SOURCE = """\
import json
import math
import random


class Toy:
    def __init__(self, params):
        self.params = params

    def vector(self, text):
        words = text.lower().split()
        if self.params.get("trick") != "counts":
            words = sorted(set(words))
        found = [0.0] * 12
        for word in words:
            drawn = random.Random(word)
            found = [value + drawn.gauss(0, 1) for value in found]
        length = math.sqrt(sum(value * value for value in found))
        if self.params.get("trick") == "nan" and text == "red metal lamp":
            length = math.nan
        return [value / length for value in found]

    def predict(self, frame):
        return [self.vector(text) for text in frame["text"]]


def _load_pyfunc(path):
    with open(path) as stream:
        return Toy(json.load(stream))
"""
VERSIONS = {"first": {}, "again": {"note": "trained again"}, "counts": {}, "nan": {}}
THINGS = ("desk", "lamp", "chair", "bench")


def _golden() -> dict[str, str]:
    texts = [
        " ".join(one) for one in product(("red", "green", "blue"), ("wooden", "metal"), THINGS)
    ]
    rows = [f"{at},{text},{text.split()[-1]}" for at, text in enumerate(texts)]
    return {
        "manifest.yaml": MANIFEST,
        "queries.csv": "\n".join(["query_id,query,thing", *rows, ""]),
        # A red wooden desk is nearer to a green one than to a blue metal bench.
        "expectations.csv": "query_id,expect,target,than\n0,closer,8,23\n",
    }


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory, gates_cache: Path) -> list[str]:
    project = tmp_path_factory.mktemp("vectors") / "shop"
    build = BUILD.replace('"double"', '"string"')
    lay_out(project, MODEL, card=CARD, source=SOURCE, golden=_golden(), build=build)
    for name, more in VERSIONS.items():
        params = {"inputs": ["text"], "trick": name, **more}
        (project / "models" / MODEL / "params.json").write_text(json.dumps(params))
        package_toy(project, gates_cache, MODEL)
    put_in_production(project, gates_cache, MODEL)
    uri = store_of(project)
    return ["--project", str(project), "--tracking-uri", uri, "--cache", str(gates_cache)]


@pytest.mark.parametrize(
    ("version", "code", "failing"),
    [
        ("again", 0, set()),
        ("counts", 1, {"embedding::stuffing@3"}),
    ],
)
def test_a_model_of_vectors_is_gated_like_any_other(
    gates: CommandLine,
    options: list[str],
    tmp_path: Path,
    version: str,
    code: int,
    failing: set[str],
) -> None:
    uri = f"models:/{MODEL}/{list(VERSIONS).index(version) + 1}"
    answer = gates("run", uri, options, "--output", str(tmp_path), "--json")
    assert answer.code == code, answer.out + answer.err
    said = json.loads(answer.out)
    assert {one["id"] for one in said["bounds"] if one["outcome"] != "PASS"} == failing
    reports = [Path(path) for path in said["reports"].values()]
    for report in reports:
        words = re.sub(r"(?s)<(style|script)>.*?</\1>|queries\.csv", "", report.read_text("utf-8"))
        assert not re.findall(r".{0,40}quer(?:y|ies).{0,40}", words), report
    for form in ("terminal", "markdown", "html"):
        shown = gates("show", uri, options, "--as", form).out
        assert "24 texts" in shown, shown
    assert "quer" not in gates("show", uri, options).out


def test_one_vector_of_nan_fails_by_name(
    gates: CommandLine, options: list[str], tmp_path: Path
) -> None:
    answer = gates("run", f"models:/{MODEL}/4", options, "--output", str(tmp_path), "--json")
    assert answer.code == 1, answer.out + answer.err
    reasons = json.loads(answer.out)["reasons"]
    assert any("1 of 24 vectors that hold numbers that are NaN" in reason for reason in reasons)
