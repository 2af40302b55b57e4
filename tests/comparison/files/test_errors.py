"""Bad files: what is wrong, how often, where, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from gates.comparison.files.aligned import align
from gates.comparison.plan import ComparisonPlan
from gates.errors import RankingError
from tests.comparison.files.files import Row, measured_rows, write

RUN: list[Row] = [("q1", "a", 2.0), ("q1", "b", 1.0), ("q2", "a", 1.0)]
JUDGED: list[Row] = [("q1", "a", 1.0), ("q2", "a", 0.0)]


def refusal(tmp_path: Path, old: Path | None = None, judged: Path | None = None) -> RankingError:
    good = write(tmp_path / "good.csv", RUN, "score")
    judgments = judged or write(tmp_path / "judged.csv", JUDGED, "grade")

    def read() -> None:
        plan = ComparisonPlan(old or good, good, judgments)
        aligned = align(
            plan.old, plan.new, plan.judgments, scratch=tmp_path, progress=lambda *_: None
        )
        measured_rows(plan, aligned)

    with pytest.raises(RankingError) as caught:
        read()
    assert caught.value.advice
    assert caught.value.path in {old, judgments, good}
    return caught.value


def text(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.csv", None, "there is no such file"),
        ("run.xlsx", "x", "its name does not tell a format"),
        ("run.csv", "", "the file is empty"),
        ("run.csv", "query_id,doc_id,skore\nq1,a,1\n", "no column `score` or `rank`.*`score`"),
        ("run.csv", "query,doc_id,score,score\nq1,a,1,1\n", "column `score` stands there twice"),
        ("run.csv", "query_id,score\nq1,1\n", "no column `doc_id`: the file has query_id, score"),
        ("run.csv", "query_id,doc_id,score\nq1,a,1\nq1,b\n", "1 row.s. have not 3 cells"),
        ("run.csv", "query_id,doc_id,score\nq1,a,one\n", "`score` holds something.*'one'"),
        (
            "run.csv",
            "query_id,doc_id,score\nq1,a,nan\n",
            "`score` is NaN.*query 'q1', document 'a'",
        ),
        ("run.csv", "query_id,doc_id,score\nq1,a,\nq2,b,1\n", "`score` is NaN or empty in 1 "),
        ("run.csv", "query_id,doc_id,score\nq1,,1\n", "`doc_id` is empty"),
        ("run.csv", "query_id,doc_id,score\n ,a,1\n,a,1\n", "`query_id` is empty"),
        (
            "run.csv",
            "query_id,doc_id,rank\nq1,a,1\nq1,b,1\n",
            "`rank` repeats within a query in 1 ",
        ),
        (
            "run.csv",
            "query_id,doc_id,score\nq1,a,1\nq1,a,1\nq1,a,0\n",
            "2 or more documents stand twice.*query 'q1', document 'a' 3 times",
        ),
        ("run.jsonl", "[1]\n", "line 1 is not a JSON object"),
        ("run.jsonl", '{"query_id": "q", "doc_id": "a", "score": 1}\nno\n', "not JSON objects"),
        ("run.trec", "q1 Q0 a 1 0.5\n", "line 1 has 5 fields; a TREC run file has 6"),
        ("run.trec", "q1 Q0 a 1 0.5 t\nq1 Q0 b 2 0.5\n", "line 2 has 5 fields"),
        ("run.parquet", "PAR1 not really", "cannot be read as Parquet"),
        ("run.csv.gz", "query_id,doc_id,score\n", "cannot be read|not a table"),
    ],
)
def test_a_bad_ranking(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert re.search(words, str(refusal(tmp_path, old=path)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("query_id,doc_id,stars\nq1,a,1\n", "no column `grade`"),
        ("query_id,doc_id,grade\nq1,a,-inf\n", "`grade` is not a number in 1 "),
        ("query_id,doc_id,grade\nq1,a,inf\n", "`grade` is not a number"),
        ("query_id,doc_id,grade\nq1,a,1\nq1,a,0\n", "1 or more documents stand twice"),
    ],
)
def test_bad_judgments(tmp_path: Path, content: str, words: str) -> None:
    judged = text(tmp_path, "judgments.csv", content)
    assert re.search(words, str(refusal(tmp_path, judged=judged)))


def test_a_folder_without_parts_and_parts_that_differ(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    assert "holds no .parquet file" in str(refusal(tmp_path, old=parts))
    for name, value in (("a", "score"), ("b", "rank")):
        write(parts / f"{name}.parquet", RUN, value)
    with pytest.raises(RankingError, match=r"b.parquet: it has other columns than a.parquet"):
        align(parts, parts, parts, scratch=tmp_path, progress=lambda *_: None)


def test_ids_that_are_numbers_with_a_point(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    table = pa.table({"query_id": ["q"], "doc_id": [1.5], "score": [1.0]})
    pyarrow.parquet.write_table(table, path)
    assert "an id is text or a whole number" in str(refusal(tmp_path, old=path))


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet"])
def test_a_ranking_without_a_row_is_nothing_to_compare(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, [], "score")
    assert "it holds no row" in str(refusal(tmp_path, old=path))
