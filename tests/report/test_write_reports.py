"""Writing the three report files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import UsageError
from gates.evidence.bundle import read_evidence, write_evidence
from gates.report import markdown, write_reports

from . import evidence_factory as factory


def test_three_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    written = write_reports(factory.failing(), tmp_path / "run")
    assert set(written) == {"html", "markdown", "junit"}
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        "report.html",
        "report.md",
        "junit.xml",
    }


def test_stored_evidence_gives_the_same_reports(tmp_path: Path) -> None:
    evidence = factory.failing()
    write_evidence(tmp_path / "evidence.json", evidence)
    first = write_reports(evidence, tmp_path / "a")
    again = write_reports(read_evidence(tmp_path / "evidence.json"), tmp_path / "b")
    for kind, path in first.items():
        assert path.read_bytes() == again[kind].read_bytes()


def test_a_place_that_is_taken_is_an_error_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(UsageError, match=r"report\.html could not be written"):
        write_reports(factory.first_version(), tmp_path)
    assert {one.name for one in tmp_path.iterdir()} == {"report.html", "report.md"}
    assert (tmp_path / "report.md").read_text() == markdown.render(factory.first_version())
