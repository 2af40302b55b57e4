"""What orders a ranking, and what a reader is told where that is doubtful."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.domain.comparison import Comparison
from gates.errors import RankingError
from tests.comparison.test_verdict import compared
from tests.conftest import CommandLine

QUERIES = 20


def run(folder: Path, name: str, lines: list[tuple[str, float, float]]) -> Path:
    """A TREC run in which each query has the same (document, rank, score)s."""
    path = folder / name
    path.write_text(
        "".join(
            f"q{q} Q0 {doc} {rank:g} {score:g} tag\n"
            for q in range(QUERIES)
            for doc, rank, score in lines
        ),
        encoding="utf-8",
    )
    return path


def judgments(
    folder: Path, name: str = "judged.qrels", text: str = "q{} 0 a 1\nq{} 0 b 0\n"
) -> Path:
    path = folder / name
    path.write_text("".join(text.replace("{}", str(q)) for q in range(QUERIES)), encoding="utf-8")
    return path


def found(old: Path, new: Path, judged: Path, order: str = "") -> Comparison:
    return compared((old, new, judged), metric="mrr", order=order).comparison


def new_mean(comparison: Comparison) -> float | None:
    return comparison.measurements[0].extra["new"]


@pytest.mark.parametrize(
    ("order", "expected"), [("", 0.5), ("rank", 0.5), ("score", 1.0), ("rows", 1 / 3)]
)
def test_a_file_is_read_by_rank_unless_somebody_says_otherwise(
    tmp_path: Path, order: str, expected: float
) -> None:
    lines = [("b", 1.0, 1.0), ("c", 3.0, 2.0), ("a", 2.0, 3.0)]
    path, judged = run(tmp_path, "run.trec", lines), judgments(tmp_path)
    told = found(path, path, judged, order)
    assert new_mean(told) == pytest.approx(expected)
    doubt = "20 of the first 20 queries (100%) `score` says another order than `rank`"
    assert any(doubt in note for note in told.notes) == (order in ("", "rank"))


def test_rank_0_on_every_line_is_read_by_score_with_a_note(tmp_path: Path) -> None:
    old = run(tmp_path, "old.trec", [("a", 0, 3), ("b", 0, 2), ("c", 0, 1)])
    new = run(tmp_path, "new.trec", [("a", 0, 1), ("b", 0, 2), ("c", 0, 3)])
    told = found(old, new, judgments(tmp_path))
    assert told.measurements[0].value == pytest.approx(1 / 3 - 1)
    assert [note for note in told.notes if "`rank` is 0 on every line" in note] == list(told.notes)
    with pytest.raises(RankingError, match="`rank` repeats"):
        found(old, new, judgments(tmp_path), "rank")


def test_rows_count_through_all_pieces_and_queries_that_lie_scattered(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    rows = [f"q{q},{doc}" for doc in "cba" for q in range(QUERIES)]
    path.write_text("query_id,doc_id\n" + "\n".join(rows) + "\n", encoding="utf-8")
    told = found(path, path, judgments(tmp_path), "rows")
    assert new_mean(told) == pytest.approx(1 / 3)


def test_scores_that_are_all_the_same_are_no_order(tmp_path: Path) -> None:
    path = run(tmp_path, "run.trec", [("a", 0, 1), ("b", 0, 1)])
    with pytest.raises(RankingError, match="they have no order") as caught:
        found(path, path, judgments(tmp_path))
    assert "--order rows" in caught.value.advice


def test_many_tied_scores_are_a_note(tmp_path: Path) -> None:
    path = run(tmp_path, "run.trec", [("a", 0, 2), ("b", 0, 1), ("c", 0, 1)])
    notes = found(path, path, judgments(tmp_path)).notes
    assert any("20 of the first 20 queries (100%) documents have the same" in n for n in notes)


def test_a_judgment_that_stands_there_twice_word_for_word_counts_once(tmp_path: Path) -> None:
    path = run(tmp_path, "run.trec", [("a", 1, 2), ("b", 2, 1)])
    twice = judgments(tmp_path, text="q{} 0 a 1\nq{} 0 a 1\nq{} 0 b 0\n")
    told = found(path, path, twice)
    assert new_mean(told) == 1.0
    assert any(note.startswith("20 judgments stand there twice") for note in told.notes)
    against = judgments(tmp_path, text="q{} 0 a 1\nq{} 0 a 2\nq{} 0 b 0\n")
    with pytest.raises(RankingError, match="stand twice in a query"):
        found(path, path, against)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qrels.tsv", "q{}\t0\ta\t1\nq{}\t0\tb\t0\n"),
        ("spam.qrels", "q{} 0 a 1\nq{} 0 b -2\n"),
    ],
)
def test_judgments_as_people_have_them(tmp_path: Path, name: str, text: str) -> None:
    path = run(tmp_path, "run.trec", [("b", 1, 2), ("a", 2, 1)])
    told = compared((path, path, judgments(tmp_path, name, text))).comparison
    assert new_mean(told) == pytest.approx(0.63093, abs=1e-5)


def test_judgments_with_the_columns_of_beir(tmp_path: Path) -> None:
    path = run(tmp_path, "run.trec", [("a", 1, 2), ("b", 2, 1)])
    judged = tmp_path / "test.tsv"
    rows = [f"q{q}\t{doc}\t{g}" for q in range(QUERIES) for doc, g in (("a", 1), ("b", 0))]
    judged.write_text("query-id\tcorpus-id\tscore\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert new_mean(found(path, path, judged)) == 1.0


@pytest.mark.parametrize(
    ("line", "words"),
    [("q Q0 b 2 8", "line 3 has 5 fields"), ("q Q0 b 2 8 my tag", "line 3 has 7 fields")],
)
def test_a_line_with_too_many_or_too_few_fields_is_named(
    tmp_path: Path, line: str, words: str
) -> None:
    path = tmp_path / "run.trec"
    path.write_text(f"q Q0 a 1 9 t\n\n{line}\nq Q0 c 3 7 t\n", encoding="utf-8")
    with pytest.raises(RankingError, match=words) as caught:
        found(path, path, judgments(tmp_path))
    assert caught.value.line == 3
    assert ("without blanks" in caught.value.advice) == ("my tag" in line)


def test_the_command_takes_the_order(gates: CommandLine, tmp_path: Path) -> None:
    old = run(tmp_path, "old.trec", [("a", 1, 1), ("b", 2, 2)])
    new = run(tmp_path, "new.trec", [("a", 2, 2), ("b", 1, 1)])
    asked = [str(old), str(new), "-j", str(judgments(tmp_path))]
    assert gates("diff", asked, "--margin", "0.2").code == 1
    assert gates("diff", asked, "--margin", "0.2", "--order", "score").code == 0
