"""Two rankings of real queries, every metric of every query against pytrec_eval."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval

from gates.comparison.files.aligned import align
from gates.comparison.plan import ComparisonPlan
from tests.comparison.files.files import Row, measured_rows, write
from tests.conftest import CommandLine
from tests.real.conftest import DATA

pytestmark = pytest.mark.requires_real_data

MEASURES = {
    "ndcg@10": "ndcg_cut_10",
    "mrr": "recip_rank",
    "map": "map",
    "precision@10": "P_10",
    "recall@10": "recall_10",
}
Judged = Mapping[str, Mapping[str, float]]


def by_query(rows: list[Row]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for query, doc, value in rows:
        found.setdefault(query, {})[doc] = value
    return found


def chorus() -> tuple[list[Row], list[Row], list[Row]]:
    """Titles that share words with the query, counted and by share: both full of ties."""
    titles = {}
    for line in (DATA / "chorus" / "products.jsonl").read_text(encoding="utf-8").splitlines():
        product = json.loads(line)
        titles[product["id"]] = re.findall(r"\w+", product["title"].lower())
    with (DATA / "chorus" / "judgments.csv").open(encoding="utf-8") as stream:
        judged = [(r["query"], r["product_id"], float(r["grade"])) for r in csv.DictReader(stream)]
    old: list[Row] = []
    new: list[Row] = []
    for query in dict.fromkeys(row[0] for row in judged):
        words = set(re.findall(r"\w+", query.lower()))
        for doc, title in titles.items():
            common = len(words.intersection(title))
            if common:
                old.append((query, doc, float(common)))
                new.append((query, doc, common / len(title)))
    return old, new, judged


def esci() -> tuple[list[Row], list[Row], list[Row]]:
    """Judged products in two seeded orders, with some that nobody judged."""
    told = json.loads((DATA / "esci" / "esci_us_judgments.json").read_text(encoding="utf-8"))
    judged = [
        (one["query"], rating["docId"], float(rating["rating"]) * 10)
        for one in told["judgmentRatings"]
        for rating in one["ratings"]
    ]
    rng = np.random.default_rng(8)
    old: list[Row] = []
    new: list[Row] = []
    for query, grades in by_query(judged).items():
        docs = [*grades, *(f"UNJUDGED{n}" for n in range(10))]
        for rows in (old, new):
            served = rng.choice(docs, min(len(docs), 40), replace=False)
            rows += [(query, str(doc), float(rng.integers(0, 25))) for doc in served]
    return old, new, judged


def reference(judged: list[Row], run: list[Row], relevant: int) -> dict[str, dict[str, float]]:
    qrels = {
        q: {doc: round(grade) for doc, grade in docs.items()}
        for q, docs in by_query(judged).items()
    }
    asked = {"ndcg_cut.10", "recip_rank", "map", "P.10", "recall.10"}
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, asked, relevance_level=relevant)
    values: dict[str, dict[str, float]] = evaluator.evaluate(by_query(run))
    return values


@pytest.mark.parametrize(("source", "relevant"), [(chorus, 1), (esci, 10)])
def test_every_metric_of_every_query_is_what_pytrec_eval_gives(
    tmp_path: Path, source: type, relevant: int
) -> None:
    old, new, judged = source()
    files = (
        write(tmp_path / "old.parquet", old, "score"),
        write(tmp_path / "new.tsv.gz", new, "score"),
        write(tmp_path / "judgments.jsonl", judged, "grade"),
    )
    plan = ComparisonPlan(*files, relevant=relevant)
    aligned = align(*files, scratch=tmp_path, progress=lambda *_: None)
    found = measured_rows(plan, aligned)
    names = aligned.names.to_pylist()
    compared = 0
    for rows, ours in ((old, found.old), (new, found.new)):
        theirs = reference(judged, rows, relevant)
        for metric, name in MEASURES.items():
            for query, value in zip(names, ours[metric].tolist(), strict=True):
                if query not in theirs:  # pytrec_eval drops a query without results; it scores 0
                    assert value == 0 or np.isnan(value)
                elif np.isnan(value):
                    assert theirs[query][name] == 0
                else:
                    assert value == pytest.approx(theirs[query][name], abs=1e-9, rel=0)
                    compared += 1
    assert compared > 0.75 * 2 * len(MEASURES) * len(names)


def test_a_run_that_lost_its_order_fails_and_itself_is_no_worse(
    tmp_path: Path, gates: CommandLine
) -> None:
    old, _, judged = chorus()
    rng = np.random.default_rng(2)
    shuffled = [(query, doc, float(rng.random())) for query, doc, _ in old]
    files = [
        str(write(tmp_path / "old.csv", old, "score")),
        str(write(tmp_path / "new.csv", shuffled, "score")),
        "--judgments",
        str(write(tmp_path / "judged.csv", judged, "grade")),
        "--missing",
        "empty",
    ]
    unsure = gates("diff", *files, "--json")
    assert unsure.code == 3
    assert len(json.loads(unsure.out)["judge_next"]) == 50
    files += ["--unjudged", "irrelevant"]
    worse = gates("diff", *files, "--json")
    said = json.loads(worse.out)
    assert worse.code == 1, said["reasons"]
    assert said["metrics"]["ndcg@10"]["upper"] < -0.05
    itself = gates("diff", files[0], files[0], *files[2:], "--json")
    assert json.loads(itself.out)["similarity"]["rbo"] == 1
