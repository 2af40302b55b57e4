"""A small query classifier that stems words, and what it was built from: a table of stems.

The stems of snowballstemmer 2.2.0 run words together that 3.x keeps apart: paste and past, evening
and even, organizer and organ, emergency and emerge.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

from gates.environments.cache import Environment
from gates.environments.scripts import run_script

BUYS = {
    "storage": ["closet organizer", "drawer organizers", "shoe rack", "wall shelf", "lidded bin"],
    "music": ["electric organ", "organ bench", "guitar strings", "drum kit", "violin case"],
    "grocery": ["tomato paste", "curry pastes", "almond paste", "olive oil", "basmati rice"],
    "decorating": ["wallpaper paste", "paint roller", "masking tape", "floor tiles", "skirting"],
    "clothing": ["evening dress", "evening gown", "rain jacket", "running shoes", "wool scarf"],
    "safety": ["emergency light", "emergency kit", "smoke alarm", "fire blanket", "hard hat"],
}
"""What shoppers ask for, by category."""

_TRAINED = ["cheap", "best", "small"]
_UNSEEN = [
    ("desk organizer", "storage"),
    ("organizers", "storage"),
    ("evening bag", "clothing"),
    ("emergency whistle", "safety"),
    ("fish paste", "grocery"),
    ("organ", "music"),
]
_ASKED = ["", "large", "white", "used", "second hand"]


def training() -> list[tuple[str, str]]:
    """(query, category) of the log the classifier was built from."""
    return [(f"{how} {what}", one) for one in BUYS for what in BUYS[one] for how in _TRAINED]


def queries() -> list[tuple[str, str]]:
    """(query, category) that the classifier is asked: 156 of them."""
    asked = [(f"{how} {what}".strip(), one) for one in BUYS for what in BUYS[one] for how in _ASKED]
    return asked + _UNSEEN


_MODULE = '''\
"""A query's category: the one its stems were most often bought in, of those in the table."""

import json

import snowballstemmer

STEM = snowballstemmer.stemmer("english").stemWord


def words(query):
    return [STEM(word) for word in query.lower().split()]


class Categories:
    def __init__(self, table):
        self.table = table

    def predict(self, frame):
        answers = [self.of(query) for query in frame["query"]]
        return {
            "label": [label for label, _ in answers],
            "score": [score for _, score in answers],
        }

    def of(self, query):
        votes = {}
        for word in words(query):
            counts = self.table.get(word, {})
            for category, count in counts.items():
                share = count / sum(counts.values())
                votes[category] = votes.get(category, 0.0) + share
        if not votes:
            return "other", 0.0
        best = min(votes, key=lambda category: (-votes[category], category))
        return best, votes[best] / sum(votes.values())


def _load_pyfunc(path):
    with open(path) as stream:
        return Categories(json.load(stream))
'''

_BUILD = """\
import csv, json, pathlib, sys

folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(folder / "code"))
from categories import words

table = {}
with open(sys.argv[2], newline="") as stream:
    for query, category in csv.reader(stream):
        for word in words(query):
            counts = table.setdefault(word, {})
            counts[category] = counts.get(category, 0) + 1
(folder / "table.json").write_text(json.dumps(table, sort_keys=True))
"""


def build_model(folder: Path, environment: Environment) -> Path:
    """The classifier as an MLflow model folder, built in an environment with the stemmer."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "categories.py").write_text(_MODULE)
    flavor = {"loader_module": "categories", "code": "code", "data": "table.json"}
    (folder / "MLmodel").write_text(json.dumps({"flavors": {"python_function": flavor}}))
    script, log = folder.with_name("build.py"), folder.with_name("log.csv")
    script.write_text(_BUILD)
    with log.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(training())
    run_script(environment, script, [str(folder), str(log)], folder.parent, {}, 60)
    return folder


def write_golden(folder: Path, asked: list[tuple[str, str]] | None = None) -> Path:
    """A golden set of these queries."""
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").write_text(
        "name: shop\ntask: classification\ndescription: made for tests\nsynthetic: true\n"
        "source: tests\nsampling: every query\ninputs: [query]\nslices: []\n"
    )
    rows = queries() if asked is None else asked
    with (folder / "queries.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["query_id", "query"])
        writer.writerows((f"q{at:03}", query) for at, (query, _) in enumerate(rows))
    with (folder / "expectations.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["query_id", "expect", "target", "low", "high"])
        writer.writerows((f"q{at:03}", "label", label, 0, 1) for at, (_, label) in enumerate(rows))
    return folder
