"""However rows come (format, order, pieces, partitions on disk), numbers are the same bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from gates.comparison.per_query import PerQuery
from tests.comparison.files.conftest import Measured
from tests.comparison.files.files import FORMATS, Shop, write, write_shop

Measure = Callable[..., Measured]


def assert_same_bits(one: Measured, other: Measured) -> None:
    assert one[0] == other[0]
    for mine, theirs in zip(_columns(one[1]), _columns(other[1]), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def _columns(found: PerQuery) -> list[np.ndarray]:
    return [*found.old.values(), *found.new.values(), *found.likeness.values()]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_numbers(
    tmp_path: Path, shop: Shop, measured: Measure, form: str
) -> None:
    reference = measured(write_shop(tmp_path / "reference", shop))
    assert np.isfinite(reference[1].old["ndcg@10"]).sum() > 30
    assert_same_bits(measured(write_shop(tmp_path / form, shop, form)), reference)


@pytest.mark.parametrize("memory", [1, 2_000, 9_000])
def test_partitions_on_disk(tmp_path: Path, shop: Shop, measured: Measure, memory: int) -> None:
    files = write_shop(tmp_path, shop)
    assert_same_bits(measured(files, memory=memory), measured(files))


def test_rows_in_any_order(tmp_path: Path, shop: Shop, measured: Measure) -> None:
    reference = measured(write_shop(tmp_path / "reference", shop))
    rng = np.random.default_rng(3)
    for rows in (shop.old, shop.new, shop.judgments):
        rng.shuffle(rows)
    for form in ("parquet", "jsonl"):
        assert_same_bits(measured(write_shop(tmp_path / form, shop, form)), reference)


def test_a_query_that_goes_on_in_the_next_piece(
    tmp_path: Path, shop: Shop, measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_shop(tmp_path, shop)
    reference = measured(files)
    monkeypatch.setattr("gates.comparison.files._parquet._ROWS", 3)
    assert_same_bits(measured(files), reference)
    monkeypatch.setattr("gates.comparison.files._parquet._MOST_ROWS", 5)
    assert_same_bits(measured(files), reference)


def test_text_read_a_few_lines_at_a_time(
    tmp_path: Path, shop: Shop, measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = measured(write_shop(tmp_path / "reference", shop))
    monkeypatch.setattr("gates.comparison.files._text._TEXT_BYTES", 300)
    for form in ("csv", "trec", "jsonl"):
        assert_same_bits(measured(write_shop(tmp_path / form, shop, form)), reference)


def test_a_folder_of_parts(tmp_path: Path, shop: Shop, measured: Measure) -> None:
    files = write_shop(tmp_path, shop)
    parts = tmp_path / "parts"
    parts.mkdir()
    for number in range(3):
        write(parts / f"part-{number}.parquet", shop.old[number * 150 :][:150], "score")
    rest = shop.old[450:]
    write(parts / "part-9.parquet", rest, "score")
    (parts / "_SUCCESS").touch()
    assert_same_bits(measured((parts, *files[1:])), measured(files))


def test_whole_numbers_are_ids_as_their_digits_are(tmp_path: Path, measured: Measure) -> None:
    """Ties go by text: document 9 stands before document 10, in Parquet as in CSV."""
    shop = Shop(queries=4)

    def plain(rows: list[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
        return [(str(int(q[1:])), str(int(doc[1:])), float(int(doc[1:]) % 2)) for q, doc, _ in rows]

    old, new = plain(shop.old), plain(shop.new)
    judged = [(str(int(q[1:])), str(int(doc[1:])), g) for q, doc, g in shop.judgments]
    text = (
        write(tmp_path / "old.csv", old, "score"),
        write(tmp_path / "new.csv", new, "score"),
        write(tmp_path / "judgments.csv", judged, "grade"),
    )
    numbers = []
    for name, rows, value in (("o", old, "score"), ("n", new, "score"), ("j", judged, "grade")):
        table = pa.table(
            {
                "query_id": [int(row[0]) for row in rows],
                "doc_id": pa.array([int(row[1]) for row in rows], pa.int32()),
                value: [row[2] for row in rows],
            }
        )
        numbers.append(tmp_path / f"{name}.parquet")
        pyarrow.parquet.write_table(table, numbers[-1])
    assert_same_bits(measured(tuple(numbers)), measured(text))


def test_a_run_that_carries_ranks_is_taken_as_it_was_served(
    tmp_path: Path, measured: Measure
) -> None:
    ranks = [("q", "a", 1.0), ("q", "b", 2.0), ("q", "c", 5.0)]
    scores = [("q", "a", 0.9), ("q", "b", 0.5), ("q", "c", 0.4)]
    judged = write(tmp_path / "j.csv", [("q", "a", 0.0), ("q", "c", 2.0)], "grade")
    by_rank = write(tmp_path / "rank.csv", ranks, "rank")
    by_score = write(tmp_path / "score.csv", scores, "score")
    _, found = measured((by_rank, by_score, judged))
    assert found.old["mrr"].tolist() == found.new["mrr"].tolist() == [1 / 3]
    assert found.likeness["rbo"].tolist() == [1.0]


def test_grades_that_single_precision_cannot_hold(tmp_path: Path, measured: Measure) -> None:
    run = write(tmp_path / "run.csv", [("q", "a", 1.0), ("q", "b", 0.5)], "score")
    judged = write(tmp_path / "j.csv", [("q", "a", 0.1), ("q", "b", 100.0)], "grade")
    _, found = measured((run, run, judged))
    ideal = 100 + 0.1 / np.log2(3)
    assert found.old["ndcg@10"].tolist() == [(0.1 + 100 / np.log2(3)) / ideal]
