"""A training snapshot is read as numbers, column by column, or says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from gates.errors import InputError
from gates.golden import snapshot
from gates.golden.snapshot import read_snapshot

CSV = 'query,title,bm25,clicks\nq1,"red, large",1.5,\nq2,"two\nlines",2,7\n'


def test_the_columns_asked_for_are_numbers_and_missing_cells_nan(tmp_path: Path) -> None:
    path = tmp_path / "training.csv"
    path.write_text("\ufeff" + CSV, encoding="utf-8")
    found = read_snapshot(path, ["clicks", "bm25", "unknown"])
    assert found.rows == 2
    assert found.digest.startswith("sha256:")
    np.testing.assert_equal(
        dict(found.features), {"clicks": np.array([np.nan, 7]), "bm25": np.array([1.5, 2])}
    )


def test_parquet_gives_the_same_numbers_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "training.parquet"
    table = pa.table(
        {"bm25": [1.5, 2.0], "clicks": pa.array([None, 7], pa.int32()), "t": ["", "x"]}
    )
    pyarrow.parquet.write_table(table, path)
    found = read_snapshot(path, ["bm25", "clicks"])
    np.testing.assert_equal(
        dict(found.features), {"bm25": np.array([1.5, 2]), "clicks": np.array([np.nan, 7])}
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"bm25\nmany\n", "many"),
        ("a.csv", b"bm25,title\n1\n", "cannot be read as a table of numbers"),
        ("a.csv", b"bm25,bm25\n1,2\n", "`bm25` stands there twice"),
        ("a.csv", b"\xff\xfe\x00b", "cannot be read as a table of numbers"),
        ("a.parquet", b"PAR1 not quite", "cannot be read as a table of numbers"),
        ("a.pickle", b"", "does not tell a format"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as problem:
        read_snapshot(tmp_path / name, ["bm25"])
    assert problem.value.path == tmp_path / name


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_column_of_queries_tells_which_rows_belong_together(tmp_path: Path, name: str) -> None:
    table = pa.table({"query_id": ["q1", "q2", "q1"], "bm25": [1.0, 2.0, 3.0]})
    if name.endswith("csv"):
        pyarrow.csv.write_csv(table, tmp_path / name)
    else:
        pyarrow.parquet.write_table(table, tmp_path / name)
    found = read_snapshot(tmp_path / name, ["bm25"])
    assert found.query is not None
    assert found.query.tolist() == [0, 1, 0]
    assert list(found.features) == ["bm25"]
    assert read_snapshot(tmp_path / name, ["other"]).rows == 0


def test_a_text_column_of_parquet_is_refused_by_its_value(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"bm25": ["many"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="many"):
        read_snapshot(tmp_path / "a.parquet", ["bm25"])


def test_a_missing_file_and_a_folder_are_no_snapshot(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(InputError, match="there is no such training snapshot"):
            read_snapshot(path, ["bm25"])


@pytest.mark.parametrize("content", [b"", b"bm25\n", b"other\n1\n"])
def test_without_rows_or_columns_there_are_no_rows(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert read_snapshot(tmp_path / "a.csv", ["bm25"]).rows == 0


def test_too_many_cells_are_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_CELLS", 3)
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    with pytest.raises(InputError, match="more than 3 cells") as problem:
        read_snapshot(tmp_path / "a.csv", ["bm25", "clicks"])
    assert "random sample" in problem.value.advice
