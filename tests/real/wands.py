"""The wands queries as a classification project: a split by class, a recorded golden set, a card.

Everything is computed when a test asks for it; no row of the data is kept in the repository.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from tests.real.chorus import REPOSITORY, write_rows

MODEL = "wands-class"
VERSIONS: dict[str, dict[str, Any]] = {
    "words": {"letters": False, "C": 1.0},
    "letters": {"letters": True, "C": 30.0},
}
"""What each packaged version is like, in the order in which they are registered."""

TOLERANCE = 0.3
"""The share of the first model's score that a right label may lose."""

CARD = """\
---
model: wands-class
task: classification
owners: [search-understanding@example.com]
environment: {memory_mb: 2048, start_seconds: 60, predict_seconds: 30}
checks:
  lockfile: {}
  behaviour:
    bounds:
      invariance.case: {max: 0.0}
      invariance.whitespace: {max: 0.0}
      invariance.typo: {max: 0.5, advisory: true}
      invariance.unicode: {max: 0.0, advisory: true}
      invariance.plural: {max: 0.5, advisory: true, slices: {words: {max: 0.6}}}
      score-shift.typo: {max: 0.3, advisory: true}
  score-range:
    bounds:
      label-accuracy: {min: %(accuracy).2f}
      in-range: {min: %(accuracy).2f}
      label-accuracy.delta: {min: -0.03, slices: {words: {min: -0.15}}}
      label-changes: {max: 0.5, advisory: true}
      calibration-error: {max: 0.3, advisory: true}
      calibration-error.delta: {max: 0.1, advisory: true}
      brier.delta: {max: 0.05, advisory: true}
      confidence.delta: {min: -0.1, advisory: true}
      worst-class-recall: {min: 0.5, advisory: true}
    options: {class_queries: 4}
---
Real queries and their classes; accuracy may not fall below the first champion's, less 0.1.
"""

MANIFEST = """\
name: wands, held-out queries
task: classification
description: Real furniture queries whose class has five or more queries.
synthetic: false
source: Wayfair WANDS
sampling: two of five queries of each class, by hash
inputs: [query]
slices: [words]
"""

BUILD = '''\
"""TF-IDF into a logistic regression; params.json says how."""

import json
import sys
import tempfile
from pathlib import Path

import joblib
import mlflow.pyfunc
import pandas
from mlflow.models import infer_signature
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from query_class import QueryClass

params = json.loads(Path("params.json").read_text())
log = pandas.read_csv("data/training.csv", dtype=str)
parts = [TfidfVectorizer()]
if params["letters"]:
    parts.append(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True))
model = make_pipeline(make_union(*parts), LogisticRegression(C=params["C"], max_iter=1000))
model.fit(log["query"], log["class"])
example = log[["query"]].head()
with tempfile.TemporaryDirectory() as folder:
    data = Path(folder, "pipeline.joblib")
    joblib.dump(model, data)
    mlflow.pyfunc.save_model(
        sys.argv[1],
        loader_module="query_class",
        code_paths=["query_class.py"],
        data_path=str(data),
        signature=infer_signature(example, QueryClass(model).predict(example)),
        pip_requirements=Path("requirements.in").read_text().split(),
    )
'''

SOURCE = '''\
"""The most probable class of a query, and how probable it is."""

import joblib
import pandas


class QueryClass:
    def __init__(self, pipeline):
        self.pipeline = pipeline

    def predict(self, frame):
        chances = self.pipeline.predict_proba(frame["query"])
        label = self.pipeline.classes_[chances.argmax(axis=1)]
        return pandas.DataFrame({"label": label, "score": chances.max(axis=1)})


def _load_pyfunc(path):
    return QueryClass(joblib.load(path))
'''


def lay_out(project: Path, data: Path) -> None:
    """Write card, golden set and model folder; the golden set's ranges are recorded later."""
    with (data / "wands" / "query.csv").open(encoding="utf-8", newline="") as stream:
        every = list(csv.DictReader(stream, delimiter="\t"))
    sizes = Counter(row["query_class"] for row in every if row["query_class"])
    kept = [row for row in every if sizes[row["query_class"]] >= 5]
    golden_ids = _held_out(kept)
    model = project / "models" / MODEL
    (model / "data").mkdir(parents=True)
    for name in ("requirements.in", "requirements.txt"):
        shutil.copyfile(REPOSITORY / "models" / "query-category" / name, model / name)
    (model / "build.py").write_text(BUILD, encoding="utf-8")
    (model / "query_class.py").write_text(SOURCE, encoding="utf-8")
    window = "training_window: {start: 2021-01-01, end: 2021-12-31}\n"
    (model / "package.yaml").write_text(window, encoding="utf-8")
    training = [
        {"query": row["query"], "class": row["query_class"]}
        for row in kept
        if row["query_id"] not in golden_ids
    ]
    write_rows(model / "data" / "training.csv", ("query", "class"), training)
    golden = project / "golden" / MODEL
    golden.mkdir(parents=True)
    (golden / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    rows = [
        {
            "query_id": row["query_id"],
            "query": row["query"],
            "words": "short" if len(row["query"].split()) < 3 else "long",
            "expect": "label",
            "target": row["query_class"],
        }
        for row in kept
        if row["query_id"] in golden_ids
    ]
    write_rows(golden / "queries.csv", ("query_id", "query", "words"), rows)
    write_rows(golden / "expectations.csv", ("query_id", "expect", "target"), rows)
    write_card(project, accuracy=0.0)


def _held_out(rows: list[dict[str, str]]) -> set[str]:
    """Two of five queries of each class, chosen by hash; no model was seen for it."""
    found: set[str] = set()
    for label in {row["query_class"] for row in rows}:
        members = [row for row in rows if row["query_class"] == label]
        members.sort(key=lambda row: hashlib.sha256(row["query"].encode()).hexdigest())
        found |= {row["query_id"] for at, row in enumerate(members) if at % 5 in (1, 3)}
    return found


def write_card(project: Path, *, accuracy: float) -> None:
    """The model card that demands this accuracy."""
    path = project / "model_cards" / f"{MODEL}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(CARD % {"accuracy": accuracy}, encoding="utf-8")


def record(project: Path, labels: tuple[str, ...], scores: list[float]) -> float:
    """Write a first model's scores into the golden set as ranges, and demand its accuracy.

    Returns:
        The first model's accuracy.
    """
    path = project / "golden" / MODEL / "expectations.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    right = 0
    for row, label, score in zip(rows, labels, scores, strict=True):
        known = label == row["target"]
        right += known
        row["low"] = f"{score * (1 - TOLERANCE):.4f}" if known else ""
        row["high"] = ""
    write_rows(path, ("query_id", "expect", "target", "low", "high"), rows)
    accuracy = right / len(rows)
    write_card(project, accuracy=accuracy - 0.1)
    return accuracy


def set_version(project: Path, name: str) -> None:
    """Say what the next packaged version is like: a key of `VERSIONS`."""
    path = project / "models" / MODEL / "params.json"
    path.write_text(json.dumps(VERSIONS[name]), encoding="utf-8")
