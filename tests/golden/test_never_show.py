"""`never-show.csv`: a document and a depth a row, and nothing amiss goes by."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.domain.subject import NeverShown
from gates.errors import GoldenError
from gates.golden import read_golden
from tests.golden.test_read_golden import LABELS, RANKING


def folder(path: Path, files: dict[str, str], listed: str) -> Path:
    for name, text in {**files, "never-show.csv": listed}.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


def test_rows_are_read_in_order_candidate_or_not(tmp_path: Path) -> None:
    golden = read_golden(folder(tmp_path, RANKING, "doc_id,k,why\nk1,3,knife\nelsewhere,10,\n"))
    assert golden.never_shown == (NeverShown("k1", 3, 2), NeverShown("elsewhere", 10, 3))


@pytest.mark.parametrize(
    ("listed", "line", "what"),
    [
        ("doc_id\nk1\n", 1, "the column `k` is missing"),
        ("doc_id,k\nk1,3\nk1,4\n", 3, "duplicate doc_id"),
        ("doc_id,k\nk1,0\n", 2, "`k` is not a depth"),
        ("doc_id,k\nk1,\n", 2, "`k` is not a depth"),
        ("doc_id,k\n ,3\n", 2, "`doc_id` is blank"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, listed: str, line: int, what: str) -> None:
    with pytest.raises(GoldenError) as caught:
        read_golden(folder(tmp_path, RANKING, listed))
    assert what in str(caught.value)
    assert caught.value.line == line


def test_a_classifier_shows_no_documents(tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match="shows no documents"):
        read_golden(folder(tmp_path, LABELS, "doc_id,k\nk1,3\n"))
