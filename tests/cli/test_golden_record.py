"""`gates golden record`: a packaged version, asked in its own environment, through the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Answer, CommandLine, Shelf
from tests.toys import MODEL, lay_out, package_toy, put_in_production, store_of

CLASSIFIER = "toy-classifier"
CARD = """\
---
model: toy-classifier
task: classification
owners: [search@example.com]
environment: {start_seconds: 20, predict_seconds: 5, memory_mb: 1024}
checks:
  score-range:
    bounds:
      in-range: {min: 1.0}
---
A toy.
"""
SOURCE = """\
import json


class Toy:
    def __init__(self, params):
        self.params = params

    def predict(self, frame):
        label, score = self.params["label"], self.params["score"]
        return {"label": [label] * len(frame["query"]), "score": [score] * len(frame["query"])}


def _load_pyfunc(path):
    with open(path) as stream:
        return Toy(json.load(stream))
"""
MANIFEST = (
    "name: toys\ntask: classification\ndescription: d\nsynthetic: true\nsource: tests\n"
    "sampling: every query\ninputs: [query]\n"
)

Record = Callable[..., Answer]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, gates_cache: Path) -> Path:
    """A project with two versions of a classifier that knows one label; version 1 is champion."""
    folder = tmp_path_factory.mktemp("record") / "shop"
    golden = {"manifest.yaml": MANIFEST, "queries.csv": "query_id,query\na,lamp\nb,desk\n"}
    lay_out(folder, CLASSIFIER, card=CARD, source=SOURCE, golden=golden)
    for label, score in (("lamps", 0.8), ("desks", 0.6)):
        packaged(folder, gates_cache, label=label, score=score)
    put_in_production(folder, gates_cache, CLASSIFIER)
    return folder


def packaged(project: Path, cache: Path, **answers: object) -> str:
    """Package one more version, which gives one label and score to every query; its number."""
    params = {**answers, "inputs": ["query"]}
    (project / "models" / CLASSIFIER / "params.json").write_text(json.dumps(params))
    return package_toy(project, cache, CLASSIFIER)


@pytest.fixture
def expectations(project: Path) -> Path:
    path = project / "golden" / CLASSIFIER / "expectations.csv"
    path.unlink(missing_ok=True)
    return path


@pytest.fixture
def record(gates: CommandLine, project: Path, gates_cache: Path) -> Record:
    def call(*arguments: str) -> Answer:
        options = ("--project", str(project), "--cache", str(gates_cache))
        store = ("--tracking-uri", store_of(project))
        return gates("golden", "record", CLASSIFIER, *options, *store, *arguments)

    return call


def test_the_champions_answers_are_recorded_when_nobody_is_named(
    record: Record, expectations: Path
) -> None:
    answer = record()
    assert answer.code == 0, answer.err
    assert f"recorded models:/{CLASSIFIER}/1" in answer.out
    assert "2 added" in answer.out
    assert expectations.read_text().splitlines() == [
        "query_id,expect,target,low,high,source",
        "a,label,lamps,0.750,0.850,recorded",
        "b,label,lamps,0.750,0.850,recorded",
    ]


def test_a_dry_run_prints_the_difference_and_writes_nothing(
    record: Record, expectations: Path
) -> None:
    record("--tolerance", "0.1")
    before = expectations.read_bytes()
    answer = record("--from", f"models:/{CLASSIFIER}/2", "--dry-run")
    assert "-a,label,lamps,0.70,0.90,recorded" in answer.out
    assert "+a,label,desks,0.550,0.650,recorded" in answer.out
    assert expectations.read_bytes() == before


def test_json_says_what_was_recorded_and_who_disagrees(record: Record, expectations: Path) -> None:
    expectations.write_text("query_id,expect,target\nb,label,desks\n")
    said = json.loads(record("--from", "@champion", "--json").out)
    assert (said["from"], said["written"]) == (f"models:/{CLASSIFIER}/1", True)
    assert (said["added"], said["judged"]) == (1, 1)
    (one,) = said["disagreements"]
    assert (one["query"], one["judged"], one["answered"]) == ("desk", "desks", "lamps")
    assert "b,label,desks,,,judged" in expectations.read_text()


def test_a_tolerance_that_is_no_distance_is_refused(record: Record) -> None:
    for given in ("0", "-0.1", "nan", "inf"):
        answer = record("--tolerance", given)
        assert answer.code == 2
        assert "is no distance between scores" in answer.err


def test_a_version_of_another_model_is_refused(record: Record) -> None:
    answer = record("--from", "models:/lamps/1")
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_a_ranker_has_no_labels_to_record(gates: CommandLine, shelf: Shelf) -> None:
    answer = gates("golden", "record", MODEL, shelf.options())
    assert answer.code == 2
    assert "only labels can be recorded" in answer.err


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"label": "lamps", "score": float("nan")}, "NaN"),
        ({"label": "", "score": 0.5}, "blank label"),
        ({"label": "lamps", "score": "high"}, "score"),
    ],
)
def test_a_version_that_breaks_its_contract_is_refused_and_nothing_is_written(
    gates_cache: Path,
    project: Path,
    record: Record,
    expectations: Path,
    answers: dict[str, object],
    said: str,
) -> None:
    version = packaged(project, gates_cache, **answers)
    answer = record("--from", f"models:/{CLASSIFIER}/{version}")
    assert answer.code == 2, answer.err
    assert said in answer.err
    assert answer.err.startswith("error: ")
    assert not expectations.exists()
