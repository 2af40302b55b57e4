"""A clearly worse version against a golden set that measures nothing: never a PASS."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CommandLine, Shelf
from tests.toys import MODEL, copy_project

CARD = """\
---
model: toy-ranker
task: ranking
owners: [search@example.com]
environment: {start_seconds: 20, predict_seconds: 5, memory_mb: 1024}
checks:
  ranking-diff:
    options: {unjudged: irrelevant}
    bounds:
      METRIC.delta: {min: -0.02}
      severe-losses: {max: 0.4}
---
A toy.
"""
Rows = list[dict[str, str]]
Spoil = Callable[[Rows, Rows], None]


def rename(candidates: Callable[[str], str], judgments: Callable[[str], str]) -> Spoil:
    def spoil(offered: Rows, judged: Rows) -> None:
        for rows, rule in ((offered, candidates), (judged, judgments)):
            for row in rows:
                row["doc_id"] = rule(row["doc_id"])

    return spoil


def topics(_: Rows, judged: Rows) -> None:
    for row in judged:
        row["query_id"] += ".0"


def one_grade(_: Rows, judged: Rows) -> None:
    for row in judged:
        row["grade"] = "2"


def of_others(_: Rows, judged: Rows) -> None:
    for number, row in enumerate(judged):
        row["doc_id"] = "d11" if number == 0 else f"gone-{row['doc_id']}"


@pytest.mark.parametrize(
    ("spoil", "metric", "code", "words"),
    [
        (rename(lambda d: f"00{d[1:]}", lambda d: str(int(d[1:]))), "mrr", 2, "leading zeros"),
        (rename(str, str.upper), "map", 2, "upper and lower case"),
        (rename(str, lambda d: f" {d}\u00a0"), "ndcg@10", 2, "without blanks"),
        (rename(lambda d: f"\u00e9{d}", lambda d: f"e\u0301{d}"), "mrr", 2, "Unicode"),
        (rename(lambda d: f"{d[1:]}", lambda d: f"{d[1:]}.0"), "precision@5", 2, "`.0`"),
        (rename(str, lambda d: f"{d}-x"), "mrr", 2, "no judged document is a candidate"),
        (topics, "mrr", 2, "without `.0` at their end"),
        (one_grade, "mrr", 3, "can tell the rankings apart by mrr"),
        (one_grade, "ndcg@10", 3, "can tell the rankings apart by ndcg@10"),
        (of_others, "map", 3, ""),
    ],
)
def test_a_shuffled_candidate_never_passes(
    gates: CommandLine,
    shelf: Shelf,
    tmp_path: Path,
    spoil: Spoil,
    metric: str,
    code: int,
    words: str,
) -> None:
    project = copy_project(shelf.project, tmp_path / "project")
    golden = project / "golden" / MODEL
    (golden / "expectations.csv").unlink()
    (project / "model_cards" / f"{MODEL}.md").write_text(CARD.replace("METRIC", metric))
    files = [golden / "candidates.csv", golden / "judgments.csv"]
    tables = [list(csv.DictReader(one.read_text(encoding="utf-8").splitlines())) for one in files]
    spoil(*tables)
    for path, rows in zip(files, tables, strict=True):
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    answer = gates(
        "run",
        shelf.uri("shuffled"),
        shelf.options(project),
        "--champion",
        shelf.uri("good"),
        "--output",
        str(tmp_path / "runs"),
    )
    assert answer.code == code, answer.out + answer.err
    assert words in " ".join((answer.out + answer.err).split())
