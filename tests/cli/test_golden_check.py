"""`gates golden check`: what a golden set holds, beside queries too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.golden.test_read_golden import LABELS, RANKING

TEMPLATES = """\
words:
  size: [big, small]
expect:
  - {query: "{size} lamp", label: lighting}
  - {query: "{size} red lamp", label: lighting}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in LABELS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def lines(gates: CommandLine, folder: Path) -> list[str]:
    answer = gates("golden", "check", str(folder))
    assert answer.code == 0, answer.err
    return [" ".join(line.split()) for line in answer.out.splitlines()]


def test_synonyms_and_templates_are_listed_with_their_counts(
    gates: CommandLine, folder: Path
) -> None:
    plain = " ".join(lines(gates, folder))
    assert "templates" not in plain
    assert "synonyms" not in plain
    (folder / "templates.yaml").write_text(TEMPLATES, encoding="utf-8")
    (folder / "synonyms.csv").write_text("word,synonym\nsofa,couch\n", encoding="utf-8")
    found = lines(gates, folder)
    assert {"templates 2", "queries of the templates 4"} <= set(found)
    assert [one for one in found if one.startswith("synonyms ")] == ["synonyms 1"]
    said = json.loads(gates("golden", "check", str(folder), "--json").out)
    counts = ("templates", "template_queries", "synonyms", "never_shown")
    assert [said[name] for name in counts] == [2, 4, 1, 0]


def test_documents_never_to_show_are_listed_with_their_count(
    gates: CommandLine, tmp_path: Path
) -> None:
    for name, text in RANKING.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "never-show.csv").write_text("doc_id,k\nd7,3\n", encoding="utf-8")
    assert "documents never to show 1" in lines(gates, tmp_path)


def test_a_set_for_a_model_of_vectors_holds_texts(gates: CommandLine, folder: Path) -> None:
    manifest = folder / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("task: classification", "task: embedding"))
    (folder / "expectations.csv").unlink()
    found = lines(gates, folder)
    assert any(one.startswith("texts ") for one in found)
    assert not any(one.startswith("queries ") for one in found)
