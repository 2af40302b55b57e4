"""`gates diff` as people call it: exit codes, words, JSON, files."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.comparison.files.files import write
from tests.comparison.test_verdict import queries_file, shop
from tests.conftest import CommandLine


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    old, new, judged = shop(tmp_path, old_noise=2.0, new_noise=0.5)
    return [str(old), str(new), "--judgments", str(judged)]


def test_exit_codes_are_the_gates(gates: CommandLine, files: list[str], tmp_path: Path) -> None:
    assert gates("diff", files).code == 0
    assert gates("diff", files[1], files[0], files[2:]).code == 1
    assert gates("diff", files, "--k", "0").code == 2
    few = shop(tmp_path, old_noise=1, new_noise=1, queries=8)
    answer = gates("diff", str(few[0]), str(few[1]), "-j", str(few[2]), "--margin", "0.001")
    assert answer.code == 3
    assert "UNDECIDED" in answer.out


def test_json_alone_on_stdout_with_all_that_a_machine_may_want(
    gates: CommandLine, files: list[str], tmp_path: Path
) -> None:
    rows = [{"query_id": f"q{at:04}", "kind": "ab"[at % 2]} for at in range(300)]
    queries = str(queries_file(tmp_path, rows))
    answer = gates("diff", files, "--queries", queries, "--slice", "kind", "--json")
    said = json.loads(answer.out)
    assert said["verdict"] == "PASS"
    assert said["reasons"]
    assert said["queries"] == 300
    assert {"old", "new", "delta", "lower", "upper", "n", "n_eff", "mde"} <= set(
        said["metrics"]["ndcg@10"]
    )
    assert set(said["similarity"]) == {"rbo", "overlap@10", "kendall_tau", "top1_changed"}
    assert {name: one["outcome"] for name, one in said["slices"].items()} == {
        "kind=a": "PASS",
        "kind=b": "PASS",
    }
    assert said["worst"][0]["delta"] < 0
    assert said["files"]["old"]["queries"] == 300


def test_an_error_is_words_on_stderr_and_json_on_stdout(
    gates: CommandLine, files: list[str], tmp_path: Path
) -> None:
    bad = write(tmp_path / "bad.csv", [("q0000", "d", float("nan"))], "score")
    answer = gates("diff", files[0], str(bad), files[2:], "--json")
    assert answer.code == 2
    assert "bad.csv: `score` is NaN or empty in 1 or more rows: query 'q0000'" in answer.err
    error = json.loads(answer.out)["error"]
    assert error["kind"] == "RankingError"
    assert error["path"] == str(bad)


def test_a_row_a_query_as_parquet(gates: CommandLine, files: list[str], tmp_path: Path) -> None:
    path = tmp_path / "out" / "queries.parquet"
    assert gates("diff", files, "--per-query", str(path)).code == 0
    table = pyarrow.parquet.read_table(path)
    assert table.num_rows == 300
    assert {"query_id", "weight", "ndcg@10.old", "ndcg@10.new", "rbo"} <= set(table.column_names)


def test_a_page_with_both_lists(gates: CommandLine, files: list[str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert gates("diff", files, "--html", str(page)).code == 0
    text = page.read_text(encoding="utf-8")
    assert (
        "Here 250 of 300 queries are listed: those that lost most, and those that gained most."
        in text
    )
    worst = json.loads(gates("diff", files, "--json").out)["worst"][0]["query"]
    number = worst.removeprefix("q")
    assert f"<bdi>{worst}</bdi>" in text
    assert f"d{number}-" in text


def test_nothing_is_written_where_it_cannot_be(
    gates: CommandLine, files: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    answer = gates("diff", files, "--html", str(tmp_path / "file" / "page.html"))
    assert answer.code == 2
    assert "could not be written" in answer.err


def test_documents_that_nobody_judged_widen_what_is_said_and_are_listed_to_judge_first(
    gates: CommandLine, tmp_path: Path
) -> None:
    old, new, judged = shop(tmp_path, old_noise=1.0, new_noise=1.0)
    lines = judged.read_text(encoding="utf-8").splitlines()
    kept = [line for at, line in enumerate(lines) if at == 0 or at % 4]
    files = [str(old), str(new), "-j", str(judged), "--margin", "0.05", "--json"]
    known = json.loads(gates("diff", files).out)
    judged.write_text("\n".join(kept) + "\n", encoding="utf-8")
    found = json.loads(gates("diff", files).out)
    assert (known["verdict"], found["verdict"]) == ("PASS", "UNDECIDED")
    assert (known["judge_next"], found["judge_next"] != []) == ([], True)
    assert "least" not in known["worst"][0]
    assert any("least" in one for one in found["worst"])
    for one in (one for one in found["worst"] if "least" in one):
        assert one["least"] - 1e-9 <= one["delta"] <= one["most"] + 1e-9
    difference = found["metrics"]["ndcg@10"]
    assert difference["lower"] < difference["pessimistic"]
    assert difference["upper"] > difference["optimistic"]
    assert found["severe_losses"]["upper"] > 2 * known["severe_losses"]["upper"]
    assert difference["together"] > known["metrics"]["ndcg@10"]["together"]
    closed = json.loads(gates("diff", files, "--unjudged", "irrelevant").out)
    assert "pessimistic" not in closed["metrics"]["ndcg@10"]


def test_a_pass_says_what_it_guarantees(gates: CommandLine, files: list[str]) -> None:
    shown = " ".join(gates("diff", files).out.split())
    assert "ndcg@10: mean gain at least 0." in shown
    assert "of queries lose 0.3 or more: together a gain of at least 0." in shown
